// A page of conversations that grows, is refetched, and is kept true by its stream.
import { graphql, type RecordProxy, type RecordSourceSelectorProxy } from "relay-runtime";
import { fold, type List } from "../parley/fold";
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

/** Folds an event into the connection of the id, as `fold` says. */
export function foldInbox(connectionId: string) {
  return (store: RecordSourceSelectorProxy<inboxSubscription$data>) => {
    const change = store.getRootField("conversationsChanged");
    const list = store.get(connectionId);
    const pageInfo = list?.getLinkedRecord("pageInfo");
    if (!change || !list || !pageInfo) return;
    const edge = change.getLinkedRecord("edge");
    const own = edge && store.create(`${connectionId}:${change.getValue("cursor")}`, "ConversationEdge");
    own?.copyFieldsFrom(edge);
    const folded = fold<Sortable["node"], Omit<List<Sortable["node"]>, "edges"> & { edges: Sortable[] }>(
      {
        totalCount: Number(list.getValue("totalCount")),
        edges: (list.getLinkedRecords("edges") ?? []).map(sortable),
        pageInfo: { hasNextPage: Boolean(pageInfo.getValue("hasNextPage")) },
      },
      {
        kind: String(change.getValue("kind")),
        conversationId: change.getValue("conversationId"),
        counts: { total: change.getLinkedRecord("counts")!.getValue("total") },
        edge: own && sortable(own),
      },
    );
    list.setLinkedRecords(folded.edges.map(({ record }) => record), "edges");
    list.setValue(folded.totalCount, "totalCount");
    if (folded.pageInfo.endCursor !== undefined) pageInfo.setValue(folded.pageInfo.endCursor, "endCursor");
  };
}

type Sortable = ReturnType<typeof sortable>;

/** What `fold` needs to know of an edge. */
function sortable(record: RecordProxy) {
  const node = record.getLinkedRecord("node")!;
  return { record, cursor: String(record.getValue("cursor")), node: { id: node.getDataID(), lastMessageAt: String(node.getValue("lastMessageAt")) } };
}
