// Relay: a connection that grows both ways, refetching by node, a list and a
// thread kept true by their streams, and an optimistic row.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Environment, fetchQuery, requestSubscription } from "relay-runtime";
import { disturb, inboxOf, lastWords, withWrongToken } from "../harness/partly";
import type { Server } from "../parley/server";
import { eventually, Parley } from "../server";
import type { inbox_list$data } from "./__generated__/inbox_list.graphql";
import type { inboxQuery as InboxQuery } from "./__generated__/inboxQuery.graphql";
import type { inboxSubscription } from "./__generated__/inboxSubscription.graphql";
import type { thread_messages$data } from "./__generated__/thread_messages.graphql";
import type { threadQuery as ThreadQuery } from "./__generated__/threadQuery.graphql";
import { relay } from "./environment";
import { foldInbox, inboxList, inboxQuery, watchInbox } from "./inbox";
import { Page } from "./page";
import { Thread, threadMessages, threadQuery } from "./thread";

const view = { kind: "MY_INBOX" } as const;

let parley: Parley;
let amy: Server;
let environment: Environment;

before(async () => {
  parley = await Parley.start();
  amy = await parley.as("amy");
  environment = relay(amy);
});
after(() => parley.stop());

async function openInbox(first: number, from = environment) {
  const root = await fetchQuery<InboxQuery>(from, inboxQuery, { first, view }).toPromise();
  return new Page<inbox_list$data>(from, inboxList, root!);
}

async function openThread(id: string) {
  const root = await fetchQuery<ThreadQuery>(environment, threadQuery, { id }).toPromise();
  return new Page<thread_messages$data>(environment, threadMessages, root!.conversation!);
}

const texts = ({ data }: Page<thread_messages$data>) =>
  data.messages.edges.map(({ node: { content } }) => ("text" in content ? content.text : content.__typename));

test("a connection grows forward, and is refetched", async () => {
  const inbox = await openInbox(2);
  const first = inbox.data.conversations.edges.map(({ node }) => node.id);
  assert.equal(first.length, 2);
  await inbox.more("forward", 3);
  const five = inbox.data.conversations.edges.map(({ node }) => node.id);
  assert.equal(new Set(five).size, 5);
  assert.deepEqual(five.slice(0, 2), first);
  await inbox.refetch({ first: 1 });
  assert.deepEqual(inbox.data.conversations.edges.map(({ node }) => node.id), first.slice(0, 1));
});

test("a thread grows backward, and is refetched by its node", async () => {
  const inbox = await openInbox(20);
  const { id } = inbox.data.conversations.edges.find(({ node }) => node.messageCount > 5)!.node;
  const thread = await openThread(id);
  const newest = thread.data.messages.edges.map(({ node }) => node.number);
  await thread.more("backward", 3, { id });
  const numbers = thread.data.messages.edges.map(({ node }) => node.number);
  assert.equal(numbers.length, 5);
  assert.deepEqual(numbers.slice(3), newest);
  assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b));
  await thread.refetch({ id, last: 1 });
  assert.deepEqual(thread.data.messages.edges.map(({ node }) => node.number), newest.slice(-1));
});

test("the list folded from its stream, over a restart of the server, equals the query run again", async () => {
  const inbox = await openInbox(20);
  const { __id: connection, feedCursor } = inbox.data.conversations;
  const kinds: string[] = [];
  const watching = requestSubscription<inboxSubscription>(environment, {
    subscription: watchInbox,
    variables: { view, after: feedCursor },
    updater: foldInbox(connection),
    onNext: (response) => kinds.push(response!.conversationsChanged.kind),
  });
  await parley.say("I am new here", { from: "+12025550160" });
  await eventually("it entered", () => kinds.includes("ENTER"));
  await parley.restart();
  await parley.say("And I have a question", { from: "+12025550160" });
  await eventually("it was updated", () => kinds.includes("UPDATE"));
  const again = (await openInbox(20, relay(amy))).data.conversations;
  const shown = inbox.data.conversations;
  assert.equal(shown.edges[0]!.node.preview, "And I have a question");
  assert.equal(shown.totalCount, again.totalCount);
  assert.deepEqual(shown.edges.slice(0, 20).map(({ node }) => node), again.edges.map(({ node }) => node));
  assert.equal(kinds.filter((kind) => kind === "ENTER").length, 1);
  watching.dispose();
});

test("three rows folded are the first rows of the list, and the next pages go on from there", async () => {
  const own = relay(amy);
  const inbox = await openInbox(3, own);
  const { __id: connection, feedCursor } = inbox.data.conversations;
  let came = false;
  const watching = requestSubscription<inboxSubscription>(own, {
    subscription: watchInbox,
    variables: { view, after: feedCursor },
    updater: foldInbox(connection),
    onNext: (response) => void (came ||= response!.conversationsChanged.edge?.node.preview === lastWords),
  });
  await disturb(parley);
  await eventually("the last of it came", () => came);
  const now = (await inboxOf(parley)).map(({ id }) => id);
  const ids = () => inbox.data.conversations.edges.map(({ node }) => node.id);
  assert.deepEqual(ids(), now.slice(0, ids().length));
  while (ids().length < now.length) {
    await inbox.more("forward", 3);
    assert.deepEqual(ids(), now.slice(0, ids().length));
  }
  watching.dispose();
});

test("a wrong token ends a stream", async () => {
  const stranger = await withWrongToken(parley);
  const error = await new Promise<{ code?: number }>((onError) => {
    requestSubscription<inboxSubscription>(relay(stranger), { subscription: watchInbox, variables: { view }, onError: onError as never });
  });
  assert.equal(error.code, 4403);
});

test("an optimistic row gives way to the real one, once", async () => {
  const inbox = await openInbox(1);
  const { id } = inbox.data.conversations.edges[0]!.node;
  const page = await openThread(id);
  const thread = new Thread(environment, id, page.data.messages.__id);
  const seen: string[] = [];
  const shown: number[] = [];
  const count = () => texts(page).filter((text) => text === "On its way!").length;
  const watching = thread.watch(inbox.data.conversations.feedCursor, (event) => {
    seen.push(event.__typename === "MessageStatusChanged" ? event.status : event.__typename);
    shown.push(count());
  });
  await eventually("the stream is open", () => seen.includes("Reset"));

  const key = crypto.randomUUID();
  const last = page.data.messages.edges.at(-1)!.node.id;
  const answer = thread.send("On its way!", key, last);
  assert.equal(texts(page).at(-1), "On its way!", "it is shown before the server answers");
  const sent = await answer;
  assert.deepEqual(sent.errors, []);
  await eventually("its own event came", () => seen.includes("MessageAdded"));
  await eventually("it was delivered", () => page.data.messages.edges.at(-1)!.node.status === "DELIVERED");
  assert.equal(page.data.messages.edges.at(-1)!.node.id, sent.message!.id);
  assert.equal(count(), 1);
  assert.ok(shown.every((n) => n <= 1), "never two at a time");

  // The same key again, as after a lost answer: sent once.
  const repeated = await thread.send("On its way!", key, last);
  assert.equal(repeated.message!.id, sent.message!.id);
  assert.equal(count(), 1);

  // A refused text leaves no row.
  const refused = await thread.send("", crypto.randomUUID(), last);
  assert.equal(refused.refusals[0]?.code, "TEXT_EMPTY");
  assert.ok(!texts(page).includes(""));
  watching.dispose();
});
