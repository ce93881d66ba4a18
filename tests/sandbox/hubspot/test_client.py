"""The official client, unchanged, through a working day."""

from __future__ import annotations

import pytest
from hubspot import HubSpot
from hubspot.crm.contacts.exceptions import ApiException as ContactsApiException
from hubspot.crm.deals.exceptions import ApiException, NotFoundException

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN
from crmsync.sandbox.hubspot import HubSpotPortal
from tests.sandbox.hubspot.conftest import Send


def test_a_deal_from_create_to_archive(client: HubSpot) -> None:
    api = client.crm.deals.basic_api
    made = api.create({"properties": {"dealname": "Pump station", "dealstage": "qualifiedtobuy", "amount": 1200}})
    assert made.properties["hs_is_closed"] == "false"
    api.update(made.id, {"properties": {"dealstage": "closedwon"}})
    found = api.get_by_id(made.id, properties=["dealstage", "hs_is_closed_won", "closedate", "no_such_property"])
    assert found.properties["hs_is_closed_won"] == "true"
    assert found.properties["closedate"] is None
    assert "no_such_property" not in found.properties
    api.archive(made.id)
    with pytest.raises(NotFoundException):
        api.get_by_id(made.id)
    assert [one.id for one in api.get_page(archived=True).results] == [made.id]


def test_get_all_walks_every_page_once(client: HubSpot, portal: HubSpotPortal) -> None:
    ids = portal.insert_rows("companies", [{"name": f"Company {n}"} for n in range(250)])
    assert [one.id for one in client.crm.companies.get_all()] == ids


def test_batches(client: HubSpot, portal: HubSpotPortal) -> None:
    portal.create_property("companies", "prm_key", has_unique_value=True)
    batch = client.crm.companies.batch_api
    inputs = [{"idProperty": "prm_key", "id": f"k{n}", "properties": {"name": f"Company {n}"}} for n in range(3)]
    first = batch.upsert({"inputs": inputs})
    assert {one.new for one in first.results} == {True}
    assert {one.new for one in batch.upsert({"inputs": inputs}).results} == {False}
    ids = [{"id": one.id} for one in first.results]
    read = batch.read({"inputs": [*ids, {"id": "404404"}], "properties": ["name"]})
    assert len(read.results) == 3
    assert read.errors[0].context == {"ids": ["404404"]}
    batch.archive({"inputs": ids})
    assert portal.count("companies") == 0


def test_search_pages(client: HubSpot, portal: HubSpotPortal) -> None:
    portal.insert_rows("deals", [{"dealname": f"Deal {n}", "amount": str(n)} for n in range(30)])
    body = {
        "filterGroups": [{"filters": [{"propertyName": "amount", "operator": "GTE", "value": "10"}]}],
        "sorts": [{"propertyName": "amount", "direction": "DESCENDING"}],
        "properties": ["amount"],
        "limit": 15,
    }
    first = client.crm.deals.search_api.do_search(body)
    assert (first.total, first.paging.next.after) == (20, "15")
    second = client.crm.deals.search_api.do_search({**body, "after": first.paging.next.after})
    amounts = [int(one.properties["amount"]) for one in [*first.results, *second.results]]
    assert amounts == list(range(29, 9, -1))
    assert second.paging is None


def test_associations(client: HubSpot, portal: HubSpotPortal) -> None:
    company, deal = portal.insert_rows("companies", [{"name": "Acme"}])[0], portal.insert_rows("deals", [{}])[0]
    api = client.crm.associations.v4.basic_api
    spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}]
    api.create("deals", deal, "companies", company, spec)
    page = api.get_page("deals", deal, "companies")
    assert [one.type_id for one in page.results[0].association_types] == [5, 341]
    read = client.crm.associations.v4.batch_api.get_page("deals", "contacts", {"inputs": [{"id": deal}]})
    assert read.errors[0].sub_category == "crm.associations.NO_ASSOCIATIONS_FOUND"
    api.archive("deals", deal, "companies", company)
    assert portal.associated("deals", deal, "companies") == {}


def test_properties_and_groups(client: HubSpot) -> None:
    client.crm.properties.groups_api.create("deals", {"name": "partner", "label": "Partner"})
    made = client.crm.properties.core_api.create(
        "deals",
        {
            "name": "prm_status",
            "label": "Status",
            "type": "enumeration",
            "fieldType": "select",
            "groupName": "partner",
            "options": [{"label": "Active", "value": "active", "displayOrder": 0, "hidden": False}],
        },
    )
    assert not made.modification_metadata.read_only_value
    names = {one.name for one in client.crm.properties.core_api.get_all("deals").results}
    assert {"dealname", "prm_status", "closed_lost_reason", "notes_last_updated"} <= names
    client.crm.properties.core_api.archive("deals", "prm_status")
    assert "prm_status" not in {one.name for one in client.crm.properties.core_api.get_all("deals").results}


