// Apollo Client for Parley: what a frontend sets up once.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { relayStylePagination } from "@apollo/client/utilities";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { resuming } from "../graphql-ws/resuming";
import type { Parley } from "../server";

export function apollo(parley: Parley, token: string): ApolloClient {
  const http = new HttpLink({ uri: parley.endpoint, headers: { Authorization: `Bearer ${token}` } });
  const socket = new GraphQLWsLink(resuming(createClient({
    url: parley.socketEndpoint,
    webSocketImpl: WebSocket, // a browser has its own
    retryAttempts: Infinity,
    connectionParams: { Authorization: `Bearer ${token}` },
  })));
  return new ApolloClient({
    link: ApolloLink.split(({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION, socket, http),
    cache: new InMemoryCache({
      typePolicies: {
        Query: { fields: { conversations: relayStylePagination(["view", "filterBy", "orderBy"]) } },
        Conversation: { fields: { messages: relayStylePagination([]) } },
        Record: { fields: { conversations: relayStylePagination([]) } },
        Viewer: { keyFields: [] }, // there is one
      },
    }),
  });
}
