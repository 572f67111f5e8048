// What every client is told of a Parley.
import type { Token } from "./authorized";

export type Server = {
  /** Such as http://127.0.0.1:8080/graphql; the WebSocket is at the same address. */
  url: string;
  token: Token;
  /** For Node before 22; a browser has its own. */
  webSocketImpl?: unknown;
};
