// graphql-sse alone: the stream is cut, the server is restarted, the token runs out, and the messages are whole.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { print } from "graphql";
import { createClient, type ExecutionResult, NetworkError } from "graphql-sse";
import { InboxDocument, WatchInboxDocument, WatchMessagesDocument, type WatchMessagesSubscription } from "../documents/__generated__/graphql";
import { asks } from "../plain/ask";
import { eventually, Parley } from "../server";
import { resuming } from "./resuming";

const view = { kind: "MY_INBOX" } as const;

let parley: Parley;
let token: string;

before(async () => {
  parley = await Parley.start();
  token = await parley.token("amy");
});
after(() => parley.stop());

const feedCursor = async () => (await asks(await parley.as("amy"))(InboxDocument, { view, first: 1 })).conversations.feedCursor;

/** Follows the messages; what came is in texts. */
async function watch(options: { token?: () => Promise<string>; fetchFn?: typeof fetch } = {}) {
  const client = resuming({ url: parley.endpoint, token: () => token, ...options });
  const texts: string[] = [];
  const ends: unknown[] = [];
  const stop = client.subscribe<WatchMessagesSubscription>(
    { query: print(WatchMessagesDocument), variables: { after: await feedCursor() } },
    {
      next({ data, errors }) {
        if (errors) ends.push(errors);
        const content = data?.messageAdded.message?.content;
        if (content && "text" in content) texts.push(content.text);
      },
      error: (e) => ends.push(e),
      complete: () => ends.push("complete"),
    },
  );
  return { texts, ends, stop };
}

test("nothing is lost or comes twice over a cut stream and a restarted server", async () => {
  let cut = new AbortController();
  let online = Promise.resolve();
  let goOnline = () => {};
  const goOffline = () => (online = new Promise((resolve) => (goOnline = resolve)));
  const { texts, ends, stop } = await watch({
    fetchFn: async (input, init) => {
      await online;
      return fetch(input, { ...init, signal: AbortSignal.any([init!.signal!, cut.signal]) });
    },
  });
  const from = "+12025550150";
  await parley.say("while connected", { from });
  await eventually("the first message came", () => texts.length === 1);

  goOffline();
  const gone = cut;
  cut = new AbortController();
  gone.abort(new Error("the network is gone"));
  await parley.say("while the stream is down", { from });
  goOnline();
  await eventually("the stream went on", () => texts.length === 2);

  await parley.say("just before the restart", { from });
  await parley.restart();
  await parley.say("after the restart", { from });
  await eventually("the stream went on after the restart", () => texts.includes("after the restart"));
  assert.deepEqual(texts, ["while connected", "while the stream is down", "just before the restart", "after the restart"]);
  assert.deepEqual(ends, []);
  stop();
});

test("a stream outlives its token", async () => {
  let tokens = 0;
  const { texts, ends, stop } = await watch({ token: () => parley.token("amy", tokens++ === 0 ? "2s" : "1h") });
  await parley.say("under the first token", { from: "+12025550155" });
  await eventually("the first token ran out", () => tokens === 2);
  await parley.say("under the second", { from: "+12025550155" });
  await eventually("the stream went on", () => texts.length === 2);
  assert.deepEqual(texts, ["under the first token", "under the second"]);
  assert.deepEqual(ends, []);
  stop();
});

/** Runs one operation to its end. */
async function run(query: string, variables: Record<string, unknown> = {}, bearer = token) {
  const client = createClient({ url: parley.endpoint, headers: { Authorization: `Bearer ${bearer}` }, retryAttempts: 0 });
  const results: ExecutionResult[] = [];
  await new Promise<void>((resolve, reject) => {
    client.subscribe({ query, variables }, { next: (result) => results.push(result as ExecutionResult), error: reject, complete: resolve });
  });
  return results;
}

const codes = (results: ExecutionResult[]) => results.map((r) => r.errors?.[0]?.extensions?.["code"]);

test("queries and mutations have one result", async () => {
  assert.deepEqual(await run("{ viewer { agent { username } } }"), [{ data: { viewer: { agent: { username: "amy" } } } }]);
  const refused = await run(`mutation { markConversationsRead(input: {conversationIds: []}) { errors { code } } }`);
  assert.equal(refused.length, 1);
});

test("what is wrong is told as a result, and a bad token by the status", async () => {
  assert.deepEqual(codes(await run("{ nothing }")), ["GRAPHQL_VALIDATION_FAILED"]);
  assert.deepEqual(codes(await run("{")), ["GRAPHQL_PARSE_FAILED"]);
  assert.deepEqual(codes(await run(print(WatchInboxDocument), { view, after: "bm90IG91cnM" })), ["RESYNC_REQUIRED"]);
  await assert.rejects(run("{ __typename }", {}, "bad"), (e) => e instanceof NetworkError && e.response?.status === 401);
});

test("a token that is refused twice ends the stream", async () => {
  let connections = 0;
  const { ends } = await watch({ token: async () => (connections++, "wrong") });
  await eventually("it ended", () => ends.length === 1);
  assert.ok(ends[0] instanceof NetworkError && ends[0].response?.status === 401);
  assert.equal(connections, 2);

  connections = 0;
  const short = await parley.token("amy", "2s");
  const expired = await watch({ token: async () => (connections++, short) });
  await eventually("it ran out and was refused", () => expired.ends.length === 1);
  assert.equal(connections, 2);
});
