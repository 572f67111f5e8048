// urql with its normalised cache for Parley: what a frontend sets up once.
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { cacheExchange, type KeyingConfig } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { buildSchema, introspectionFromSchema, isObjectType } from "graphql";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { resuming } from "../graphql-ws/resuming";
import { InboxDocument, type InboxQueryVariables, type WatchInboxSubscription } from "../documents/__generated__/graphql";
import { fold } from "../documents/fold";
import type { Parley } from "../server";

// A frontend has its build make both of these from the schema.
const schema = buildSchema(readFileSync("../schema.graphql", "utf8"));
const withoutId: KeyingConfig = Object.fromEntries(
  Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) && !type.getFields().id)
    .map((type) => [type.name, () => null]), // a part of the object around it
);

export function urql(parley: Parley, token: string): Client {
  const socket = resuming(createClient({
    url: parley.socketEndpoint,
    webSocketImpl: WebSocket, // a browser has its own
    retryAttempts: Infinity,
    connectionParams: { Authorization: `Bearer ${token}` },
  }));
  return new Client({
    url: parley.endpoint,
    preferGetMethod: false,
    fetchOptions: { headers: { Authorization: `Bearer ${token}` } },
    exchanges: [
      cacheExchange({
        schema: introspectionFromSchema(schema),
        keys: withoutId,
        resolvers: {
          Query: { conversations: relayPagination() },
          Conversation: { messages: relayPagination() },
          Record: { conversations: relayPagination() },
        },
        updates: {
          Subscription: {
            conversationsChanged({ conversationsChanged: change }: WatchInboxSubscription, { view, filterBy }, cache) {
              for (const { fieldName, arguments: shown } of cache.inspectFields("Query")) {
                if (fieldName !== "conversations" || !isDeepStrictEqual([shown!.view, shown!.filterBy], [view, filterBy])) continue;
                const variables = shown as InboxQueryVariables;
                cache.updateQuery({ query: InboxDocument, variables }, (list) => list && fold(list, change));
              }
            },
          },
        },
      }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query, variables }) => ({
          subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query: query!, variables }, sink) }),
        }),
      }),
    ],
  });
}
