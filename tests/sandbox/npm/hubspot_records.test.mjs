import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Client } from "@hubspot/api-client";

const client = new Client({ accessToken: process.env.HUBSPOT_TOKEN, basePath: process.env.SANDBOX_URL });
const { contacts, companies, deals, properties } = client.crm;
const run = randomUUID().slice(0, 8);
const plain = { properties: ["firstname"], propertiesWithHistory: [] };
const email = (n) => `person.${n}@${run}.example`;

test("a record is created, read, changed, archived, and then gone", async () => {
  const made = await deals.basicApi.create({
    properties: { dealname: "Größte", dealstage: "qualifiedtobuy", amount: "12.5" },
  });
  assert.equal(made.properties.pipeline, "default");
  assert.ok(made.createdAt instanceof Date);
  await deals.basicApi.update(made.id, { properties: { amount: "13" } });
  const read = await deals.basicApi.getById(made.id, ["amount", "dealname"], ["amount"]);
  assert.deepEqual([read.properties.amount, read.properties.dealname], ["13", "Größte"]);
  assert.deepEqual(read.propertiesWithHistory.amount.map((one) => one.value), ["13", "12.5"]);
  await deals.basicApi.archive(made.id);
  await assert.rejects(deals.basicApi.getById(made.id), { code: 404 });
});

test("what the portal refuses says why", async () => {
  await assert.rejects(contacts.basicApi.create({ properties: { email: "no mail" } }), (error) =>
    error.code === 400 && error.body.category === "VALIDATION_ERROR");
  await assert.rejects(contacts.basicApi.create({ properties: { nope: "1" } }), (error) =>
    error.code === 400 && JSON.stringify(error.body).includes("PROPERTY_DOESNT_EXIST"));
});

test("a second contact with the same address is a conflict that names the first", async () => {
  const made = await contacts.basicApi.create({ properties: { email: email("twin") } });
  await assert.rejects(contacts.basicApi.create({ properties: { email: email("twin") } }), (error) =>
    error.code === 409 && error.body.message.includes(made.id));
  const found = await contacts.basicApi.getById(email("twin"), undefined, undefined, undefined, false, "email");
  assert.equal(found.id, made.id);
});

test("batches create, upsert, read, change and archive", async () => {
  const inputs = Array.from({ length: 100 }, (_, n) => ({ properties: { email: email(n), firstname: `N${n}` } }));
  const made = await contacts.batchApi.create({ inputs });
  assert.equal(made.results.length, 100);
  const again = await contacts.batchApi.upsert({
    inputs: [1, 2, "fresh"].map((n) => ({ idProperty: "email", id: email(n), properties: { lastname: "Up" } })),
  });
  assert.deepEqual(again.results.map((one) => one._new).sort(), [false, false, true]);
  const ids = made.results.map((one) => ({ id: one.id }));
  const read = await contacts.batchApi.read({ ...plain, inputs: [...ids.slice(0, 50), { id: "1" }] });
  assert.equal(read.results.length, 50);
  assert.equal(read.numErrors, 1);
  const changed = await contacts.batchApi.update({
    inputs: ids.map(({ id }) => ({ id, properties: { firstname: "All" } })),
  });
  assert.ok(changed.results.every((one) => one.properties.firstname === "All"));
  await contacts.batchApi.archive({ inputs: ids });
  assert.equal((await contacts.batchApi.read({ ...plain, inputs: ids })).results.length, 0);
});

test("all pages of a list are read", async () => {
  const named = (prefix, length) => Array.from({ length }, (_, n) => ({ properties: { name: `${prefix} ${n}` } }));
  const made = await companies.batchApi.create({ inputs: named(run, 100) });
  const more = await companies.batchApi.create({ inputs: named(`${run} more`, 50) });
  const ids = new Set((await companies.getAll(40, undefined, ["name"])).map((one) => one.id));
  assert.ok([...made.results, ...more.results].every((one) => ids.has(one.id)));
});

test("two records become a third that answers to both names", async () => {
  const make = (name) => companies.basicApi.create({ properties: { name } });
  const [one, other] = [await make("left"), await make("right")];
  const merged = await companies.basicApi.merge({ primaryObjectId: one.id, objectIdToMerge: other.id });
  assert.ok(![one.id, other.id].includes(merged.id));
  for (const { id } of [one, other]) assert.equal((await companies.basicApi.getById(id)).id, merged.id);
});

test("a property is defined, used and removed", async () => {
  const name = `p_${run}`;
  const kind = { type: "number", fieldType: "number", groupName: "dealinformation" };
  await properties.coreApi.create("deals", { name, label: "P", ...kind });
  const made = await deals.basicApi.create({ properties: { dealname: "D", dealstage: "closedwon", [name]: "7" } });
  assert.equal((await deals.basicApi.getById(made.id, [name])).properties[name], "7");
  await properties.coreApi.archive("deals", name);
  await assert.rejects(properties.coreApi.getByName("deals", name), { code: 404 });
});
