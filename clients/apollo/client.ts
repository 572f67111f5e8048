// Apollo Client for Parley: what a frontend sets up once.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { relayStylePagination } from "@apollo/client/utilities";
import { OperationTypeNode } from "graphql";
import { authorized } from "../parley/authorized";
import { resuming } from "../parley/resuming";
import type { Server } from "../parley/server";

export function apollo({ url, token, webSocketImpl }: Server): ApolloClient {
  const http = new HttpLink({ uri: url, fetch: authorized(token) });
  const socket = new GraphQLWsLink(resuming({ url: url.replace(/^http/, "ws"), token, webSocketImpl }));
  return new ApolloClient({
    link: ApolloLink.split(({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION, socket, http),
    cache: new InMemoryCache({
      possibleTypes: {
        MessageContent: ["TextContent", "MediaContent", "NoteContent", "EventContent", "ActionContent"],
        ConversationChange: ["MessageAdded", "MessageStatusChanged", "MessageChanged", "ConversationUpdated", "Reset"],
      },
      typePolicies: {
        Query: { fields: { conversations: relayStylePagination(["view", "filterBy", "orderBy"]) } },
        Conversation: { fields: { messages: relayStylePagination([]) } },
        Record: { fields: { conversations: relayStylePagination([]) } },
        Viewer: { keyFields: [] }, // there is one
        Subscription: { fields: { conversationChanged: { merge: false }, conversationsChanged: { merge: false } } }, // each frame by itself
      },
    }),
  });
}
