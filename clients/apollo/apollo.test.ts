// Apollo Client: pages, the normalised cache, a list kept true by its stream, and
// both kinds of error.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type ApolloClient, CombinedGraphQLErrors } from "@apollo/client";
import {
  InboxDocument,
  type InboxQuery,
  MarkUnreadDocument,
  SendDocument,
  ThreadDocument,
  WatchInboxDocument,
} from "../documents/__generated__/graphql";
import { fold } from "../parley/fold";
import { disturb, inboxOf, lastWords, withWrongToken } from "../harness/partly";
import { eventually, Parley } from "../server";
import { apollo } from "./client";

const view = { kind: "MY_INBOX" } as const;

let parley: Parley;
let client: ApolloClient;

before(async () => {
  parley = await Parley.start();
  client = apollo(await parley.as("amy"));
});
after(async () => {
  client.stop();
  await parley.stop();
});

test("a page and the next make one list", async () => {
  const inbox = client.watchQuery({ query: InboxDocument, variables: { view, first: 2 } });
  let shown: InboxQuery["conversations"] | undefined;
  const showing = inbox.subscribe(({ data, dataState }) => {
    if (dataState === "complete") shown = data.conversations;
  });
  await eventually("the first page is shown", () => shown?.edges.length === 2);
  const first = shown!;
  await inbox.fetchMore({ variables: { first: 2, after: first.pageInfo.endCursor } });
  await eventually("both pages are shown", () => shown?.edges.length === 4);
  assert.equal(new Set(shown!.edges.map(({ node }) => node.id)).size, 4);
  assert.deepEqual(shown!.edges.slice(0, 2), first.edges);
  showing.unsubscribe();
});

test("a mutation's answer changes every place that shows the conversation", async () => {
  const { data } = await client.query({ query: InboxDocument, variables: { view, first: 20 } });
  const { id } = data!.conversations.edges.find(({ node }) => !node.isUnread)!.node;
  await client.query({ query: ThreadDocument, variables: { id, last: 5 } });
  await client.mutate({ mutation: MarkUnreadDocument, variables: { input: { ids: [id], confirmForOwner: false } } });
  const list = client.readQuery({ query: InboxDocument, variables: { view } })!.conversations;
  assert.equal(list.edges.find(({ node }) => node.id === id)!.node.isUnread, true);
  assert.equal(client.readQuery({ query: ThreadDocument, variables: { id } })!.conversation!.isUnread, true);
});

test("ENTER, UPDATE and LEAVE folded into the list equal the query run again", async () => {
  const mine = { query: InboxDocument, variables: { view, filterBy: { isUnread: true }, first: 100 } } as const;
  const { data } = await client.query({ ...mine, fetchPolicy: "network-only" });
  const kinds: string[] = [];
  const watching = client.subscribe({
    query: WatchInboxDocument,
    variables: { view, filterBy: { isUnread: true }, after: data!.conversations.feedCursor },
  }).subscribe(({ data }) => {
    const change = data!.conversationsChanged;
    kinds.push(change.kind);
    client.cache.updateQuery(mine, (list) => ({ ...list!, conversations: fold(list!.conversations, change) }));
  });

  await parley.say("I am new here", { from: "+12025550160" });
  await eventually("a new conversation entered", () => kinds.includes("ENTER"));
  await parley.say("And I have a question", { from: "+12025550160" });
  await eventually("it was updated", () => kinds.includes("UPDATE"));
  const [entered] = client.readQuery(mine)!.conversations.edges;
  assert.equal(entered!.node.preview, "And I have a question");
  assert.equal(entered!.node.newCount, 2);

  // To answer is to read: the conversation leaves the unread.
  const sent = await client.mutate({
    mutation: SendDocument,
    variables: { input: { conversationId: entered!.node.id, text: "Ask away.", idempotencyKey: crypto.randomUUID(), confirmForOwner: false } },
  });
  assert.deepEqual(sent.data!.sendMessage.errors, []);
  await eventually("it left", () => kinds.includes("LEAVE"));

  const folded = client.readQuery(mine)!.conversations;
  const again = (await client.query({ ...mine, fetchPolicy: "no-cache" })).data!.conversations;
  assert.deepEqual(folded.edges.map(({ node }) => node), again.edges.map(({ node }) => node));
  assert.equal(folded.totalCount, again.totalCount);
  watching.unsubscribe();
});

test("three rows folded are the first rows of the list, and the next pages go on from there", async () => {
  const own = apollo(await parley.as("amy"));
  const inbox = own.watchQuery({ query: InboxDocument, variables: { view, first: 3 } });
  let shown: InboxQuery["conversations"] | undefined;
  const showing = inbox.subscribe(({ data, dataState }) => {
    if (dataState === "complete") shown = data.conversations;
  });
  await eventually("three are shown", () => shown?.edges.length === 3);
  let came = false;
  const watching = own.subscribe({ query: WatchInboxDocument, variables: { view, after: shown!.feedCursor } }).subscribe(({ data }) => {
    const change = data!.conversationsChanged;
    own.cache.updateQuery({ query: InboxDocument, variables: { view, first: 3 } }, (list) => ({ ...list!, conversations: fold(list!.conversations, change) }));
    came ||= change.edge?.node.preview === lastWords;
  });
  await disturb(parley);
  await eventually("the last of it came", () => came);
  const now = (await inboxOf(parley)).map(({ id }) => id);
  const ids = () => shown!.edges.map(({ node }) => node.id);
  await eventually("it is shown", () => shown!.edges[0]!.node.preview === lastWords);
  assert.deepEqual(ids(), now.slice(0, ids().length));
  for (let count = ids().length; shown!.pageInfo.hasNextPage; count = ids().length) {
    await inbox.fetchMore({ variables: { after: shown!.pageInfo.endCursor } });
    await eventually("the next page is shown", () => ids().length > count);
  }
  assert.deepEqual(ids(), now);
  watching.unsubscribe();
  showing.unsubscribe();
  own.stop();
});

test("a wrong token ends a stream and a query", async () => {
  const stranger = apollo(await withWrongToken(parley));
  const failed = await new Promise<{ message: string }>((error) => {
    stranger.subscribe({ query: WatchInboxDocument, variables: { view } }).subscribe({ error, next: ({ error: e }) => e && error(e) });
  });
  assert.match(failed.message, /4403 Forbidden: The token is not valid/);
  await assert.rejects(stranger.query({ query: InboxDocument, variables: { view } }), /401/);
  stranger.stop();
});

test("a refusal is data, and a missing object an error", async () => {
  const { data } = await client.query({ query: InboxDocument, variables: { view, first: 1 } });
  const { id } = data!.conversations.edges[0]!.node;
  const refused = await client.mutate({
    mutation: SendDocument,
    variables: { input: { conversationId: id, text: "", idempotencyKey: crypto.randomUUID(), confirmForOwner: false } },
  });
  assert.equal(refused.error, undefined);
  assert.deepEqual(refused.data!.sendMessage.refusals.map(({ code }) => code), ["TEXT_EMPTY"]);

  const missing = await client.query({ query: ThreadDocument, variables: { id: "cnv_0", last: 1 }, errorPolicy: "all" });
  assert.equal(missing.data!.conversation, null);
  assert.ok(CombinedGraphQLErrors.is(missing.error));
  assert.equal(missing.error.errors[0]!.extensions!.code, "NOT_FOUND");
});
