import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { AssociationTypes, Client } from "@hubspot/api-client";

const client = new Client({ accessToken: process.env.HUBSPOT_TOKEN, basePath: process.env.SANDBOX_URL });
const { companies, contacts, deals, associations, pipelines, owners, schemas } = client.crm;
const run = randomUUID().slice(0, 8);
const made = await deals.batchApi.create({
  inputs: Array.from({ length: 30 }, (_, n) => ({
    properties: { dealname: `${run} deal ${n}`, dealstage: n % 3 ? "qualifiedtobuy" : "closedwon", amount: String(n * 10) },
  })),
});
const ours = { propertyName: "dealname", operator: "CONTAINS_TOKEN", value: run };
const where = (...filters) => ({ filterGroups: [{ filters: [ours, ...filters] }] });
const search = (body) =>
  deals.searchApi.doSearch({ properties: ["dealname", "amount"], sorts: [], limit: 100, after: "0", ...body });
const linkOf = (associationTypeId) => [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId }];

test("filters, order and the true total", async () => {
  const between = { propertyName: "amount", operator: "BETWEEN", value: "50", highValue: "120" };
  const found = await search({ ...where(between), sorts: ["-amount"], limit: 3 });
  assert.equal(found.total, 8);
  assert.deepEqual(found.results.map((one) => one.properties.amount), ["120", "110", "100"]);
  const won = await search(where({ propertyName: "dealstage", operator: "IN", values: ["closedwon"] }));
  assert.equal(won.total, 10);
});

test("pages of a search hold every record once", async () => {
  const seen = [];
  for (let after = "0"; after !== undefined; ) {
    const page = await search({ ...where(), limit: 7, after });
    seen.push(...page.results.map((one) => one.id));
    after = page.paging?.next?.after;
  }
  assert.deepEqual(seen.sort(), made.results.map((one) => one.id).sort());
});

test("a filter that is wrong is refused", async () => {
  await assert.rejects(search(where({ propertyName: "nope", operator: "EQ", value: "1" })), { code: 400 });
});

test("records are associated, with labels, in batches, and let go", async () => {
  const [company, contact] = await Promise.all([
    companies.basicApi.create({ properties: { name: run } }),
    contacts.basicApi.create({ properties: { email: `a@${run}.example` } }),
  ]);
  const deal = made.results[0].id;
  await associations.v4.basicApi.createDefault("deals", deal, "companies", company.id);
  await associations.v4.batchApi.create("deals", "contacts", {
    inputs: [{ _from: { id: deal }, to: { id: contact.id }, types: linkOf(AssociationTypes.dealToContact) }],
  });
  const read = await associations.v4.batchApi.getPage("deals", "companies", { inputs: [{ id: deal }] });
  assert.equal(String(read.results[0].to[0].toObjectId), company.id);
  const withThem = await deals.basicApi.getById(deal, undefined, undefined, ["companies", "contacts"]);
  assert.equal(withThem.associations.contacts.results[0].id, contact.id);
  const types = await associations.v4.schema.definitionsApi.getAll("deals", "companies");
  assert.ok(types.results.some((one) => one.label === "Primary"));
  await associations.v4.basicApi.archive("deals", deal, "contacts", contact.id);
  assert.equal((await associations.v4.basicApi.getPage("deals", deal, "contacts")).results.length, 0);
});

test("a record can be created with its associations", async () => {
  const company = await companies.basicApi.create({ properties: { name: `${run} two` } });
  const deal = await deals.basicApi.create({
    properties: { dealname: run, dealstage: "contractsent" },
    associations: [{ to: { id: company.id }, types: linkOf(AssociationTypes.primaryDealToCompany) }],
  });
  const linked = await associations.v4.basicApi.getPage("companies", company.id, "deals");
  assert.deepEqual(linked.results.map((one) => String(one.toObjectId)), [deal.id]);
});

test("pipelines, owners and schemas are there", async () => {
  const stages = (await pipelines.pipelinesApi.getById("deals", "default")).stages;
  assert.ok(stages.some((one) => one.id === "closedwon"));
  const page = await owners.ownersApi.getPage(undefined, undefined, 10);
  assert.ok(page.results[0].email.includes("@"));
  assert.ok(Array.isArray((await schemas.coreApi.getAll()).results));
});
