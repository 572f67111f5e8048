// Subscriptions over Server-Sent Events that go on where they stopped.
import { type Client, type ClientOptions, createClient, type ExecutionResult, NetworkError, type RequestParams, type Sink } from "graphql-sse";
import type { Token } from "../parley/authorized";
import { Pace } from "../parley/pace";

export type ResumingOptions = Omit<ClientOptions<false>, "url" | "headers" | "retryAttempts" | "retry"> & {
  /** Where the server is, such as http://127.0.0.1:8080/graphql. */
  url: string;
  /** Asked anew at each connection. */
  token: Token;
};

/** What a try of a stream ended with: the token was refused or ran out, it was lost (and waits for so many milliseconds), or it is over. */
type End = { why: "refused" | "over" } | { why: "lost"; wait: number };

type Event = { cursor?: string } | null;

/**
 * graphql-sse by itself repeats the first cursor when it reconnects, takes the end of a stream for the end, and repeats a
 * refused token for ever. This client repeats the last cursor that was handled, and subscribes again after a loss and an
 * end that passes, as Pace says. For that a subscription declares `$after: Cursor`, passes it as `after`, and asks for
 * `cursor`. After two refused tokens in a row it ends with the last refusal: sign in anew.
 */
export function resuming({ url, token, ...options }: ResumingOptions): Pick<Client, "subscribe"> {
  let fresh = false;
  const headers = async () => {
    try {
      return { Authorization: `Bearer ${await token(fresh)}` };
    } catch (error) {
      throw new NetworkError(error as Error); // it may be had later
    }
  };
  const client = createClient({ ...options, url, headers, retryAttempts: 0 });
  return {
    subscribe<Data = Record<string, unknown>, Extensions = unknown>(
      request: RequestParams,
      sink: Sink<ExecutionResult<Data, Extensions>>,
    ) {
      const again: RequestParams = { ...request, variables: { ...request.variables } };
      const pace = new Pace();
      let stopped = false;
      let stop = () => {};
      const start = async () => {
        await pace.turn();
        if (stopped) return;
        let last = () => sink.complete(); // how to end, when this is the end
        let end: End = { why: "over" };
        const go = () => {
          if (stopped) return sink.complete();
          fresh = end.why === "refused";
          if (end.why === "over" || (end.why === "refused" && pace.refused())) return last();
          if (end.why === "lost") pace.lost(end.wait);
          void start();
        };
        stop = client.subscribe<Data, Extensions>(again, {
          next(result) {
            end = endOf(result);
            if (end.why !== "over") {
              last = () => (sink.next(result), sink.complete());
              return;
            }
            sink.next(result);
            const [event] = Object.values(result.data ?? {}) as Event[];
            if (event?.cursor) again.variables!["after"] = event.cursor;
          },
          error(error) {
            end = whyFailed(error);
            last = () => sink.error(error);
            go();
          },
          complete: go,
        });
      };
      void start();
      return () => {
        stopped = true;
        stop();
      };
    },
  };
}

/** Whether a result ends its stream, which can go on. */
function endOf({ data, errors }: ExecutionResult<unknown, unknown>): End {
  const why = errors?.[0]?.extensions;
  if (data || !why) return { why: "over" };
  if (why["code"] === "UNAUTHENTICATED") return { why: "refused" };
  return why["code"] === "UNAVAILABLE" ? { why: "lost", wait: Number(why["retryAfter"] ?? 0) * 1000 } : { why: "over" };
}

/** What another try can mend: no answer, and the answers 401, 408, 429 and 5xx. */
function whyFailed(error: unknown): End {
  if (!(error instanceof NetworkError)) return { why: "over" };
  const response = error.response as Response | undefined;
  const status = response?.status;
  if (status === 401) return { why: "refused" };
  if (status && status < 500 && status !== 408 && status !== 429) return { why: "over" };
  return { why: "lost", wait: Number(response?.headers.get("Retry-After") ?? 0) * 1000 };
}
