// One conversation: the newest messages, earlier ones on demand, what is said meanwhile, and a box to answer.
import { gql, type TypedDocumentNode } from "@apollo/client";
import { useApolloClient, useMutation, useQuery } from "@apollo/client/react";
import { type FormEvent, useCallback, useEffect, useRef, useState } from "react";
import { isResync } from "./inbox";

type Message = { id: string; number: number; direction: string; status: string; content: { text?: string } };
type Edge = { cursor: string; node: Message };
type Messages = { edges: Edge[]; pageInfo: { hasPreviousPage: boolean; startCursor: string | null } };
type Thread = { conversation: { id: string; name: string; messages: Messages } };
type ThreadVariables = { id: string; last: number; before?: string | null };
type Event = { __typename: string; kind?: string; edge?: Edge };

const line = gql`
  fragment Line on Message {
    id number direction status
    content { __typename ... on TextContent { text } ... on NoteContent { text } ... on MediaContent { text } ... on EventContent { text } ... on ActionContent { text } }
  }
`;

const threadDocument: TypedDocumentNode<Thread, ThreadVariables> = gql`
  query Thread($id: ID!, $last: Int, $before: String) {
    conversation(id: $id) {
      id name
      messages(last: $last, before: $before) { edges { cursor node { ...Line } } pageInfo { hasPreviousPage startCursor } }
    }
  }
  ${line}
`;

// The cache finds what has an id: of most events nothing is left to do.
const watchDocument: TypedDocumentNode<{ conversationChanged: Event }, { id: string; after?: string }> = gql`
  subscription WatchThread($id: ID!, $after: Cursor) {
    conversationChanged(id: $id, after: $after) {
      __typename
      ... on Reset { kind cursor }
      ... on MessageAdded { cursor edge { cursor node { ...Line } } }
      ... on MessageStatusChanged { cursor message { id status } }
      ... on MessageChanged { cursor message { ...Line } }
      ... on ConversationUpdated { cursor conversation { id name isUnread newCount owner { id name } } }
    }
  }
  ${line}
`;

type Sent = { sendMessage: { refusals: { message: string }[]; errors: { message: string }[] } };

const sendDocument: TypedDocumentNode<Sent, { input: object }> = gql`
  mutation Send($input: SendMessageInput!) {
    sendMessage(input: $input) { message { ...Line } conversation { id isUnread newCount preview } refusals { message } errors { message } }
  }
  ${line}
`;

/** A position in the log. What is read after it is at least as new. */
const positionDocument: TypedDocumentNode<{ conversations: { feedCursor: string } }> = gql`
  query Position { conversations(view: { kind: ALL }, first: 1) { feedCursor } }
`;

/** Follows a thread. Another conversation needs another key on its component. */
export function useThread(id: string, last = 20) {
  const client = useApolloClient();
  const [from, setFrom] = useState<string>(); // where the stream begins: before the messages are read, so that none is missed
  const [failure, setFailure] = useState<Error>();
  const { data, error, fetchMore, refetch, subscribeToMore } = useQuery(threadDocument, {
    variables: { id, last },
    skip: !from,
    fetchPolicy: "network-only",
    nextFetchPolicy: "cache-first",
  });
  const loaded = Boolean(data);

  const locate = useCallback(async () => {
    const { data } = await client.query({ query: positionDocument, fetchPolicy: "no-cache" });
    return data!.conversations.feedCursor;
  }, [client]);
  useEffect(() => void locate().then(setFrom, setFailure), [locate]);

  useEffect(() => {
    if (!from || !loaded) return;
    const again = async () => {
      const position = await locate();
      await refetch();
      setFrom(position);
    };
    return subscribeToMore({
      document: watchDocument,
      variables: { id, after: from },
      updateQuery: (thread, { subscriptionData: { data } }) => {
        const { kind, edge } = data.conversationChanged;
        if (kind === "RESET") void again().catch(setFailure);
        return edge ? withLine(thread as Thread, edge) : (thread as Thread);
      },
      onError: (error) => void (isResync(error) ? again().catch(setFailure) : setFailure(error)),
    });
  }, [id, from, loaded, locate, refetch, subscribeToMore]);

  const thread = data?.conversation;
  return {
    name: thread?.name,
    messages: thread?.messages.edges.map(({ node }) => node) ?? [],
    error: error ?? failure,
    earlier: thread?.messages.pageInfo.hasPreviousPage
      ? () => fetchMore({ variables: { last, before: thread.messages.pageInfo.startCursor } })
      : undefined,
  };
}

function withLine(thread: Thread, edge: Edge): Thread {
  const { conversation } = thread;
  const { pageInfo, edges: shown } = conversation.messages;
  const rest = shown.filter(({ node }) => node.id !== edge.node.id);
  // From the end: of conversations merged into this one, which come first, each has its own numbers.
  const at = rest.findLastIndex(({ node }) => node.number < edge.node.number) + 1;
  if (at === 0 && rest.length > 0 && pageInfo.hasPreviousPage) return thread; // an earlier page brings it
  const edges = [...rest.slice(0, at), edge, ...rest.slice(at)];
  return { conversation: { ...conversation, messages: { ...conversation.messages, edges } } };
}

/** Sends what a person wrote: once, however often it is repeated, and as read up to the last message shown. */
export function useSend(conversationId: string) {
  const [run] = useMutation(sendDocument);
  const attempt = useRef({ text: "", key: "" });
  return async (text: string, upToMessageId?: string) => {
    if (attempt.current.text !== text) attempt.current = { text, key: crypto.randomUUID() };
    const { data } = await run({ variables: { input: { conversationId, text, upToMessageId, idempotencyKey: attempt.current.key } } });
    attempt.current = { text: "", key: "" }; // answered: the same words again are another message
    const { refusals, errors } = data!.sendMessage;
    return refusals[0]?.message ?? errors[0]?.message;
  };
}

export function Thread({ id, last }: { id: string; last?: number }) {
  const { name, messages, error, earlier } = useThread(id, last);
  const send = useSend(id);
  const [draft, setDraft] = useState("");
  const [refusal, setRefusal] = useState<string>();

  async function submit(event: FormEvent) {
    event.preventDefault();
    try {
      const refused = await send(draft, messages.at(-1)?.id);
      setRefusal(refused);
      if (!refused) setDraft("");
    } catch {
      setRefusal("No answer. Press Send again: it is sent once.");
    }
  }

  if (error) return <p role="alert">{error.message}</p>;
  return (
    <section aria-label="Thread">
      <h2>{name}</h2>
      {earlier && <button onClick={earlier}>Earlier</button>}
      <ol>
        {messages.map((message) => (
          <li key={message.id}>
            {message.content.text ?? "This cannot be shown yet."} {message.direction === "OUTBOUND" && <small>{message.status}</small>}
          </li>
        ))}
      </ol>
      <form onSubmit={submit}>
        <input aria-label="Answer" value={draft} onChange={({ target }) => setDraft(target.value)} />
        <button>Send</button>
        {refusal && <p role="status">{refusal}</p>}
      </form>
    </section>
  );
}
