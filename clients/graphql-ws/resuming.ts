// Subscriptions that go on where they stopped, under any GraphQL client that
// takes a graphql-ws client: graphql-ws alone, Apollo, urql and Relay.
import type { Client, SubscribePayload } from "graphql-ws";

/**
 * graphql-ws by itself repeats the first cursor when it reconnects. This client
 * repeats the last one that was handled. For that a subscription declares
 * `$after: Cursor`, passes it as `after`, and asks for `cursor`.
 */
export function resuming(client: Client): Client {
  return {
    ...client,
    subscribe(payload, sink) {
      const again: SubscribePayload = { ...payload, variables: { ...payload.variables } };
      return client.subscribe(again, {
        ...sink,
        next(result) {
          sink.next(result as never);
          const [event] = Object.values(result.data ?? {}) as ({ cursor?: string } | null)[];
          if (event?.cursor) again.variables!.after = event.cursor;
        },
      });
    },
  };
}
