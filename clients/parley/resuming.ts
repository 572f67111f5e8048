// Subscriptions over WebSocket that go on where they stopped, under any GraphQL
// client that takes a graphql-ws client: graphql-ws alone, Apollo, urql and Relay.
import { type Client, type ClientOptions, createClient, type SubscribePayload } from "graphql-ws";
import type { Token } from "./authorized";
import { Pace } from "./pace";

/** The server's close codes for a token that ran out, and one that it refuses. */
const refusals: unknown[] = [4401, 4403];

/** Its code for a failure of its own, which graphql-ws takes for the end. */
const serverError = 1011;

export type ResumingOptions = Omit<ClientOptions, "url" | "connectionParams"> & {
  /** Where the server is, such as ws://127.0.0.1:8080/graphql. */
  url: string;
  /** Asked anew at each connection. */
  token: Token;
};

/**
 * graphql-ws by itself repeats the first cursor when it reconnects, takes an expired token for the end, and repeats a
 * refused one for ever. This client repeats the last cursor that was handled: a subscription declares `$after: Cursor`,
 * passes it as `after`, and asks for `cursor`. It connects again after every loss, as Pace says, and with a fresh token
 * when the last one ran out or was refused. After two of these in a row each subscription ends, by `error` with the
 * CloseEvent, whose `reason` says why: sign in anew, and subscribe from the last cursor.
 */
export function resuming({ url, token, on, ...options }: ResumingOptions): Client {
  const pace = new Pace();
  const ends = new WeakSet<object>(); // the closings after which nothing is tried any more
  let fresh = false; // the last token was refused
  const client = createClient({
    lazyCloseTimeout: 3000, // a page that is changed keeps its socket
    retryWait: () => pace.wait(),
    ...options,
    url: async () => {
      await pace.turn();
      return url;
    },
    connectionParams: async () => ({ Authorization: `Bearer ${await token(fresh)}` }),
    retryAttempts: Infinity,
    shouldRetry: (event) => !refused(event),
    on: {
      ...on,
      closed(event) {
        fresh = refused(event);
        if (fresh) {
          if (pace.refused()) ends.add(event as object);
        } else if (codeOf(event) !== 1000) pace.lost();
        on?.closed?.(event);
      },
    },
  });
  return {
    ...client,
    subscribe(payload, sink) {
      const request: SubscribePayload = { ...payload, variables: { ...payload.variables } };
      let stopped = false;
      let stop = () => {};
      const start = () => {
        stop = client.subscribe(request, {
          ...sink,
          next(result) {
            sink.next(result as never);
            const [event] = Object.values(result.data ?? {}) as ({ cursor?: string } | null)[];
            if (event?.cursor) request.variables!.after = event.cursor;
          },
          error(error) {
            const again = codeOf(error) === serverError || (refused(error) && !ends.has(error as object));
            if (!again) sink.error(error);
            else if (!stopped) start();
          },
        });
      };
      start();
      return () => {
        stopped = true;
        stop();
      };
    },
  };
}

const codeOf = (event: unknown) => (event as { code?: number } | null)?.code;
const refused = (event: unknown) => refusals.includes(codeOf(event));
