// GraphQL by fetch alone: data, or an exception.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";
import { authorized } from "../parley/authorized";
import type { Server } from "../parley/server";

/** The top-level errors of an answer. What a person can act on is not here, but in the payload's `errors`. */
export class RequestError extends Error {
  readonly errors: readonly TopLevelError[];

  constructor(errors: readonly TopLevelError[]) {
    super(errors.map((e) => `${e.extensions.code}: ${e.message}`).join("\n"));
    this.errors = errors;
  }
}

export type TopLevelError = { message: string; extensions: { code: string; requestId?: string; retryAfter?: number } };

export type Ask = <R, V>(document: TypedDocumentNode<R, V> | string, variables: V) => Promise<R>;

/** Returns a function that runs queries and mutations. A document that graphql-codegen made knows its types. */
export function asks({ url, token }: Server): Ask {
  const post = authorized(token);
  return async (document, variables) => {
    const response = await post(url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ query: typeof document === "string" ? document : print(document), variables }),
    });
    const { data, errors } = (await response.json()) as { data: never; errors?: TopLevelError[] };
    if (errors) throw new RequestError(errors);
    return data;
  };
}
