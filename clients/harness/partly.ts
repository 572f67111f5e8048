// What happens around a list that is loaded in part: for the tests of every client.
import { AssignDocument, type InboxQuery, InboxDocument, MarkReadDocument, MarkUnreadDocument, MeDocument } from "../documents/__generated__/graphql";
import { asks } from "../plain/ask";
import type { Parley } from "../server";

/** The last message of what disturb does. */
export const lastWords = "The last of it";

/** Changes amy's inbox, of which the first three rows are shown: one far behind, the last one shown, and the one after. */
export async function disturb(parley: Parley): Promise<void> {
  const ask = asks(await parley.as("amy"));
  const rows = await inboxOf(parley);
  const bo = (await ask(MeDocument, {})).viewer.channels.flatMap(({ members }) => members).find(({ name }) => name.startsWith("Bo"))!.id;
  const toggle = async (n: number) => {
    const { id, isUnread } = rows[n]!;
    if (isUnread) await ask(MarkReadDocument, { input: { conversations: [{ id }], confirmForOwner: false } });
    else await ask(MarkUnreadDocument, { input: { ids: [id], confirmForOwner: false } });
  };
  await toggle(8);
  await toggle(2);
  await ask(AssignDocument, { input: { ids: [rows[2]!.id], agentId: bo } });
  await toggle(3);
  await parley.say(lastWords, { from: "+12025550163" });
}

/** The server's list, whole. */
export async function inboxOf(parley: Parley): Promise<InboxQuery["conversations"]["edges"][number]["node"][]> {
  const ask = asks(await parley.as("amy"));
  return (await ask(InboxDocument, { view: { kind: "MY_INBOX" }, first: 100 })).conversations.edges.map(({ node }) => node);
}

/** A server that is told a wrong token. */
export const withWrongToken = async (parley: Parley) => ({ ...(await parley.as("amy")), token: () => "wrong" });
