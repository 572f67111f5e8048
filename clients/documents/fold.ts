// Folds an event of WatchInbox into the answer of Inbox, for caches that hold
// answers: Apollo and urql.
import type { InboxQuery, WatchInboxSubscription } from "./__generated__/graphql";

/** The list with one event folded in, newest first as the server sorts. On RESET run the query again. */
export function fold(list: InboxQuery, change: WatchInboxSubscription["conversationsChanged"]): InboxQuery {
  if (change.kind === "OPEN" || change.kind === "RESET") return list;
  const edges = list.conversations.edges.filter(({ node }) => node.id !== change.conversationId);
  if (change.edge) edges.push(change.edge);
  edges.sort((a, b) => b.node.lastMessageAt.localeCompare(a.node.lastMessageAt));
  return { ...list, conversations: { ...list.conversations, edges, totalCount: change.counts.total } };
}
