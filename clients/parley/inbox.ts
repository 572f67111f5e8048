// A list of conversations and the stream that keeps it true, as text with its types: for clients without a build step
// for documents. (documents/ has them typed by graphql-codegen.)
import type { Change, List } from "./fold";

/** One row of a list. Ask for more fields in `row`, and add them here. */
export type Conversation = {
  id: string;
  name: string;
  preview: string;
  isUnread: boolean;
  newCount: number;
  lastMessageAt: string;
  owner: { id: string; name: string } | null;
};

export type Inbox = { conversations: List<Conversation> & { feedCursor: string } };
export type InboxVariables = { view: { kind: string; subject?: string }; filterBy?: object; first: number; after?: string | null };

export type WatchInbox = { conversationsChanged: Change<Conversation> & { cursor: string } };
export type WatchInboxVariables = { view: InboxVariables["view"]; filterBy?: object; after: string };

const row = `fragment Row on Conversation { __typename id name preview isUnread newCount lastMessageAt owner { __typename id name } }`;

export const inbox = `query Inbox($view: ConversationView!, $filterBy: ConversationFilter, $first: Int, $after: String) {
  conversations(view: $view, filterBy: $filterBy, first: $first, after: $after) {
    feedCursor totalCount edges { cursor node { ...Row } } pageInfo { hasNextPage endCursor } } } ${row}`;

export const watchInbox = `subscription WatchInbox($view: ConversationView!, $filterBy: ConversationFilter, $after: Cursor) {
  conversationsChanged(view: $view, filterBy: $filterBy, after: $after) {
    kind cursor conversationId counts { total } edge { cursor node { ...Row } } } } ${row}`;
