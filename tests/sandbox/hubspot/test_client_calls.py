"""Every call of the vendor's client that the connector makes, and the client's own helpers for bulk work."""

from __future__ import annotations

from typing import Any

from hubspot import HubSpot

from crmsync.sandbox.hubspot import HubSpotPortal


def test_get_all_of_every_object(client: HubSpot, portal: HubSpotPortal) -> None:
    for name in ("contacts", "companies", "deals", "tickets", "products", "line_items"):
        ids = portal.insert_rows(name, [{} for _ in range(101)])
        found = getattr(client.crm, name).get_all(properties=["createdate"])
        assert [one.id for one in found] == ids


def test_get_all_of_what_was_archived(client: HubSpot, portal: HubSpotPortal) -> None:
    ids = portal.insert_rows("deals", [{} for _ in range(3)])
    portal.archive("deals", ids[1])
    assert [one.id for one in client.crm.deals.get_all(archived=True)] == [ids[1]]
    assert [one.id for one in client.crm.deals.get_all()] == [ids[0], ids[2]]


def test_get_all_with_associations_and_history(client: HubSpot, portal: HubSpotPortal) -> None:
    deal, company = portal.insert_rows("deals", [{"amount": "1"}])[0], portal.insert_rows("companies", [{}])[0]
    portal.associate("deals", deal, "companies", company)
    (found,) = client.crm.deals.get_all(associations=["companies"], properties_with_history=["amount"])
    assert found.associations["companies"].results[0].id == company
    assert found.properties_with_history["amount"][0].value == "1"


def test_a_batch_of_a_hundred_through_all_its_lives(client: HubSpot, portal: HubSpotPortal) -> None:
    portal.create_property("deals", "prm_key", has_unique_value=True)
    api: Any = client.crm.objects.batch_api
    inputs = [{"objectWriteTraceId": str(n), "properties": {"prm_key": f"k{n}", "amount": n}} for n in range(100)]
    made = {one.object_write_trace_id: one.id for one in api.create("deals", {"inputs": inputs}).results}
    ids = [made[str(n)] for n in range(100)]
    assert [portal.get("deals", one)["prm_key"] for one in ids] == [f"k{n}" for n in range(100)]
    api.update("deals", {"inputs": [{"id": one, "properties": {"amount": "7"}} for one in ids]})
    by_key = [{"id": f"k{n}", "idProperty": "prm_key", "properties": {"dealname": f"D{n}"}} for n in range(100)]
    assert {one.id for one in api.upsert("deals", {"inputs": by_key}).results} == set(ids)
    asked = {"inputs": [{"id": f"k{n}"} for n in range(100)], "idProperty": "prm_key", "properties": ["amount"]}
    assert {one.properties["amount"] for one in api.read("deals", asked).results} == {"7"}
    api.archive("deals", {"inputs": [{"id": one} for one in ids]})
    assert portal.count("deals") == 0


def test_search_by_keyset(client: HubSpot, portal: HubSpotPortal) -> None:
    ids = portal.insert_rows("deals", [{} for _ in range(450)])
    found: list[str] = []
    last = "0"
    while True:
        filters = [{"propertyName": "hs_object_id", "operator": "GT", "value": last}]
        sorts = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
        body = {"filterGroups": [{"filters": filters}], "sorts": sorts, "properties": ["hs_object_id"], "limit": 200}
        page = client.crm.objects.search_api.do_search("deals", body).results
        if not page:
            break
        found += [one.id for one in page]
        last = found[-1]
    assert found == ids


def test_association_batches_and_labels(client: HubSpot, portal: HubSpotPortal) -> None:
    deal, company = portal.insert_rows("deals", [{}])[0], portal.insert_rows("companies", [{}])[0]
    pair = {"from": {"id": deal}, "to": {"id": company}}
    v4 = client.crm.associations.v4
    v4.batch_api.create_default("deals", "companies", {"inputs": [pair]})
    label = v4.schema.definitions_api.create("deals", "companies", {"label": "Partner", "name": "partner"}).results[0]
    types = [{"associationCategory": "USER_DEFINED", "associationTypeId": label.type_id}]
    v4.batch_api.create("deals", "companies", {"inputs": [{**pair, "types": types}]})
    assert label.type_id in {one.type_id for one in v4.schema.definitions_api.get_all("deals", "companies").results}
    (read,) = v4.batch_api.get_page("deals", "companies", {"inputs": [{"id": deal}]}).results
    assert {one.label for one in read.to[0].association_types} == {None, "Partner"}
    v4.batch_api.archive_labels("deals", "companies", {"inputs": [{**pair, "types": types}]})
    assert portal.associated("deals", deal, "companies") == {company: ()}
    v4.batch_api.archive("deals", "companies", {"inputs": [{"from": {"id": deal}, "to": [{"id": company}]}]})
    assert portal.associated("deals", deal, "companies") == {}


def test_provisioning(client: HubSpot) -> None:
    groups, core = client.crm.properties.groups_api, client.crm.properties.core_api
    groups.create("companies", {"name": "prm", "label": "Partner"})
    assert "prm" in {one.name for one in groups.get_all("companies").results}
    text = {"label": "A", "type": "string", "fieldType": "text", "groupName": "prm"}
    batch = client.crm.properties.batch_api
    made = batch.create("companies", {"inputs": [{**text, "name": "prm_a"}, {**text, "name": "prm_b"}]})
    assert {one.name for one in made.results} == {"prm_a", "prm_b"}
    again = batch.create("companies", {"inputs": [{**text, "name": "prm_a"}]})
    assert again.errors[0].sub_category == "Properties.PROPERTY_WITH_NAME_EXISTS"
    assert core.update("companies", "prm_a", {"label": "Again"}).label == "Again"
    read = batch.read("companies", {"inputs": [{"name": "prm_a"}, {"name": "prm_b"}], "archived": False})
    assert len(read.results) == 2
    batch.archive("companies", {"inputs": [{"name": "prm_a"}, {"name": "prm_b"}]})
    assert not {"prm_a", "prm_b"} & {one.name for one in core.get_all("companies").results}
