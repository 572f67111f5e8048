// graphql-ws alone: the socket is dropped, the server is restarted, and the list
// and the messages are whole: nothing lost, nothing twice.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { print } from "graphql";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import {
  InboxDocument,
  type InboxRowFragment,
  WatchInboxDocument,
  type WatchInboxSubscription,
  WatchMessagesDocument,
  type WatchMessagesSubscription,
} from "../documents/__generated__/graphql";
import { resuming } from "../parley/resuming";
import { type Ask, asks } from "../plain/ask";
import { eventually, Parley } from "../server";

const view = { kind: "MY_INBOX" } as const;

let parley: Parley;
let token: string;
let ask: Ask;

before(async () => {
  parley = await Parley.start();
  token = await parley.token("amy");
  ask = asks(await parley.as("amy"));
});
after(() => parley.stop());

const page = async () => (await ask(InboxDocument, { view, first: 100 })).conversations;

/** The list as a page shows it: newest first. */
const shown = (rows: Iterable<InboxRowFragment>) =>
  [...rows].sort((a, b) => b.lastMessageAt.localeCompare(a.lastMessageAt) || a.id.localeCompare(b.id));

/** Puts one event into the rows. */
function fold(rows: Map<string, InboxRowFragment>, change: WatchInboxSubscription["conversationsChanged"]) {
  switch (change.kind) {
    case "ENTER":
    case "UPDATE":
      rows.set(change.edge!.node.id, change.edge!.node);
      break;
    case "LEAVE":
      rows.delete(change.conversationId!);
      break;
  }
}

test("nothing is lost or comes twice over a dropped socket and a restarted server", async () => {
  // A frontend waits a random while before it reconnects; the test, until it says so.
  let online = Promise.resolve();
  let goOnline = () => {};
  const goOffline = () => (online = new Promise((resolve) => (goOnline = resolve)));
  const client = resuming({
    url: parley.socketEndpoint,
    webSocketImpl: WebSocket,
    lazy: false,
    retryWait: () => online,
    token: () => parley.token("amy"), // asked anew each time
  });

  const first = await page();
  const rows = new Map(first.edges.map(({ node }) => [node.id, node]));
  const cursors: string[] = [];
  const texts: string[] = [];
  const errors: unknown[] = [];
  let opened = 0;
  let total = first.totalCount;
  const sink = { error: (e: unknown) => errors.push(e), complete() {} };
  client.subscribe<WatchInboxSubscription>(
    { query: print(WatchInboxDocument), variables: { view, after: first.feedCursor } },
    {
      ...sink,
      next({ data }) {
        const change = data!.conversationsChanged;
        if (change.kind === "OPEN") opened++;
        else cursors.push(change.cursor);
        total = change.counts.total;
        fold(rows, change);
      },
    },
  );
  client.subscribe<WatchMessagesSubscription>(
    { query: print(WatchMessagesDocument), variables: { after: first.feedCursor } },
    {
      ...sink,
      next({ data }) {
        const content = data!.messageAdded.message?.content;
        if (content && "text" in content) texts.push(content.text);
      },
    },
  );

  await parley.say("while connected", { from: "+12025550150" });
  await eventually("the first message came", () => texts.includes("while connected"));

  goOffline();
  client.terminate(); // the network is gone: no goodbye
  await parley.say("while the socket is down", { from: "+12025550151" });
  await parley.say("from the first again", { from: "+12025550150" });
  goOnline();
  await eventually("the stream went on", () => texts.includes("from the first again"));

  goOffline();
  await parley.say("just before the restart", { from: "+12025550152" });
  await parley.restart();
  await parley.say("after the restart", { from: "+12025550153" });
  goOnline();
  await eventually("the stream went on after the restart", () => texts.includes("after the restart"));
  await eventually("the list is what the query answers", async () => {
    const now = await page();
    return rows.size === now.totalCount && JSON.stringify(shown(rows.values())) === JSON.stringify(shown(now.edges.map((e) => e.node)));
  });

  assert.deepEqual(texts, [
    "while connected",
    "while the socket is down",
    "from the first again",
    "just before the restart",
    "after the restart",
  ]);
  assert.equal(new Set(cursors).size, cursors.length, "no event came twice");
  assert.equal(opened, 3, "each connection began with a position marker");
  assert.equal(total, rows.size);
  assert.deepEqual(errors, []);
  await client.dispose();
});

