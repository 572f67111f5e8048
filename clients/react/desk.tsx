// An inbox beside the thread that is open: the whole sample.
import type { ApolloClient } from "@apollo/client";
import { ApolloProvider } from "@apollo/client/react";
import { useState } from "react";
import { Inbox } from "./inbox";
import { Thread } from "./thread";

const mine = { kind: "MY_INBOX" };

/** `page` is how many rows and messages are loaded at a time. */
export function Desk({ client, page }: { client: ApolloClient; page?: number }) {
  const [open, setOpen] = useState<string>();
  return (
    <ApolloProvider client={client}>
      <Inbox view={mine} first={page} onOpen={setOpen} />
      {open && <Thread key={open} id={open} last={page} />}
    </ApolloProvider>
  );
}
