// Folding into a list that is loaded in part equals the first rows of the server's list.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { AssignDocument, MarkReadDocument, MarkUnreadDocument, MeDocument } from "../documents/__generated__/graphql";
import { type Ask, asks } from "../plain/ask";
import { LiveInbox } from "../plain/inbox";
import { eventually, Parley } from "../server";
import { type Change, fold, type List } from "./fold";
import { type Inbox, type InboxVariables, inbox, type WatchInbox, watchInbox } from "./inbox";

const row = (id: string, time: number) => ({ cursor: `at ${id} ${time}`, node: { id, lastMessageAt: `2026-01-01T00:00:${time}.000000Z` } });
const list = (hasNextPage: boolean): List<{ id: string; lastMessageAt: string }> => ({
  totalCount: 9, edges: [row("a", 50), row("b", 40), row("c", 30)], pageInfo: { hasNextPage, endCursor: "at c 30" },
});
const put = (id: string, time: number) => ({ kind: "UPDATE", conversationId: id, counts: { total: 10 }, edge: row(id, time) });
const leave = (id: string) => ({ kind: "LEAVE", conversationId: id, counts: { total: 8 }, edge: null });
const ids = ({ edges }: ReturnType<typeof list>) => edges.map(({ node }) => node.id).join("");

test("while there is a next page, what sorts behind the last row is left out", () => {
  assert.equal(ids(fold(list(true), put("x", 45))), "axbc");
  assert.equal(ids(fold(list(true), put("x", 20))), "abc");
  assert.equal(ids(fold(list(false), put("x", 20))), "abcx");
  assert.equal(ids(fold(list(true), put("c", 30))), "abc", "the last row itself stays");
  assert.equal(ids(fold(list(true), put("c", 60))), "cab");
  assert.equal(ids(fold(list(true), put("a", 20))), "bc", "one that moved behind is taken out");
});

test("the next page begins behind the last row that is left", () => {
  const left = fold(list(true), leave("c"));
  assert.deepEqual([ids(left), left.pageInfo.endCursor, left.totalCount], ["ab", "at b 40", 8]);
  assert.equal(ids(fold(left, put("x", 35))), "ab");
  const none = ["a", "b", "c"].reduce((l, id) => fold(l, leave(id)), list(true));
  assert.deepEqual([ids(none), none.pageInfo.endCursor], ["", null]);
  assert.equal(ids(fold(none, put("x", 35))), "");
});

let parley: Parley;
let ask: Ask;
before(async () => {
  parley = await Parley.start();
  ask = asks(await parley.as("amy"));
});
after(() => parley.stop());

const variables = { view: { kind: "MY_INBOX" }, first: 3 };
const page = async (first: number, cursor?: string | null) => (await ask<Inbox, InboxVariables>(inbox, { ...variables, first, after: cursor })).conversations;
type Shown = Inbox["conversations"];
const rows = ({ edges }: Shown) => edges.map(({ node }) => node);

test("three rows of a longer list, folded, are the first rows of the server's list, and pages go on from there", async () => {
  let shown = await page(3);
  const whole = rows(await page(100));
  assert.ok(whole.length > 8 && shown.pageInfo.hasNextPage);
  const socket = createClient({ url: parley.socketEndpoint, webSocketImpl: WebSocket, connectionParams: { Authorization: `Bearer ${await parley.token("amy")}` } });
  const seen: Change<Shown["edges"][number]["node"]>[] = [];
  const stop = socket.subscribe<WatchInbox>({ query: watchInbox, variables: { view: variables.view, after: shown.feedCursor } }, {
    next({ data }) {
      shown = fold(shown, data!.conversationsChanged);
      seen.push(data!.conversationsChanged);
    },
    error: (e) => assert.fail(JSON.stringify(e)),
    complete() {},
  });
  const equal = async (what: string) => {
    const now = rows(await page(100));
    assert.deepEqual(rows(shown), now.slice(0, shown.edges.length), what);
    assert.equal(shown.totalCount, now.length, what);
  };
  const after = async (what: string, id: string | undefined, change: () => Promise<unknown>) => {
    const before = seen.length;
    await change();
    await eventually(what, () => seen.slice(before).some(({ conversationId }) => conversationId && (!id || conversationId === id)));
    await equal(what);
  };
  const bo = (await ask(MeDocument, {})).viewer.channels.flatMap(({ members }) => members).find(({ name }) => name.startsWith("Bo"))!.id;
  const toggle = (id: string, unread: boolean) => unread
    ? ask(MarkReadDocument, { input: { conversations: [{ id }], confirmForOwner: false } })
    : ask(MarkUnreadDocument, { input: { ids: [id], confirmForOwner: false } });
  const give = (id: string) => ask(AssignDocument, { input: { ids: [id], agentId: bo } });

  await after("one far behind is marked", whole[8]!.id, () => toggle(whole[8]!.id, whole[8]!.isUnread));
  await after("the last one shown is marked", whole[2]!.id, () => toggle(whole[2]!.id, whole[2]!.isUnread));
  await after("a new one comes", undefined, () => parley.say("I am new here", { from: "+12025550161" }));
  await after("the last one shown leaves", whole[2]!.id, () => give(whole[2]!.id));
  await after("one behind is marked", whole[3]!.id, () => toggle(whole[3]!.id, whole[3]!.isUnread));
  while (shown.pageInfo.hasNextPage) {
    const next = await page(3, shown.pageInfo.endCursor);
    shown = { ...shown, edges: [...shown.edges, ...next.edges], pageInfo: next.pageInfo };
    await equal("the next page");
  }
  assert.equal(shown.edges.length, shown.totalCount);
  stop();
});

test("the plain sample does it all", async () => {
  let failure: unknown;
  const live = new LiveInbox(await parley.as("amy"), variables, () => {}, (error) => (failure = error));
  await live.open();
  const [first] = rows(live.list!);
  await parley.say("One more", { from: "+12025550162" });
  await eventually("it came in", () => rows(live.list!)[0]!.preview === "One more");
  assert.equal(rows(live.list!)[1]!.id, first!.id);
  while (live.list!.pageInfo.hasNextPage) await live.more();
  assert.deepEqual(rows(live.list!), rows(await page(100)));
  assert.equal(failure, undefined);
  await live.close();
});
