// Apollo's persisted queries: the hash alone, then hash and text, then the hash alone.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { InboxDocument } from "../documents/__generated__/graphql";
import { Parley } from "../server";

let parley: Parley;
let token: string;

before(async () => {
  parley = await Parley.start();
  token = await parley.token("amy");
});
after(() => parley.stop());

for (const useGETForHashedQueries of [false, true]) {
  test(`a document is sent once (${useGETForHashedQueries ? "GET" : "POST"})`, async () => {
    const sent: { method: string; text: boolean }[] = [];
    const http = new HttpLink({
      uri: parley.endpoint,
      headers: { Authorization: `Bearer ${token}` },
      fetch: (input, init) => {
        const whole = `${input} ${init?.body ?? ""}`;
        sent.push({ method: init?.method ?? "GET", text: whole.includes("feedCursor") });
        return fetch(input, init);
      },
    });
    const link = new PersistedQueryLink({ sha256: (text) => createHash("sha256").update(text).digest("hex"), useGETForHashedQueries });
    const client = new ApolloClient({ link: ApolloLink.from([link, http]), cache: new InMemoryCache() });
    const query = () =>
      client.query({ query: InboxDocument, variables: { view: { kind: "MY_INBOX" }, first: 1 }, fetchPolicy: "network-only" });
    assert.ok((await query()).data?.conversations.feedCursor);
    assert.ok((await query()).data?.conversations.feedCursor);
    const hashed = useGETForHashedQueries ? "GET" : "POST";
    const last = { method: hashed, text: false };
    const first = useGETForHashedQueries ? [last] : [last, { method: "POST", text: true }]; // by then it is known
    assert.deepEqual(sent, [...first, last]);
  });
}
