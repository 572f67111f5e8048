// One conversation: the newest messages, earlier ones on demand, what is said meanwhile, and a box to answer.
import { gql, type TypedDocumentNode } from "@apollo/client";
import { useMutation, useQuery } from "@apollo/client/react";
import { type FormEvent, useEffect, useRef, useState } from "react";
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
    content { __typename ... on TextContent { text } ... on NoteContent { text } ... on MediaContent { text } ... on EventContent { text } }
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

/** Follows a thread. Another conversation needs another key on its component. */
export function useThread(id: string, last = 20) {
  const { data, error, fetchMore, refetch, subscribeToMore } = useQuery(threadDocument, { variables: { id, last } });
  const [failure, setFailure] = useState<Error>();
  const [tries, setTries] = useState(0);

  useEffect(() => {
    let opened = false;
    return subscribeToMore({
      document: watchDocument,
      variables: { id },
      updateQuery: (thread, { subscriptionData: { data } }) => {
        const { __typename, kind, edge } = data.conversationChanged;
        // From the first frame on nothing is missed: what the query read before it may be older.
        if (__typename === "Reset" && (!opened || kind === "RESET")) void refetch().catch(setFailure);
        opened = true;
        return edge ? withLine(thread as Thread, edge) : (thread as Thread);
      },
      onError: (error) => (isResync(error) ? setTries(tries + 1) : setFailure(error)),
    });
  }, [id, tries, refetch, subscribeToMore]);

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
  const rest = conversation.messages.edges.filter(({ node }) => node.id !== edge.node.id);
  const edges = [...rest, edge].sort((a, b) => a.node.number - b.node.number);
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

export function Thread({ id }: { id: string }) {
  const { name, messages, error, earlier } = useThread(id, 2);
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
