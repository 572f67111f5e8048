// An inbox beside the thread that is open: the whole sample.
import type { ApolloClient } from "@apollo/client";
import { ApolloProvider } from "@apollo/client/react";
import { useState } from "react";
import { Inbox } from "./inbox";
import { Thread } from "./thread";

const mine = { kind: "MY_INBOX" };

export function Desk({ client }: { client: ApolloClient }) {
  const [open, setOpen] = useState<string>();
  return (
    <ApolloProvider client={client}>
      <Inbox view={mine} onOpen={setOpen} />
      {open && <Thread key={open} id={open} />}
    </ApolloProvider>
  );
}
