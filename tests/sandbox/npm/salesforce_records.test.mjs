import assert from "node:assert/strict";
import { test } from "node:test";
import jsforce from "jsforce";
import { byClientCredentials, bySoap, named } from "./salesforce.mjs";

const conn = await byClientCredentials();

test("every way to sign in leads to the same org", async () => {
  const soap = await bySoap();
  const [one, other] = [await conn.identity(), await soap.identity()];
  assert.equal(one.organization_id, other.organization_id);
  assert.equal(one.username, process.env.SALESFORCE_USERNAME);
});

test("a worn-out session is renewed and the call made again", async () => {
  const fresh = await bySoap();
  fresh.accessToken = "00D000000000000!expired";
  assert.equal((await fresh.query("SELECT Id FROM User LIMIT 1")).records.length, 1);
  const bare = new jsforce.Connection({ instanceUrl: fresh.instanceUrl, accessToken: "00D000000000000!expired" });
  await assert.rejects(bare.query("SELECT Id FROM User"), { errorCode: "INVALID_SESSION_ID" });
});

test("a record is created, read, changed, deleted, and then gone", async () => {
  const accounts = conn.sobject("Account");
  const made = await accounts.create({ Name: "Nordlicht Röhren", NumberOfEmployees: 12 });
  assert.deepEqual([made.success, made.errors], [true, []]);
  await accounts.update({ Id: made.id, Industry: "Energy" });
  const read = await accounts.retrieve(made.id);
  assert.equal(read.attributes.type, "Account");
  assert.deepEqual([read.Name, read.Industry, read.NumberOfEmployees], ["Nordlicht Röhren", "Energy", 12]);
  assert.equal((await accounts.destroy(made.id)).success, true);
  await assert.rejects(accounts.retrieve(made.id), { errorCode: /ENTITY_IS_DELETED|NOT_FOUND/ });
});

test("what the org refuses says the field and the code", async () => {
  await assert.rejects(conn.sobject("Account").create({}), { errorCode: "REQUIRED_FIELD_MISSING" });
  await assert.rejects(conn.sobject("Account").create({ Name: "A", Nope__c: 1 }), { errorCode: "INVALID_FIELD" });
});

test("an upsert by an external id creates once and updates after", async () => {
  const accounts = conn.sobject("Account");
  const made = await accounts.upsert({ Ext_Key__c: "up.1 ä", Name: "First" }, "Ext_Key__c");
  const again = await accounts.upsert({ Ext_Key__c: "up.1 ä", Name: "Second" }, "Ext_Key__c");
  assert.deepEqual([made.created, again.created], [true, false]);
  assert.equal((await accounts.findOne({ Ext_Key__c: "up.1 ä" })).Name, "Second");
});

test("collections of more than 200 are split, and a bad record fails alone", async () => {
  const rows = named("Many", 450).map((Name) => ({ Name }));
  rows[250] = { Name: "x".repeat(300) };
  const results = await conn.sobject("Account").create(rows, { allowRecursive: true });
  assert.equal(results.length, 450);
  assert.deepEqual(results.filter((one) => !one.success).map((one) => one.errors[0].statusCode), ["STRING_TOO_LONG"]);
  const ids = results.filter((one) => one.success).map((one) => one.id);
  const read = await conn.sobject("Account").retrieve(ids.slice(0, 100));
  assert.deepEqual(read.map((one) => one.Id), ids.slice(0, 100));
  const gone = await conn.sobject("Account").destroy(ids, { allowRecursive: true });
  assert.ok(gone.every((one) => one.success));
});

test("what was changed and deleted lately is listed", async () => {
  const from = new Date(Date.now() - 3_600_000), to = new Date(Date.now() + 60_000);
  const made = await conn.sobject("Account").create({ Name: "Seen" });
  assert.ok((await conn.sobject("Account").updated(from, to)).ids.includes(made.id));
  await conn.sobject("Account").destroy(made.id);
  assert.ok((await conn.sobject("Account").deleted(from, to)).deletedRecords.some((one) => one.id === made.id));
});
