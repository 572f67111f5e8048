// A thread read backward, followed live, and written to with an optimistic row.
import {
  applyOptimisticMutation,
  commitMutation,
  type Disposable,
  type Environment,
  graphql,
  requestSubscription,
} from "relay-runtime";
import type { threadSendMutation, threadSendMutation$data } from "./__generated__/threadSendMutation.graphql";
import type { threadSubscription } from "./__generated__/threadSubscription.graphql";

export const threadQuery = graphql`
  query threadQuery($id: ID!) {
    conversation(id: $id) {
      id
      ...thread_messages
    }
  }
`;

export const threadMessages = graphql`
  fragment thread_messages on Conversation
  @refetchable(queryName: "threadPageQuery")
  @argumentDefinitions(last: { type: "Int", defaultValue: 2 }, before: { type: "String" }) {
    newCount
    messages(last: $last, before: $before) @connection(key: "thread_messages") {
      __id
      edges {
        node {
          ...thread_line @relay(mask: false)
        }
      }
    }
  }
`;

graphql`
  fragment thread_line on Message {
    id
    number
    status
    content {
      __typename
      ... on TextContent {
        text
      }
      ... on NoteContent {
        text
      }
    }
  }
`;

const send = graphql`
  mutation threadSendMutation($input: SendMessageInput!, $connections: [ID!]!) @raw_response_type {
    sendMessage(input: $input) {
      message @appendNode(connections: $connections, edgeTypeName: "MessageEdge") {
        ...thread_line @relay(mask: false)
      }
      refusals {
        code
        message
      }
      errors {
        code
        message
        field
      }
    }
  }
`;

const watch = graphql`
  subscription threadSubscription($id: ID!, $after: Cursor, $connections: [ID!]!) {
    conversationChanged(id: $id, after: $after) {
      __typename
      ... on Reset {
        kind
        cursor
      }
      ... on MessageAdded {
        cursor
        idempotencyKey
        edge @appendEdge(connections: $connections) {
          cursor
          node {
            ...thread_line @relay(mask: false)
          }
        }
      }
      ... on MessageStatusChanged {
        cursor
        status
        message {
          id
          status
        }
      }
      ... on MessageChanged {
        cursor
        message {
          ...thread_line @relay(mask: false)
        }
      }
      ... on ConversationUpdated {
        cursor
        cause
        conversation {
          id
          newCount
        }
      }
    }
  }
`;

/** One open thread: the connection of its messages, and what it sent that the server has not told of yet. */
export class Thread {
  private readonly pending = new Map<string, Disposable>();

  private readonly environment: Environment;
  private readonly id: string;
  private readonly connection: string;

  constructor(environment: Environment, id: string, connection: string) {
    this.environment = environment;
    this.id = id;
    this.connection = connection;
  }

  /** Shows the text at once, and marks as read what was on the screen. The row gives way to the real one with the answer or with the event, whichever is first. */
  send(text: string, idempotencyKey: string, upToMessageId: string | null): Promise<threadSendMutation$data["sendMessage"]> {
    const variables = { input: { conversationId: this.id, text, idempotencyKey, upToMessageId }, connections: [this.connection] };
    this.pending.set(idempotencyKey, applyOptimisticMutation(this.environment, {
      mutation: send,
      variables,
      optimisticResponse: {
        sendMessage: {
          message: { id: `client:${idempotencyKey}`, number: 0, status: "QUEUED", content: { __typename: "TextContent", text } },
          refusals: [],
          errors: [],
        },
      },
    }));
    return new Promise((resolve, reject) => {
      commitMutation<threadSendMutation>(this.environment, {
        mutation: send,
        variables,
        onCompleted: ({ sendMessage }) => {
          this.settle(idempotencyKey);
          resolve(sendMessage);
        },
        onError: reject, // no answer: send again with the same key
      });
    });
  }

  /** Follows the thread from a cursor, or from now. */
  watch(after: string | null, seen: (event: threadSubscription["response"]["conversationChanged"]) => void): Disposable {
    return requestSubscription<threadSubscription>(this.environment, {
      subscription: watch,
      variables: { id: this.id, after, connections: [this.connection] },
      onNext: (response) => {
        const event = response!.conversationChanged;
        if (event.__typename === "MessageAdded" && event.idempotencyKey) this.settle(event.idempotencyKey);
        seen(event);
      },
    });
  }

  private settle(idempotencyKey: string) {
    this.pending.get(idempotencyKey)?.dispose();
    this.pending.delete(idempotencyKey);
  }
}
