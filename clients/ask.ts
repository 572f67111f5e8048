// GraphQL by fetch alone, typed by the document: data, or an exception.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";
import type { Parley } from "./server";

/** The top-level errors of an answer. What a person can act on is not here, but in the payload's `errors`. */
export class RequestError extends Error {
  constructor(readonly errors: readonly TopLevelError[]) {
    super(errors.map((e) => `${e.extensions.code}: ${e.message}`).join("\n"));
  }
}

export type TopLevelError = { message: string; extensions: { code: string; requestId?: string; retryAfter?: number } };

export type Ask = <R, V>(document: TypedDocumentNode<R, V>, variables: V) => Promise<R>;

/** Returns a function that runs queries and mutations as the holder of the token. */
export function asks(parley: Parley, token: string): Ask {
  return async (document, variables) => {
    const response = await fetch(parley.endpoint, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: print(document), variables }),
    });
    const { data, errors } = (await response.json()) as { data: never; errors?: TopLevelError[] };
    if (errors) throw new RequestError(errors);
    return data;
  };
}
