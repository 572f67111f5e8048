// The desk against the real server: a list that grows and stays true, a thread read upward, and an answer.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { closeDocument } from "../harness/dom";
import { cleanup, configure, fireEvent, render, waitFor, within } from "@testing-library/react";
import type { ApolloClient } from "@apollo/client";
import { apollo } from "../apollo/client";
import { inboxOf, withWrongToken } from "../harness/partly";
import { Parley } from "../server";
import { Desk } from "./desk";

configure({ asyncUtilTimeout: 20_000 });

let parley: Parley;
const clients: ApolloClient[] = [];

before(async () => {
  parley = await Parley.start();
});
afterEach(cleanup);
after(async () => {
  for (const client of clients) client.stop();
  await closeDocument();
  await parley.stop();
});

function show(server: Parameters<typeof apollo>[0]) {
  const client = apollo(server);
  clients.push(client);
  return render(<Desk client={client} page={3} />);
}

test("a desk", async () => {
  const desk = show(await parley.as("amy"));
  const list = within(await desk.findByRole("region", { name: "Conversations" }));
  const names = () => list.getAllByRole("listitem").map((row) => row.textContent!.split(":")[0]);
  const namesOf = async () => (await inboxOf(parley)).map(({ name }) => name);
  await waitFor(() => assert.equal(list.getAllByRole("listitem").length, 3));

  await parley.say("I am new here", { from: "+12025550171" });
  await list.findByText(/I am new here/);
  assert.deepEqual(names(), (await namesOf()).slice(0, 4));

  for (let more; (more = list.queryByText("More")); ) {
    const count = names().length;
    fireEvent.click(more);
    await waitFor(() => assert.ok(names().length > count));
  }
  assert.deepEqual(names(), await namesOf());

  fireEvent.click(list.getByText(/I am new here/));
  const thread = within(await desk.findByRole("region", { name: "Thread" }));
  const lines = () => thread.queryAllByRole("listitem").map((line) => line.textContent!.trim());
  await waitFor(() => assert.deepEqual(lines(), ["I am new here"]));
  for (const text of ["Are you there?", "Hello?"]) await parley.say(text, { from: "+12025550171" });
  await waitFor(() => assert.deepEqual(lines(), ["I am new here", "Are you there?", "Hello?"]));

  fireEvent.change(thread.getByLabelText("Answer"), { target: { value: "Here I am." } });
  fireEvent.click(thread.getByText("Send"));
  await waitFor(() => assert.deepEqual(lines(), ["I am new here", "Are you there?", "Hello?", "Here I am. DELIVERED"]));
  await waitFor(() => assert.match(list.getAllByRole("listitem")[0]!.textContent!, /: Here I am\. $/), { timeout: 20_000 });

  fireEvent.click(thread.getByText("Send")); // nothing was written
  await thread.findByRole("status");
});

test("a thread is read upward", async () => {
  const desk = show(await parley.as("amy"));
  fireEvent.click(await desk.findByText(/Here I am/));
  const thread = within(await desk.findByRole("region", { name: "Thread" }));
  const lines = () => thread.queryAllByRole("listitem").map((line) => line.textContent!.replace(/ [A-Z]*$/, ""));
  await waitFor(() => assert.deepEqual(lines(), ["Are you there?", "Hello?", "Here I am."]));
  fireEvent.click(await thread.findByText("Earlier"));
  await waitFor(() => assert.deepEqual(lines(), ["I am new here", "Are you there?", "Hello?", "Here I am."]));
  assert.equal(thread.queryByText("Earlier"), null);
});

test("a wrong token is said", async () => {
  const desk = show(await withWrongToken(parley));
  await desk.findByRole("alert");
});
