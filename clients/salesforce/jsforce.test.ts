// jsforce, which nobody here wrote, against the Salesforce that the tests of Parley's connector use: what that server
// answers is what a client of the real one understands.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { Connection } from "jsforce";

const program = process.env.SALESFORCE ?? "../bin/salesforce-for-clients";
let server: ChildProcess;
let connection: Connection;
let login: { loginUrl: string; clientId: string; clientSecret: string };
let username: string;
let lines: AsyncIterator<string>;
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

before(async () => {
  const env = { ...process.env, PUBLIC_KEY: publicKey.export({ type: "spki", format: "pem" }).toString() };
  server = spawn(program, { stdio: ["pipe", "pipe", "inherit"], env });
  lines = createInterface({ input: server.stdout! })[Symbol.asyncIterator]();
  const [loginUrl, clientId, clientSecret, user] = (await lines.next()).value.split(" ");
  login = { loginUrl, clientId, clientSecret };
  username = user;
  connection = new Connection({ instanceUrl: login.loginUrl, oauth2: login, version: "62.0" });
  await connection.authorize({ grant_type: "client_credentials" });
});
after(() => server.stdin!.end());

test("a wrong secret is refused", async () => {
  const other = new Connection({ instanceUrl: login.loginUrl, oauth2: { ...login, clientSecret: "wrong" }, version: "62.0" });
  await assert.rejects(other.authorize({ grant_type: "client_credentials" }), { name: "invalid_client" });
});

// tell has the server do what no call of its API does.
async function tell(line: string) {
  server.stdin!.write(`${line}\n`);
  assert.equal((await lines.next()).value, "done");
}

// signIn signs in by a JWT that expires in so many seconds.
async function signIn(key: KeyObject, seconds: number, claims: Record<string, string> = {}) {
  const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const text = [{ alg: "RS256" }, {
    iss: login.clientId, sub: username, aud: "https://login.salesforce.com", exp: Math.floor(Date.now() / 1000) + seconds, ...claims,
  }].map(encoded).join(".");
  const assertion = `${text}.${createSign("RSA-SHA256").update(text).sign(key, "base64url")}`;
  const by = new Connection({ oauth2: { loginUrl: login.loginUrl }, version: "62.0" });
  await by.authorize({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion });
  return by;
}

test("a signed assertion signs in, for five minutes at most", async () => {
  const by = await signIn(privateKey, 180);
  assert.equal((await by.sobject("User").describe()).keyPrefix, "005");
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  for (const refused of [
    () => signIn(other, 180), () => signIn(privateKey, -1), () => signIn(privateKey, 400), () => signIn(privateKey, 180, { sub: "nobody@example.com" }),
    () => signIn(privateKey, 180, { iss: "another-app" }), () => signIn(privateKey, 180, { aud: "https://test.salesforce.com" }),
  ]) await assert.rejects(refused, { name: "invalid_grant" });
});

test("records are created, read, changed and deleted", async () => {
  const made = await connection.sobject("Contact").create({ FirstName: "Marie", LastName: "Curie", HasOptedOutOfSMS: true });
  assert.ok(made.success);
  const id = made.id!;
  assert.equal(id.length, 18);
  assert.equal((await connection.sobject("Contact").retrieve(id)).Name, "Marie Curie");
  await connection.sobject("Contact").update({ Id: id, Title: "Professor" });
  const [found] = (await connection.query(`SELECT Id, Title, HasOptedOutOfSMS FROM Contact WHERE Id = '${id}'`)).records;
  assert.equal(found!.Title, "Professor");
  assert.equal(found!.HasOptedOutOfSMS, true);
  await connection.sobject("Contact").destroy(id);
  assert.equal((await connection.query(`SELECT Id FROM Contact WHERE Id = '${id}'`)).totalSize, 0);
  const deleted = await connection.query(`SELECT Id, IsDeleted FROM Contact WHERE Id = '${id}'`, { scanAll: true });
  assert.equal(deleted.records[0]!.IsDeleted, true);
  await assert.rejects(async () => { await connection.sobject("Contact").retrieve(id); }, { name: "NOT_FOUND" });
});

test("a record that changed meanwhile is not changed", async () => {
  const made = await connection.sobject("Contact").create({ LastName: "Curie" });
  const path = `/services/data/v62.0/sobjects/Contact/${made.id}`;
  const change = (since: Date) => connection.request({
    method: "PATCH", url: path, body: JSON.stringify({ Title: "Professor" }), headers: { "content-type": "application/json", "If-Unmodified-Since": since.toUTCString() },
  });
  await assert.rejects(async () => { await change(new Date(Date.now() - 3_600_000)); }, { name: "PRECONDITION_FAILED" });
  assert.equal((await connection.sobject("Contact").retrieve(made.id!)).Title, null);
  await change(new Date(Date.now() + 60_000));
  assert.equal((await connection.sobject("Contact").retrieve(made.id!)).Title, "Professor");
});

