// A live list of conversations without a GraphQL client: fetch, graphql-ws and a fold.
import type { Client } from "graphql-ws";
import { fold } from "../parley/fold";
import { type Inbox, type InboxVariables, inbox, type WatchInbox, watchInbox } from "../parley/inbox";
import { resuming } from "../parley/resuming";
import type { Server } from "../parley/server";
import { type Ask, asks } from "./ask";

/** A list, page by page, and what changes in it meanwhile. */
export class LiveInbox {
  /** What to show; another object after each change. */
  list?: Inbox["conversations"];

  private readonly ask: Ask;
  private readonly socket: Client;
  private stopWatching = () => {};

  private readonly variables: Omit<InboxVariables, "after">;
  private readonly changed: () => void;
  private readonly failed: (error: unknown) => void;

  constructor(server: Server, variables: Omit<InboxVariables, "after">, changed: () => void, failed: (error: unknown) => void) {
    this.variables = variables;
    this.changed = changed;
    this.failed = failed;
    this.ask = asks(server);
    this.socket = resuming({ url: server.url.replace(/^http/, "ws"), token: server.token, webSocketImpl: server.webSocketImpl });
  }

  /** Loads the first page and follows the list from there. */
  async open(): Promise<void> {
    this.stopWatching();
    const { conversations } = await this.ask<Inbox, InboxVariables>(inbox, this.variables);
    this.show(conversations);
    this.watch(conversations.feedCursor);
  }

  /** Loads the next page. */
  async more(): Promise<void> {
    const before = this.list!;
    if (!before.pageInfo.hasNextPage) return;
    const { conversations: page } = await this.ask<Inbox, InboxVariables>(inbox, { ...this.variables, after: before.pageInfo.endCursor });
    if (this.list!.pageInfo.endCursor !== before.pageInfo.endCursor) return this.more(); // it ends elsewhere by now
    const shown = new Set(this.list!.edges.map(({ node }) => node.id));
    this.show({ ...this.list!, edges: [...this.list!.edges, ...page.edges.filter(({ node }) => !shown.has(node.id))], pageInfo: page.pageInfo });
  }

  /** Ends the stream and the socket. */
  async close(): Promise<void> {
    this.stopWatching();
    await this.socket.dispose();
  }

  private watch(after: string) {
    const { view, filterBy } = this.variables;
    this.stopWatching = this.socket.subscribe<WatchInbox>(
      { query: watchInbox, variables: { view, filterBy, after } },
      {
        next: ({ data }) => {
          if (data!.conversationsChanged.kind === "RESET") void this.open().catch(this.failed);
          else this.show(fold(this.list!, data!.conversationsChanged));
        },
        error: (error) => {
          if (codeOf(error) === "RESYNC_REQUIRED") void this.open().catch(this.failed);
          else this.failed(error); // two refused tokens: sign in, and open again
        },
        complete() {},
      },
    );
  }

  private show(list: Inbox["conversations"]) {
    this.list = list;
    this.changed();
  }
}

const codeOf = (error: unknown) => (Array.isArray(error) ? (error[0]?.extensions?.code as string) : undefined);
