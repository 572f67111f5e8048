// Each sample in an empty project: its folder and parley/ are copied, the packages that README.md names are there, and
// it is compiled strictly and run.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Parley } from "../server";

const run = promisify(execFile);
let parley: Parley;

before(async () => {
  parley = await Parley.start();
});
after(() => parley.stop());

const compilerOptions = {
  strict: true, noUncheckedIndexedAccess: true, erasableSyntaxOnly: true, target: "es2022", lib: ["es2023", "dom"], module: "commonjs", moduleResolution: "bundler",
  esModuleInterop: true, skipLibCheck: true, jsx: "react-jsx", types: [], outDir: "out", rootDir: ".",
};

/** A few lines around a sample: they print the first rows of the inbox, then what comes in. */
const start = `
import WebSocket from "ws";
const server = { url: process.argv[2]!, token: () => process.argv[3]!, webSocketImpl: WebSocket };
const say = (name: string, what: unknown) => console.log(name + " " + JSON.stringify(what));
const fail = (error: unknown) => { console.log(error); process.exit(1); };
declare const process: { argv: string[]; exit(code: number): never; on(signal: string, listener: () => void): void };
`;

const mains: Record<string, string> = {
  plain: `
import { LiveInbox } from "./plain/inbox";
const live = new LiveInbox(server, { view: { kind: "MY_INBOX" }, first: 2 }, () => say("list", live.list!.edges.map(({ node }) => node.preview)), fail);
live.open().then(() => live.more()).then(() => say("ready", 0), fail);`,
  apollo: `
import { gql } from "@apollo/client";
import { apollo } from "./apollo/client";
import { inbox, type Inbox, watchInbox, type WatchInbox } from "./parley/inbox";
const client = apollo(server);
const view = { kind: "MY_INBOX" };
client.query<Inbox>({ query: gql(inbox), variables: { view, first: 4 } }).then(({ data }) => {
  const { edges, feedCursor } = data!.conversations;
  say("list", edges.map(({ node }) => node.preview));
  client.subscribe<WatchInbox>({ query: gql(watchInbox), variables: { view, after: feedCursor } })
    .subscribe(({ data }) => say("list", [data!.conversationsChanged.edge?.node.preview]));
  say("ready", 0);
}, fail);`,
  urql: `
import { urql } from "./urql/client";
import { inbox, type Inbox, watchInbox } from "./parley/inbox";
const client = urql(server);
const view = { kind: "MY_INBOX" };
client.query<Inbox>(inbox, { view, first: 4 }).subscribe(({ data, error }) => {
  if (error) fail(error);
  say("list", data!.conversations.edges.map(({ node }) => node.preview));
});
client.query<Inbox>(inbox, { view, first: 4 }).then(({ data }) => {
  client.subscription(watchInbox, { view, after: data!.conversations.feedCursor }).subscribe(() => {});
  say("ready", 0);
});`,
  "graphql-sse": `
import { resuming } from "./graphql-sse/resuming";
import { watchInbox, type WatchInbox } from "./parley/inbox";
resuming(server).subscribe<WatchInbox>({ query: watchInbox, variables: { view: { kind: "MY_INBOX" } } }, {
  next({ data }) {
    say("list", ["", "", "", data!.conversationsChanged.edge?.node.preview]);
    say("ready", 0);
  },
  error: fail,
  complete() {},
});`,
  react: `
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { apollo } from "./apollo/client";
import { Desk } from "./react/desk";
say("list", ["", "", "", renderToString(createElement(Desk, { client: apollo(server) }))]);
say("ready", 0);`,
};

/** The packages that README.md says a sample needs. */
async function packagesOf(sample: string): Promise<string[]> {
  const line = (await readFile("README.md", "utf8")).split("\n").find((line) => line.startsWith(`| \`${sample}/\``))!;
  return /`npm install ([^`]*)`/.exec(line)![1]!.split(" ");
}

async function project(sample: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "parley-sample-"));
  const packages = [...(await packagesOf(sample)), "ws", "@types/ws", "@types/node", "@types/react", "@types/react-dom"];
  for (const name of packages) {
    await mkdir(join(folder, "node_modules", dirname(name)), { recursive: true });
    await symlink(resolve("node_modules", name), join(folder, "node_modules", name));
  }
  const folders = sample === "react" ? ["parley", "apollo", "react"] : ["parley", sample];
  for (const name of folders) {
    await cp(name, join(folder, name), { recursive: true, filter: (file) => !/\.test\.tsx?$/.test(file) });
  }
  await writeFile(join(folder, "main.ts"), start + mains[sample]);
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["main.ts", ...folders] }));
  return folder;
}

for (const sample of Object.keys(mains)) {
  test(`${sample} runs when it is copied`, async () => {
    const folder = await project(sample);
    await run(resolve("node_modules/.bin/tsc"), ["-p", "."], { cwd: folder }).catch(({ stdout }) => assert.fail(stdout));
    const child = execFile(process.execPath, ["out/main.js", parley.endpoint, await parley.token("amy")], { cwd: folder });
    let said = "";
    const until = (what: RegExp) => new Promise<void>((done, failed) => {
      const look = () => what.test(said) && done();
      child.stdout!.on("data", (text) => ((said += text), look()));
      child.stderr!.on("data", (text) => (said += text));
      child.on("exit", () => (look(), failed(new Error(`it ended before ${what}:\n${said}`))));
      look();
    });
    await until(/^ready/m);
    assert.match(said, /list \[.*,.*,.*,.*\]/, "it shows four rows");
    if (sample !== "react") {
      await parley.say(`Live to ${sample}`, { from: "+12025550180" });
      await until(new RegExp(`list .*Live to ${sample}`));
    }
    child.kill();
    await rm(folder, { recursive: true });
  });
}
