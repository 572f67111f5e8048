// Subscriptions that go on where they stopped, under any GraphQL client that
// takes a graphql-ws client: graphql-ws alone, Apollo, urql and Relay.
import type { Client, SubscribePayload } from "graphql-ws";

/** The server's close code for a socket whose token ran out. */
const tokenExpired = 4401;

/**
 * graphql-ws by itself repeats the first cursor when it reconnects. This client
 * repeats the last one that was handled. For that a subscription declares
 * `$after: Cursor`, passes it as `after`, and asks for `cursor`. When the token
 * runs out, which graphql-ws takes for the end, it connects anew; connectionParams
 * is to be a function then, that gets a fresh token.
 */
export function resuming(client: Client): Client {
  return {
    ...client,
    subscribe(payload, sink) {
      const again: SubscribePayload = { ...payload, variables: { ...payload.variables } };
      let stop = () => {};
      const start = () => {
        stop = client.subscribe(again, {
          ...sink,
          next(result) {
            sink.next(result as never);
            const [event] = Object.values(result.data ?? {}) as ({ cursor?: string } | null)[];
            if (event?.cursor) again.variables!.after = event.cursor;
          },
          error(error) {
            if ((error as { code?: number }).code === tokenExpired) start();
            else sink.error(error);
          },
        });
      };
      start();
      return () => stop();
    },
  };
}
