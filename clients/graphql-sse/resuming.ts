// Subscriptions over Server-Sent Events that go on where they stopped.
import type { Client, ExecutionResult, RequestParams, Sink } from "graphql-sse";

/** What ends a stream that can go on: the token ran out, the server stops. */
const passing = new Set<unknown>(["UNAUTHENTICATED", "UNAVAILABLE"]);

type Event = { cursor?: string } | null;

/**
 * graphql-sse by itself repeats the first cursor when it reconnects, and takes the end of a stream for the end. This
 * client repeats the last cursor that was handled, and subscribes again after an end that passes. For that a subscription
 * declares `$after: Cursor`, passes it as `after`, and asks for `cursor`. Its `headers` are to be a function that gets a
 * fresh token.
 */
export function resuming(client: Client): Pick<Client, "subscribe"> {
  return {
    subscribe<Data = Record<string, unknown>, Extensions = unknown>(
      request: RequestParams,
      sink: Sink<ExecutionResult<Data, Extensions>>,
    ) {
      const again: RequestParams = { ...request, variables: { ...request.variables } };
      let stopped = false;
      let stop = () => {};
      const start = () => {
        let wait: number | undefined; // seconds until the next try, when there is to be one
        stop = client.subscribe<Data, Extensions>(again, {
          next(result) {
            const why = result.errors?.[0]?.extensions;
            if (!result.data && passing.has(why?.["code"])) {
              wait = Number(why?.["retryAfter"] ?? 0);
              return;
            }
            sink.next(result);
            const [event] = Object.values(result.data ?? {}) as Event[];
            if (event?.cursor) again.variables!["after"] = event.cursor;
          },
          error: (error) => sink.error(error),
          complete() {
            if (wait === undefined) sink.complete();
            else if (!stopped) setTimeout(() => stopped || start(), wait * 1000);
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