test("a cursor that is none of the server's is refused, and the client is told to start anew", async () => {
  const client = createClient({
    url: parley.socketEndpoint,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${token}` },
  });
  const error = await new Promise((resolve) => {
    const sink = { next: () => resolve("an event"), error: resolve, complete() {} };
    client.subscribe({ query: print(WatchInboxDocument), variables: { view, after: "bm90IG91cnM" } }, sink);
  });
  assert.equal((error as { extensions: { code: string } }[])[0]!.extensions.code, "RESYNC_REQUIRED");
  await client.dispose();
});

test("a stream outlives its token", async () => {
  let connections = 0;
  const client = resuming({
    url: parley.socketEndpoint,
    webSocketImpl: WebSocket,
    token: () => parley.token("amy", connections++ === 0 ? "2s" : "1h"),
  });
  const texts: string[] = [];
  const errors: unknown[] = [];
  const stop = client.subscribe<WatchMessagesSubscription>(
    { query: print(WatchMessagesDocument), variables: { after: (await page()).feedCursor } },
    {
      next({ data }) {
        const content = data!.messageAdded.message?.content;
        if (content && "text" in content) texts.push(content.text);
      },
      error: (e) => errors.push(e),
      complete() {},
    },
  );
  await parley.say("under the first token", { from: "+12025550155" });
  await eventually("the first token ran out", () => connections === 2);
  await parley.say("under the second", { from: "+12025550155" });
  await eventually("the stream went on", () => texts.length === 2);
  assert.deepEqual(texts, ["under the first token", "under the second"]);
  assert.deepEqual(errors, []);
  stop();
  await client.dispose();
});

/** Watches with one token whatever becomes of it, until that ends. */
async function insist(bearer: string) {
  let opened = 0;
  const client = resuming({
    url: parley.socketEndpoint,
    webSocketImpl: WebSocket,
    token: () => bearer,
    on: { opened: () => opened++ },
  });
  const after = (await page()).feedCursor;
  const ends = await Promise.all(["first", "second"].map(() => new Promise<unknown>((resolve) => {
    client.subscribe({ query: print(WatchMessagesDocument), variables: { after } }, { next() {}, error: resolve, complete: () => resolve("complete") });
  })));
  return { ends: ends.map((end) => end as { code: number; reason: string }).map(({ code, reason }) => [code, reason]), opened };
}

test("a wrong token ends every subscription after two connections, with the reason", async () => {
  const { ends, opened } = await insist("wrong");
  assert.deepEqual(ends, Array(2).fill([4403, "Forbidden: The token is not valid. Get a new one and call again."]));
  assert.equal(opened, 2);
});

test("so does one that runs out and is repeated", async () => {
  const { ends, opened } = await insist(await parley.token("amy", "2s"));
  assert.deepEqual(ends, Array(2).fill([4403, "Forbidden: The token has expired. Get a new one and call again."]));
  assert.equal(opened, 2);
});

test("a server that is away is waited for", async () => {
  const client = resuming({ url: "ws://127.0.0.1:9/graphql", webSocketImpl: WebSocket, token: () => token });
  let failures = 0;
  client.on("closed", () => failures++);
  const ends: unknown[] = [];
  const stop = client.subscribe({ query: "{ __typename }" }, { next() {}, error: (e) => ends.push(e), complete: () => ends.push("complete") });
  await eventually("it tried again", () => failures === 2);
  assert.deepEqual(ends, []);
  stop();
});