test("a record with an external id is created once", async () => {
  const contact = { Parley_Id__c: "parley:one", LastName: "Meitner" };
  const made = await connection.sobject("Contact").upsert(contact, "Parley_Id__c");
  const again = await connection.sobject("Contact").upsert({ ...contact, LastName: "Noether" }, "Parley_Id__c");
  assert.equal(again.id, made.id);
  const found = await connection.query<{ LastName: string }>("SELECT LastName FROM Contact WHERE Parley_Id__c = 'parley:one'");
  assert.deepEqual(found.records.map((r) => r.LastName), ["Noether"]);
  await assert.rejects(async () => { await connection.sobject("Contact").upsert({ ...contact, Title: "x", Email: "parley:one" }, "Email"); }, { name: "NOT_FOUND" });
  await assert.rejects(async () => { await connection.sobject("Contact").create({ LastName: "Ref", AccountId: "nobody" }); }, { name: "MALFORMED_ID" });
});

test("long answers come in pages, in order", async () => {
  for (let i = 0; i < 8; i++) await connection.sobject("Account").create({ Name: `Account ${7 - i}` });
  const names: string[] = [];
  await new Promise((resolve, reject) => {
    connection.query("SELECT Name FROM Account WHERE Name != null ORDER BY Name DESC LIMIT 7").on("record", (r) => names.push(r.Name)).on("end", resolve).on("error", reject).run({ autoFetch: true, maxFetch: 100 });
  });
  assert.deepEqual(names, [7, 6, 5, 4, 3, 2, 1].map((i) => `Account ${i}`));
  const page = await connection.query("SELECT Id, SystemModstamp FROM Account ORDER BY SystemModstamp, Id");
  assert.equal(page.done, false);
  assert.equal(page.records.length, 3);
  const next = await connection.queryMore(page.nextRecordsUrl!);
  assert.equal(next.records.length, 3);
  await assert.rejects(async () => { await connection.queryMore("/services/data/v62.0/query/01gunknown-3"); }, { name: "INVALID_QUERY_LOCATOR" });
});

test("a merged record says which one stays, to those who ask for deleted ones", async () => {
  const stays = (await connection.sobject("Contact").create({ LastName: "Curie" })).id!;
  const goes = (await connection.sobject("Contact").create({ LastName: "Sklodowska" })).id!;
  await tell(`merge ${goes} ${stays}`);
  const soql = `SELECT Id, IsDeleted, MasterRecordId FROM Contact WHERE Id IN ('${goes}', '${stays}') ORDER BY IsDeleted`;
  assert.deepEqual((await connection.query(soql)).records.map((r) => r.Id), [stays]);
  const all = await connection.query(soql, { scanAll: true });
  assert.deepEqual(all.records.map((r) => [r.Id, r.IsDeleted, r.MasterRecordId]), [[stays, false, null], [goes, true, stays]]);
  await assert.rejects(async () => { await connection.sobject("Contact").retrieve(goes); }, { name: "NOT_FOUND" });
});

test("calls are counted, and refused beyond the daily limit", async () => {
  const { DailyApiRequests } = await connection.limits();
  await connection.query("SELECT Id FROM Contact LIMIT 1");
  assert.deepEqual(connection.limitInfo.apiUsage, { used: DailyApiRequests!.Max - DailyApiRequests!.Remaining + 1, limit: DailyApiRequests!.Max });
  await tell("leave 1");
  assert.equal((await connection.limits()).DailyApiRequests!.Remaining, 0);
  await assert.rejects(async () => { await connection.query("SELECT Id FROM Contact"); }, { name: "REQUEST_LIMIT_EXCEEDED" });
  await assert.rejects(async () => { await connection.sobject("Contact").create({ LastName: "Beyond" }); }, { name: "REQUEST_LIMIT_EXCEEDED" });
  await tell("leave 1000");
  assert.equal((await connection.query("SELECT Id FROM Contact WHERE LastName = 'Beyond'")).totalSize, 0);
});

test("objects are described", async () => {
  const contact = await connection.sobject("Contact").describe();
  assert.equal(contact.keyPrefix, "003");
  const account = contact.fields.find((f) => f.name === "AccountId")!;
  assert.equal(account.type, "reference");
  assert.deepEqual(account.referenceTo, ["Account"]);
  assert.ok((await connection.describeGlobal()).sobjects.some((o) => o.name === "Lead"));
});

test("what is wrong is said as Salesforce says it", async () => {
  await assert.rejects(async () => { await connection.query("SELECT Nose FROM Contact"); }, { name: "INVALID_FIELD" });
  await assert.rejects(async () => { await connection.query("SELECT Id FROM Nothing"); }, { name: "INVALID_TYPE" });
  await assert.rejects(async () => { await connection.query("SELECT FROM Contact"); }, { name: "MALFORMED_QUERY" });
  await assert.rejects(async () => { await connection.query("SELECT Id FROM Contact WHERE Name = 'a' AND Title = 'b' OR Title = 'c'"); }, { name: "MALFORMED_QUERY" });
  await assert.rejects(async () => { await connection.sobject("Contact").create({ FirstName: "No last name" }); }, { name: "REQUIRED_FIELD_MISSING" });
  const other = new Connection({ instanceUrl: login.loginUrl, accessToken: "00Dwrong", version: "62.0" });
  await assert.rejects(async () => { await other.query("SELECT Id FROM Contact"); }, { name: "INVALID_SESSION_ID" });
});
