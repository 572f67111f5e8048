// The types that graphql-codegen makes, under tsc --strict, and the documents
// behind them against the server. Every field of the schema is asked for: what
// cannot be generated, typed or answered fails here first.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { buildSchema, isInterfaceType, isObjectType, parse, TypeInfo, validate, visit, visitWithTypeInfo } from "graphql";
import { type Ask, asks, RequestError } from "../plain/ask";
import { amyDirect, eventually, Parley } from "../server";
import {
  AddNoteDocument,
  AssignDocument,
  DirectoryDocument,
  InboxDocument,
  MarkReadDocument,
  MarkUnreadDocument,
  MeDocument,
  MessageDocument,
  RecordPageDocument,
  RetryDocument,
  SendDocument,
  StartDocument,
  ThreadDocument,
  type ThreadLineFragment,
  TypingDocument,
} from "./__generated__/graphql";

let parley: Parley;
let ask: Ask;

before(async () => {
  parley = await Parley.start();
  ask = asks(await parley.as("amy"));
});
after(() => parley.stop());

/** A new key for each thing that a person does; the same for its repetitions. */
const newKey = () => crypto.randomUUID();

const inbox = async () => (await ask(InboxDocument, { view: { kind: "MY_INBOX" }, first: 2 })).conversations;

/** What a line says. The default is for kinds of content that are yet to come. */
function says(line: ThreadLineFragment): string {
  switch (line.content.__typename) {
    case "TextContent":
    case "NoteContent":
    case "EventContent":
    case "ActionContent":
    case "ComponentContent":
    case "AnswerContent":
      return line.content.text;
    case "MediaContent":
      return `${line.content.text} (${line.content.files.map((file) => file.contentType).join(", ")})`;
    default:
      return "This cannot be shown yet.";
  }
}

test("the documents fit the schema and ask for all of it", () => {
  const schema = buildSchema(readFileSync("../schema.graphql", "utf8"));
  const files = readdirSync("documents").filter((name) => name.endsWith(".graphql"));
  const document = parse(files.map((name) => readFileSync(`documents/${name}`, "utf8")).join("\n"));
  assert.deepEqual(validate(schema, document), []);

  const asked = new Set<string>();
  const info = new TypeInfo(schema);
  visit(document, visitWithTypeInfo(info, {
    Field: () => void asked.add(`${info.getParentType()!.name}.${info.getFieldDef()!.name}`),
    Argument: () => {
      const field = info.getFieldDef();
      if (info.getParentType() && field) asked.add(`${info.getParentType()!.name}.${field.name}(${info.getArgument()!.name})`);
    },
  }));
  const whole = Object.values(schema.getTypeMap())
    .filter((type) => (isObjectType(type) || isInterfaceType(type)) && !type.name.startsWith("__"))
    .flatMap((type) => Object.values((type as import("graphql").GraphQLObjectType).getFields())
      .flatMap((field) => [field, ...field.args.map((argument) => ({ name: `${field.name}(${argument.name})` }))])
      .map(({ name }) => `${type.name}.${name}`));
  const missing = whole.filter((path) => !asked.has(path));
  assert.deepEqual(missing, [], "new in the schema: ask for it in clients/documents");
});

test("pages run forward and backward", async () => {
  const first = await inbox();
  assert.equal(first.edges.length, 2);
  assert.equal(first.pageInfo.hasNextPage, true);
  const view = { kind: "MY_INBOX" } as const;
  const second = (await ask(InboxDocument, { view, first: 2, after: first.pageInfo.endCursor })).conversations;
  const back = (await ask(InboxDocument, { view, last: 2, before: second.pageInfo.startCursor })).conversations;
  assert.deepEqual(back.edges.map(({ node }) => node), first.edges.map(({ node }) => node));
});

