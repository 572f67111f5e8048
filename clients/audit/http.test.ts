// The audit of graphql-http: what the GraphQL over HTTP draft says a server must, should and may do.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { serverAudits } from "graphql-http";
import { Parley } from "../server";

process.env["PARLEY_INTROSPECTION"] = "true"; // the audit asks for a type by a variable

let parley: Parley;
let token: string;

before(async () => {
  parley = await Parley.start();
  token = await parley.token("amy");
});
after(() => parley.stop());

const audits = serverAudits({
  url: () => parley.endpoint,
  fetchFn: (url: string, init?: RequestInit) => fetch(url, { ...init, headers: { ...init?.headers, Authorization: `Bearer ${token}` } }),
});

for (const audit of audits) {
  test(`${audit.id} ${audit.name}`, async () => {
    const result = await audit.fn();
    assert.equal(result.status, "ok", result.status === "ok" ? "" : result.reason);
  });
}
