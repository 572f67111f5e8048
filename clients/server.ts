// A Parley of the test's own: the real program on a SQLite file with demo data,
// at a free port of this machine.
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import WebSocket from "ws";
import type { Server } from "./parley/server";

const program = process.env.PARLEY ?? "../bin/parley";
const run = promisify(execFile);

/** Sender IDs of the demo organisation. */
export const amyDirect = "+12025550101"; // amy's alone: what comes in is hers
export const sales = "+12025550100"; // shared by amy and bo

export class Parley {
  /** Where the server is, such as http://127.0.0.1:40123. */
  url = "";
  private process?: ChildProcess;
  private constructor(private readonly folder: string) {}

  static async start(): Promise<Parley> {
    const parley = new Parley(await mkdtemp(join(tmpdir(), "parley-clients-")));
    await parley.serve("127.0.0.1:0");
    return parley;
  }

  get endpoint(): string {
    return `${this.url}/graphql`;
  }

  get socketEndpoint(): string {
    return this.endpoint.replace("http", "ws");
  }

  /** What a sample is told: where the server is, and tokens of an agent. */
  async as(agent: string): Promise<Server> {
    let token = await this.token(agent);
    return {
      url: this.endpoint,
      token: async (fresh) => (fresh ? (token = await this.token(agent)) : token),
      webSocketImpl: WebSocket,
    };
  }

  /** A token of an agent. */
  async token(agent: string, ttl = "1h"): Promise<string> {
    const { stdout } = await run(program, ["token", agent, "--ttl", ttl, ...this.database]);
    return stdout.trim();
  }

  /** Plays a customer who writes to a sender ID. */
  async say(text: string, { from = "+12025550199", to = amyDirect } = {}): Promise<void> {
    await run(program, ["sandbox", "say", ...this.database, "--url", this.url, "--from", from, "--to", to, text]);
  }

  /** Stops the server as an operator does, and starts it again at the same address. */
  async restart(): Promise<void> {
    await this.end();
    await this.serve(new URL(this.url).host);
  }

  async stop(): Promise<void> {
    await this.end();
    await rm(this.folder, { recursive: true });
  }

  private get database(): string[] {
    return ["--database", join(this.folder, "parley.db")];
  }

  private async serve(address: string): Promise<void> {
    const child = spawn(program, ["serve", "--create", "--demo", "--sends", "0", "--starts", "0", "--bulks", "0", "--addr", address, ...this.database]);
    this.process = child;
    let log = "";
    child.stderr.on("data", (text) => (log += text));
    this.url = await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code) => reject(new Error(`parley ended with ${code}:\n${log}`)));
      let greeting = "";
      child.stdout.on("data", (text) => {
        greeting += text;
        const found = /GraphQL +(http:\S+)\/graphql[^]*Ctrl\+C/.exec(greeting);
        if (found) resolve(found[1]!);
      });
    });
    await eventually("the server is ready", async () => (await fetch(`${this.url}/readyz`)).ok);
  }

  private async end(): Promise<void> {
    const child = this.process!;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }
}

/** Waits until the check holds, for at most 20 seconds. */
export async function eventually(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; !(await check()); ) {
    assert.ok(Date.now() < end, `in vain waited until: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