def test_custom_objects(client: HubSpot) -> None:
    schema = client.crm.schemas.core_api.create(
        {
            "name": "prm_registration",
            "labels": {"singular": "Registration", "plural": "Registrations"},
            "primaryDisplayProperty": "prm_number",
            "requiredProperties": ["prm_number"],
            "searchableProperties": [],
            "secondaryDisplayProperties": [],
            "associatedObjects": ["COMPANY", "DEAL"],
            "properties": [
                {"name": "prm_number", "label": "Number", "type": "string", "fieldType": "text", "hasUniqueValue": True}
            ],
        }
    )
    made = client.crm.objects.basic_api.create(schema.fully_qualified_name, {"properties": {"prm_number": "R-1"}})
    for name in (schema.object_type_id, "prm_registration"):
        assert client.crm.objects.basic_api.get_by_id(name, "R-1", id_property="prm_number").id == made.id
    assert [one.name for one in client.crm.schemas.core_api.get_all().results] == ["prm_registration"]


def test_owners_and_pipelines(client: HubSpot, portal: HubSpotPortal) -> None:
    anna = portal.create_owner("anna@example.com", "Anna", "Berg")
    assert client.crm.owners.owners_api.get_page(email="anna@example.com").results[0].id == anna
    assert client.crm.owners.owners_api.get_by_id(int(anna)).first_name == "Anna"
    stages = client.crm.pipelines.pipelines_api.get_all("deals").results[0].stages
    assert [stage.id for stage in stages][-2:] == ["closedwon", "closedlost"]
    assert stages[-1].metadata == {"isClosed": "true", "probability": "0.0"}


def test_tasks_and_notes(client: HubSpot, portal: HubSpotPortal) -> None:
    deal = portal.insert_rows("deals", [{"dealname": "Pump"}])[0]
    link = {"to": {"id": deal}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 216}]}
    task = client.crm.objects.tasks.basic_api.create(
        {"properties": {"hs_timestamp": "1772445600000", "hs_task_subject": "Call"}, "associations": [link]}
    )
    assert task.properties["hs_task_status"] == "NOT_STARTED"
    assert portal.associated("deals", deal, "tasks") == {task.id: ()}
    link["types"][0]["associationTypeId"] = 214
    client.crm.objects.notes.basic_api.create(
        {
            "properties": {"hs_timestamp": "2026-03-02T10:00:00Z", "hs_note_body": "<b>Met</b> them"},
            "associations": [link],
        }
    )
    assert portal.get("deals", deal)["notes_last_updated"] == "2026-03-02T10:00:00Z"


def test_merging_makes_a_third_contact(client: HubSpot, portal: HubSpotPortal, send: Send) -> None:
    a, b = portal.insert_rows("contacts", [{"email": "a@example.com"}, {"email": "b@example.com", "phone": "1"}])
    merged = send("POST", "/crm/v3/objects/contacts/merge", {"primaryObjectId": a, "objectIdToMerge": b}).json()["id"]
    assert merged not in {a, b}
    for old in (a, b):
        assert client.crm.contacts.basic_api.get_by_id(old).id == merged
    values = portal.get("contacts", merged)
    assert values["hs_merged_object_ids"] == f"{a};{b}"
    assert (values["phone"], values["hs_additional_emails"]) == ("1", "b@example.com")


def test_errors_are_the_clients_own_exceptions(client: HubSpot, portal: HubSpotPortal) -> None:
    portal.insert_rows("contacts", [{"email": "a@example.com"}])
    with pytest.raises(ContactsApiException) as conflict:
        client.crm.contacts.basic_api.create({"properties": {"email": "A@example.com"}})
    assert conflict.value.status == 409
    with pytest.raises(ApiException) as bad:
        client.crm.deals.basic_api.create({"properties": {"dealstage": "won", "hs_object_id": "1", "nope": "x"}})
    assert all(code in bad.value.body for code in ("INVALID_OPTION", "READ_ONLY_VALUE", "PROPERTY_DOESNT_EXIST"))


def test_oauth_by_refresh_token(client: HubSpot, box: Sandbox) -> None:
    token = client.oauth.tokens_api.create(
        grant_type="refresh_token",
        client_id=HUBSPOT_CLIENT_ID,
        client_secret=HUBSPOT_CLIENT_SECRET,
        refresh_token=HUBSPOT_REFRESH_TOKEN,
    )
    assert token.expires_in == 1800
    assert HubSpot(access_token=token.access_token, host=box.url).crm.owners.owners_api.get_page().results
    assert client.oauth.access_tokens_api.get(token.access_token).token_type == "access"
