// Folds the events of a stream into a list that may be loaded in part.

type Row = { id: string; lastMessageAt: string };
type Edge<R extends Row> = { cursor: string; node: R };

/** What is known of a list of conversations: its first rows, and whether there are more. */
export type List<R extends Row> = {
  totalCount: number;
  edges: Edge<R>[];
  pageInfo: { hasNextPage: boolean; endCursor?: string | null };
};

/** An event of `conversationsChanged`. */
export type Change<R extends Row> = {
  kind: string;
  conversationId?: string | null;
  counts: { total: number };
  edge?: Edge<R> | null;
};

/**
 * The list with one event folded in, newest first as the server sorts. On RESET run the query again.
 *
 * What lies behind the last row is not known while there is a next page. A conversation that sorts there is left out,
 * and taken out where it was shown: the next page, which begins behind the last row that is left, brings it.
 */
export function fold<R extends Row, L extends List<R>>(list: L, change: Change<R> & { edge?: L["edges"][number] | null }): L {
  if (change.kind === "RESET") return list;
  if (change.kind === "OPEN") return { ...list, totalCount: change.counts.total };
  const edges = folded(list.edges, change, list.pageInfo.hasNextPage);
  const last = edges.at(-1);
  return { ...list, edges, totalCount: change.counts.total, pageInfo: { ...list.pageInfo, endCursor: last?.cursor ?? null } };
}

function folded<E extends Edge<Row>>(edges: E[], { conversationId, edge }: { conversationId?: string | null; edge?: E | null }, hasMore: boolean): E[] {
  const rest = edges.filter(({ node }) => node.id !== conversationId);
  const last = edges.at(-1);
  const behind = hasMore && (!last || !edge || edge.node.lastMessageAt < last.node.lastMessageAt);
  if (!edge || behind) return rest;
  return [...rest, edge].sort((a, b) => (a.node.lastMessageAt < b.node.lastMessageAt ? 1 : a.node.lastMessageAt > b.node.lastMessageAt ? -1 : 0));
}
