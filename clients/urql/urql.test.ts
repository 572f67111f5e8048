// urql with graphcache: pages, normalisation, and a list kept true by its stream.
import assert from "node:assert/strict";
import { after, before, mock, test } from "node:test";
import { readFileSync } from "node:fs";
import type { Client } from "@urql/core";
import { buildSchema, introspectionFromSchema, isObjectType } from "graphql";
import {
  InboxDocument,
  type InboxQuery,
  MarkReadDocument,
  MarkUnreadDocument,
  ThreadDocument,
  WatchInboxDocument,
} from "../documents/__generated__/graphql";
import { disturb, inboxOf, lastWords, withWrongToken } from "../harness/partly";
import { eventually, Parley } from "../server";
import { parts, urql } from "./client";

const view = { kind: "MY_INBOX" } as const;

const whole = buildSchema(readFileSync("../schema.graphql", "utf8"));
const schema = introspectionFromSchema(whole);

let parley: Parley;
let client: Client;
const warn = mock.method(console, "warn", () => {});

before(async () => {
  parley = await Parley.start();
  client = urql(await parley.as("amy"), schema);
});
after(() => parley.stop());

/** Shows a query as a component does: again whenever the cache changes. */
function show(variables: Parameters<typeof client.query<InboxQuery>>[1]) {
  const shown: { list?: InboxQuery["conversations"]; stop: () => void } = { stop: () => {} };
  shown.stop = client.query(InboxDocument, variables as never).subscribe(({ data }) => {
    if (data) shown.list = data.conversations;
  }).unsubscribe;
  return shown;
}

test("a page and the next make one list", async () => {
  const first = await client.query(InboxDocument, { view, first: 2 });
  const all = show({ view, first: 2, after: first.data!.conversations.pageInfo.endCursor });
  await eventually("both pages are shown", () => all.list?.edges.length === 4);
  assert.equal(new Set(all.list!.edges.map(({ node }) => node.id)).size, 4);
  assert.deepEqual(all.list!.edges.slice(0, 2).map(({ node }) => node.id), first.data!.conversations.edges.map(({ node }) => node.id));
  all.stop();
});

test("a mutation's answer changes every place that shows the conversation", async () => {
  const list = show({ view, first: 20 });
  await eventually("the list is shown", () => list.list != null);
  const { id } = list.list!.edges.find(({ node }) => !node.isUnread)!.node;
  await client.query(ThreadDocument, { id, last: 5 });
  await client.mutation(MarkUnreadDocument, { input: { ids: [id], confirmForOwner: false } });
  assert.equal(list.list!.edges.find(({ node }) => node.id === id)!.node.isUnread, true);
  const thread = client.readQuery(ThreadDocument, { id, last: 5 });
  assert.equal(thread?.data?.conversation?.isUnread, true);
  list.stop();
});

test("ENTER, UPDATE and LEAVE folded into the list equal the query run again", async () => {
  const variables = { view, filterBy: { isUnread: true }, first: 100 };
  const list = show(variables);
  await eventually("the list is shown", () => list.list != null);
  const kinds: string[] = [];
  const watching = client
    .subscription(WatchInboxDocument, { view, filterBy: { isUnread: true }, after: list.list!.feedCursor })
    .subscribe(({ data }) => void (data && kinds.push(data.conversationsChanged.kind)));

  await parley.say("I am new here", { from: "+12025550160" });
  await eventually("a new conversation entered", () => kinds.includes("ENTER"));
  await parley.say("And I have a question", { from: "+12025550160" });
  await eventually("it was updated", () => kinds.includes("UPDATE"));
  const entered = list.list!.edges[0]!.node;
  assert.equal(entered.preview, "And I have a question");
  assert.equal(entered.newCount, 2);
  await client.mutation(MarkReadDocument, { input: { conversations: [{ id: entered.id }], confirmForOwner: false } });
  await eventually("it left", () => kinds.includes("LEAVE"));

  const folded = list.list!;
  const again = (await urql(await parley.as("amy"), schema).query(InboxDocument, variables)).data!.conversations;
  assert.deepEqual(folded.edges.map(({ node }) => node), again.edges.map(({ node }) => node));
  assert.equal(folded.totalCount, again.totalCount);
  watching.unsubscribe();
  list.stop();
});

test("three rows folded are the first rows of the list, and the next pages go on from there", async () => {
  client = urql(await parley.as("amy"), schema);
  const first = show({ view, first: 3 });
  await eventually("three are shown", () => first.list?.edges.length === 3);
  let came = false;
  const watching = client
    .subscription(WatchInboxDocument, { view, after: first.list!.feedCursor })
    .subscribe(({ data }) => void (came ||= data?.conversationsChanged.edge?.node.preview === lastWords));
  await disturb(parley);
  await eventually("the last of it came", () => came);
  const now = (await inboxOf(parley)).map(({ id }) => id);
  const ids = (list = first.list!) => list.edges.map(({ node }) => node.id);
  assert.deepEqual(ids(), now.slice(0, ids().length));
  for (let list = first.list!; list.pageInfo.hasNextPage; ) {
    const page = show({ view, first: 3, after: list.pageInfo.endCursor });
    await eventually("one more page is shown", () => page.list != null);
    list = page.list!;
    page.stop();
    assert.deepEqual(ids(list), now.slice(0, list.edges.length));
    if (!list.pageInfo.hasNextPage) assert.equal(list.edges.length, now.length);
  }
  watching.unsubscribe();
  first.stop();
});

test("a wrong token ends a stream and a query", async () => {
  const stranger = urql(await withWrongToken(parley), schema);
  const { error } = await new Promise<{ error?: { message: string } }>((resolve) => {
    stranger.subscription(WatchInboxDocument, { view }).subscribe((result) => result.error && resolve(result));
  });
  assert.ok(error);
  assert.equal((await stranger.query(InboxDocument, { view })).error?.response?.status, 401);
});

test("a missing object is an error with its code", async () => {
  const { error } = await client.query(ThreadDocument, { id: "cnv_0", last: 1 });
  assert.equal(error?.graphQLErrors[0]?.extensions.code, "NOT_FOUND");
});

test("what has no id is a part", () => {
  const without = Object.values(whole.getTypeMap()).filter((type) => isObjectType(type) && !type.name.startsWith("__") && !type.getFields().id);
  const roots = /^(Query|Mutation|Subscription)$|Payload$/; // which are not kept
  assert.deepEqual(parts, without.map(({ name }) => name).filter((name) => !roots.test(name)).sort());
});

test("the cache knew how to keep everything", () => {
  assert.deepEqual(warn.mock.calls.map(({ arguments: [message] }) => message), []);
});
