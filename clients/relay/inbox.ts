// A page of conversations that grows, is refetched, and is kept true by its stream.
import { graphql, type RecordSourceSelectorProxy } from "relay-runtime";
import type { inboxSubscription$data } from "./__generated__/inboxSubscription.graphql";

export const inboxQuery = graphql`
  query inboxQuery($first: Int!, $view: ConversationView!) {
    ...inbox_list @arguments(first: $first, view: $view)
  }
`;

export const inboxList = graphql`
  fragment inbox_list on Query
  @refetchable(queryName: "inboxPageQuery")
  @argumentDefinitions(
    first: { type: "Int", defaultValue: 20 }
    after: { type: "String" }
    view: { type: "ConversationView!" }
    filterBy: { type: "ConversationFilter" }
  ) {
    conversations(view: $view, filterBy: $filterBy, first: $first, after: $after) @connection(key: "inbox_conversations") {
      __id
      feedCursor
      totalCount
      edges {
        node {
          id
          lastMessageAt
          ...inbox_row @relay(mask: false)
        }
      }
    }
  }
`;

graphql`
  fragment inbox_row on Conversation {
    name
    preview
    isUnread
    newCount
    messageCount
    owner {
      name
    }
  }
`;

export const watchInbox = graphql`
  subscription inboxSubscription($view: ConversationView!, $filterBy: ConversationFilter, $after: Cursor) {
    conversationsChanged(view: $view, filterBy: $filterBy, after: $after) {
      kind
      cursor
      conversationId
      counts {
        total
      }
      edge {
        cursor
        node {
          id
          lastMessageAt
          ...inbox_row @relay(mask: false)
        }
      }
    }
  }
`;

/** Folds an event into the connection of the id: newest first, as the server sorts. */
export function foldInbox(connectionId: string) {
  return (store: RecordSourceSelectorProxy<inboxSubscription$data>) => {
    const change = store.getRootField("conversationsChanged");
    const list = store.get(connectionId);
    if (!change || !list || change.getValue("kind") === "OPEN" || change.getValue("kind") === "RESET") return;
    const node = (edge: ReturnType<typeof list.getLinkedRecord>) => edge?.getLinkedRecord("node");
    const edges = (list.getLinkedRecords("edges") ?? []).filter((edge) => node(edge)?.getDataID() !== change.getValue("conversationId"));
    const edge = change.getLinkedRecord("edge");
    if (edge) {
      const own = store.create(`${connectionId}:${change.getValue("cursor")}`, "ConversationEdge");
      own.copyFieldsFrom(edge);
      edges.push(own);
    }
    const time = (edge: (typeof edges)[number]) => String(node(edge)?.getValue("lastMessageAt"));
    list.setLinkedRecords(edges.sort((a, b) => time(b).localeCompare(time(a))), "edges");
    list.setValue(change.getLinkedRecord("counts")!.getValue("total"), "totalCount");
  };
}