test("a thread, a note, a send and its repetition", async () => {
  const { id } = (await inbox()).edges[0]!.node;
  const note = await ask(AddNoteDocument, { input: { conversationId: id, text: "Called back.", idempotencyKey: newKey() } });
  assert.deepEqual(note.addNote.errors, []);

  const input = { conversationId: id, text: "On its way!", idempotencyKey: newKey(), confirmForOwner: false, upToMessageId: note.addNote.message!.id };
  const sent = await ask(SendDocument, { input });
  const again = await ask(SendDocument, { input });
  assert.deepEqual(sent.sendMessage.errors, []);
  assert.equal(again.sendMessage.message?.id, sent.sendMessage.message?.id, "sent once");

  const thread = (await ask(ThreadDocument, { id, last: 2, draft: "…" })).conversation!;
  assert.deepEqual(thread.messages.edges.map(({ node }) => says(node)), ["Called back.", "On its way!"]);
  assert.equal(thread.sendability.canSend, true);
  assert.equal(thread.sendability.segments?.encoding, "UCS_2");
  assert.equal(thread.lastMessage?.id, sent.sendMessage.message?.id);

  const fetched = (await ask(MessageDocument, { id: sent.sendMessage.message!.id })).node;
  assert.ok(fetched?.__typename === "Message");
  assert.equal(fetched.conversation.id, id);
});

test("what can be acted on is in the payload", async () => {
  const { id } = (await inbox()).edges[0]!.node;
  const refused = (await ask(SendDocument, { input: { conversationId: id, text: "", idempotencyKey: newKey(), confirmForOwner: false } })).sendMessage;
  assert.equal(refused.message, null);
  assert.equal(refused.errors[0]?.code, "SEND_REFUSED");
  assert.equal(refused.refusals[0]?.code, "TEXT_EMPTY");

  const marked = (await ask(MarkReadDocument, { input: { conversations: [{ id }, { id: "cnv_0" }], confirmForOwner: false } })).markConversationsRead;
  assert.deepEqual(marked.results.map((r) => r.error?.code), [undefined, "NOT_FOUND"]);
  assert.equal(marked.results[0]?.conversation?.newCount, 0);
  const unmarked = (await ask(MarkUnreadDocument, { input: { ids: [id], confirmForOwner: false } })).markConversationsUnread;
  assert.equal(unmarked.results[0]?.conversation?.isUnread, true);

  await assert.rejects(ask(ThreadDocument, { id: "cnv_0" }), (e) => e instanceof RequestError && e.errors[0]?.extensions.code === "NOT_FOUND");
});

test("start, fail, retry and assign", async () => {
  const me = (await ask(MeDocument, {})).viewer;
  const directory = await ask(DirectoryDocument, {});
  const channel = me.channels.find(({ address }) => address === amyDirect)!;
  const started = (await ask(StartDocument, {
    input: { channelId: channel.id, number: "(202) 555-0142", text: "Hello #reject=2001", idempotencyKey: newKey() },
  })).startConversation;
  assert.deepEqual(started.errors, []);
  const { id } = started.message!;
  const line = async () => (await ask(MessageDocument, { id })).node as ThreadLineFragment;
  await eventually("the carrier refused it", async () => (await line()).status === "FAILED");
  assert.equal((await line()).error?.code, "2001");
  const retried = (await ask(RetryDocument, { input: { messageId: id, idempotencyKey: newKey() } })).retryMessage;
  assert.equal(retried.message?.attempts.length, 2);

  const bo = directory.agents.find(({ username }) => username === "bo")!;
  const assigned = (await ask(AssignDocument, { input: { conversations: [{ id: started.conversation!.id, expectedOwner: me.agent.id }], agentId: bo.id } })).assignConversations;
  assert.equal(assigned.results[0]?.conversation?.owner?.name, "Bo Berg");
  const typing = (await ask(TypingDocument, { input: { conversationId: (await inbox()).edges[0]!.node.id, isTyping: true } })).setTyping;
  assert.deepEqual(typing.errors, []);
});

test("a record's page, and the inboxes with their counts", async () => {
  const { inboxes } = (await ask(MeDocument, {})).viewer;
  const mine = inboxes.nodes.find(({ kind }) => kind === "MY_INBOX")!;
  assert.equal(mine.counts.total, (await inbox()).totalCount);

  const rows = (await ask(InboxDocument, { view: { kind: "ALL" }, first: 100 })).conversations.edges;
  const threads = await Promise.all(rows.slice(0, 20).map(({ node }) => ask(ThreadDocument, { id: node.id, last: 1 })));
  const { objectType, externalId, id } = threads.map((t) => t.conversation!.record).find((record) => record != null)!;
  const page = (await ask(RecordPageDocument, { objectType, externalId, first: 10 })).record!;
  assert.equal(page.id, id);
  assert.ok(page.conversations.nodes.length > 0);
});
