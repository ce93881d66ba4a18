import assert from "node:assert/strict";
import { test } from "node:test";
import jsforce from "jsforce";
import { byClientCredentials } from "./salesforce.mjs";

const conn = await byClientCredentials();
const total = Number(process.env.CONTACTS);

test("a query of several pages is followed to its end", async () => {
  const first = await conn.query("SELECT Id, Name FROM Contact ORDER BY Name");
  assert.deepEqual([first.totalSize, first.done, first.records.length], [total, false, 2000]);
  const rest = await conn.queryMore(first.nextRecordsUrl);
  assert.deepEqual([rest.done, rest.records.length], [true, total - 2000]);
});

test("autoFetch hands out every record once", async () => {
  const seen = await conn.query("SELECT Id FROM Contact", { autoFetch: true, maxFetch: 10_000 });
  assert.equal(new Set(seen.records.map((one) => one.Id)).size, total);
});

test("a query tells of each record as it comes", async () => {
  const seen = [];
  const query = conn.query("SELECT Id FROM Contact").on("record", (one) => seen.push(one.Id));
  await query.run({ autoFetch: true, maxFetch: 10_000 });
  assert.equal(new Set(seen).size, total);
});

test("a query can be taken as CSV", async () => {
  const chunks = await conn.query("SELECT Id, Account.Name FROM Contact").stream("csv").toArray();
  assert.equal(Buffer.concat(chunks.map((one) => Buffer.from(one))).toString().trim().split("\n").length, total + 1);
});

test("the query builder's conditions, order and children are understood", async () => {
  const since = jsforce.SfDate.toDateTimeLiteral("2000-01-01T00:00:00Z");
  const found = await conn.sobject("Account")
    .find({ Name: { $like: "Holder%" }, CreatedDate: { $gt: since } }, "Id, Name")
    .include("Contacts").select("Id, LastName, Account.Name").limit(3).orderby("LastName").end()
    .sort({ Name: "DESC" }).limit(5).execute();
  assert.equal(found.length, 1);
  const children = found[0].Contacts;
  assert.equal(children.records.length, 3);
  assert.equal(children.records[0].Account.Name, "Holder");
  assert.equal(await conn.sobject("Contact").count({ LastName: { $in: ["Person 0001", "Person 0002"] } }), 2);
});

test("groups are counted", async () => {
  const { records } = await conn.query("SELECT Account.Name holder, COUNT(Id) many FROM Contact GROUP BY Account.Name");
  assert.deepEqual(records.map((one) => [one.holder, one.many]), [["Holder", total]]);
});

test("a query that is wrong is refused by name", async () => {
  await assert.rejects(conn.query("SELECT Nope FROM Account"), { errorCode: "INVALID_FIELD" });
  await assert.rejects(conn.query("SELECT FROM Account"), { errorCode: "MALFORMED_QUERY" });
});

test("describes and limits are complete enough to be read", async () => {
  const described = await conn.sobject("Opportunity").describe();
  assert.equal(described.fields.find((one) => one.name === "StageName").type, "picklist");
  const everything = await conn.describeGlobal();
  assert.ok(everything.sobjects.some((one) => one.name === "OpportunityContactRole"));
  assert.ok((await conn.limits()).DailyApiRequests.Remaining > 0);
  assert.ok(conn.limitInfo.apiUsage.limit > 0);
});
