// A subscription that goes on where it stopped, whatever happened to the socket.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";
import type { Client } from "graphql-ws";

/**
 * Subscribes from the cursor `variables.after`. `next` handles an event and
 * returns its cursor, from which a reconnection goes on. `end` gets the error
 * that ended the stream; on RESYNC_REQUIRED run the query again and follow anew.
 * Returns the function that stops it.
 */
export function follow<R extends Record<string, unknown>, V extends { after?: string | null }>(
  client: Client,
  document: TypedDocumentNode<R, V>,
  variables: V,
  next: (data: R) => string,
  end: (error: unknown) => void,
): () => void {
  // graphql-ws sends this very object again when it reconnects, so the cursor
  // is kept inside.
  const payload = { query: print(document), variables: { ...variables } };
  return client.subscribe<R>(payload, {
    next({ data, errors }) {
      if (data) payload.variables.after = next(data);
      else end(errors);
    },
    error: end,
    complete() {},
  });
}
