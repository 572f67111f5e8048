// A list of conversations that stays true, as a hook and a component.
import { gql, type TypedDocumentNode } from "@apollo/client";
import { useQuery } from "@apollo/client/react";
import { useCallback, useEffect, useState } from "react";
import { fold } from "../parley/fold";
import { type Inbox as Lists, type InboxVariables, inbox, type WatchInbox, type WatchInboxVariables, watchInbox } from "../parley/inbox";

const inboxDocument = gql(inbox) as TypedDocumentNode<Lists, InboxVariables>;
const watchDocument = gql(watchInbox) as TypedDocumentNode<WatchInbox, WatchInboxVariables>;

/** Follows a view. `view` is to be the same object from render to render. */
export function useInbox(view: InboxVariables["view"], first = 20) {
  const { data, error, fetchMore, refetch, subscribeToMore } = useQuery(inboxDocument, {
    variables: { view, first },
    fetchPolicy: "network-only", // what is in the cache may be from before the stream
    nextFetchPolicy: "cache-first",
  });
  const [from, setFrom] = useState<string>(); // where the stream begins: at the first page, not at the pages after it
  const [failure, setFailure] = useState<Error>();
  if (data && !from) setFrom(data.conversations.feedCursor);

  const again = useCallback(async () => {
    const { data } = await refetch();
    setFrom(data!.conversations.feedCursor);
  }, [refetch]);

  useEffect(() => {
    if (!from) return;
    return subscribeToMore({
      document: watchDocument,
      variables: { view, after: from },
      updateQuery: (lists, { subscriptionData: { data } }) => {
        if (data.conversationsChanged.kind === "RESET") void again().catch(setFailure);
        return { conversations: fold(lists.conversations as Lists["conversations"], data.conversationsChanged) };
      },
      onError: (error) => void (isResync(error) ? again().catch(setFailure) : setFailure(error)),
    });
  }, [from, view, subscribeToMore, again]);

  const list = data?.conversations;
  return {
    rows: list?.edges.map(({ node }) => node) ?? [],
    total: list?.totalCount,
    error: error ?? failure,
    more: list?.pageInfo.hasNextPage ? () => fetchMore({ variables: { after: list.pageInfo.endCursor } }) : undefined,
  };
}

/** Whether a stream ended since it was away too long. */
export const isResync = (error: unknown) =>
  (error as { errors?: { extensions?: { code?: string } }[] }).errors?.[0]?.extensions?.code === "RESYNC_REQUIRED";

export function Inbox({ view, first, onOpen }: { view: InboxVariables["view"]; first?: number; onOpen: (id: string) => void }) {
  const { rows, total, error, more } = useInbox(view, first);
  if (error) return <p role="alert">{error.message}</p>;
  return (
    <section aria-label="Conversations">
      <h2>{total} conversations</h2>
      <ul>
        {rows.map(({ id, name, preview, isUnread, newCount }) => (
          <li key={id}>
            <button onClick={() => onOpen(id)} style={{ fontWeight: isUnread ? "bold" : "normal" }}>
              {name}: {preview} {newCount > 0 && <span>({newCount} new)</span>}
            </button>
          </li>
        ))}
      </ul>
      {more && <button onClick={more}>More</button>}
    </section>
  );
}
