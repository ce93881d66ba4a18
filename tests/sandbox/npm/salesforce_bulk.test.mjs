import assert from "node:assert/strict";
import { test } from "node:test";
import { byClientCredentials, named } from "./salesforce.mjs";

const conn = await byClientCredentials();
conn.bulk2.pollInterval = 50;
conn.bulk2.pollTimeout = 20_000;

test("a bulk insert tells each record's outcome", async () => {
  const Description = 'with "quotes", commas\nand lines';
  const input = named("Bulk", 300).map((Name) => ({ Name, Ext_Key__c: Name, Description }));
  input[7].Name = "x".repeat(300);
  const { successfulResults, failedResults, unprocessedRecords } = await conn.bulk2.loadAndWaitForResults({
    object: "Account", operation: "insert", input,
  });
  assert.deepEqual([successfulResults.length, failedResults.length, unprocessedRecords.length], [299, 1, 0]);
  assert.match(failedResults[0].sf__Error, /STRING_TOO_LONG/);
  assert.ok(successfulResults.every((one) => one.sf__Id.length === 18 && one.sf__Created === "true"));
  const read = await conn.sobject("Account").findOne({ Name: "Bulk 0000" });
  assert.equal(read.Description, Description);
});

test("a bulk upsert by an external id does not create twice", async () => {
  const input = [{ Ext_Key__c: "Bulk 0001", Name: "Bulk renamed" }, { Ext_Key__c: "Bulk new", Name: "Bulk new" }];
  const done = await conn.bulk2.loadAndWaitForResults({
    object: "Account", operation: "upsert", externalIdFieldName: "Ext_Key__c", input,
  });
  assert.deepEqual(done.successfulResults.map((one) => one.sf__Created).sort(), ["false", "true"]);
  assert.equal(await conn.sobject("Account").count({ Ext_Key__c: "Bulk 0001" }), 1);
});

test("a bulk query reads what was loaded", async () => {
  const stream = await conn.bulk2.query("SELECT Id, Name FROM Account WHERE Name LIKE 'Bulk%'", { pollInterval: 50 });
  const seen = await stream.toArray();
  assert.equal(seen.length, 300);
  assert.ok(seen.every((one) => one.Name.startsWith("Bulk")));
});

test("a bulk job in steps, and one that is given up", async () => {
  const job = conn.bulk2.createJob({ object: "Account", operation: "delete" });
  const { records } = await conn.query("SELECT Id FROM Account WHERE Name LIKE 'Bulk%'");
  await job.open();
  await job.uploadData(records.map(({ Id }) => ({ Id })));
  await job.close();
  await job.poll(50, 20_000);
  assert.equal((await job.check()).state, "JobComplete");
  assert.equal((await job.getSuccessfulResults()).length, records.length);
  const other = conn.bulk2.createJob({ object: "Account", operation: "insert" });
  await other.open();
  await other.abort();
  assert.equal((await other.check()).state, "Aborted");
});
