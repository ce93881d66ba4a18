"""Associations: labels, primaries, families, and the properties that mirror them."""

from __future__ import annotations

from typing import Any

import pytest

from crmsync.sandbox import Sandbox
from crmsync.sandbox.hubspot import HubSpotPortal
from tests.sandbox.hubspot.conftest import Send

PRIMARY, PLAIN = 5, 341


@pytest.fixture
def deal(portal: HubSpotPortal) -> str:
    return portal.insert_rows("deals", [{"dealname": "Pump"}])[0]


@pytest.fixture
def companies(portal: HubSpotPortal) -> list[str]:
    return portal.insert_rows("companies", [{"name": "Acme"}, {"name": "Beta"}])


def _put(send: Send, deal: str, company: str, *types: int | tuple[str, int]) -> dict[str, Any]:
    pairs = [one if isinstance(one, tuple) else ("HUBSPOT_DEFINED", one) for one in types]
    body = [{"associationCategory": category, "associationTypeId": number} for category, number in pairs]
    answer = send("PUT", f"/crm/v4/objects/deals/{deal}/associations/companies/{company}", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def _types(send: Send, deal: str) -> dict[str, list[int]]:
    results = send("GET", f"/crm/v4/objects/deals/{deal}/associations/companies").json()["results"]
    return {str(one["toObjectId"]): [kind["typeId"] for kind in one["associationTypes"]] for one in results}


def test_one_primary_company(send: Send, portal: HubSpotPortal, deal: str, companies: list[str]) -> None:
    _put(send, deal, companies[0], PRIMARY)
    assert portal.get("deals", deal)["hs_primary_associated_company"] == companies[0]
    _put(send, deal, companies[1], PRIMARY)
    assert _types(send, deal) == {companies[0]: [PLAIN], companies[1]: [PRIMARY, PLAIN]}
    assert portal.get("deals", deal)["hs_primary_associated_company"] == companies[1]


def test_labels_replace(send: Send, portal: HubSpotPortal, deal: str, companies: list[str]) -> None:
    label = {"label": "Partner", "name": "partner"}
    made = send("POST", "/crm/v4/associations/deals/companies/labels", label).json()["results"]
    partner = made[0]["typeId"]
    assert [one["category"] for one in made] == ["USER_DEFINED", "USER_DEFINED"]
    assert _put(send, deal, companies[0], PRIMARY)["labels"] == ["Primary"]
    _put(send, deal, companies[0], ("USER_DEFINED", partner))
    assert _types(send, deal) == {companies[0]: [PLAIN, partner]}
    body = {
        "inputs": [
            {
                "from": {"id": deal},
                "to": {"id": companies[0]},
                "types": [{"associationCategory": "USER_DEFINED", "associationTypeId": partner}],
            }
        ]
    }
    assert send("POST", "/crm/v4/associations/deals/companies/batch/labels/archive", body).status_code == 204
    assert _types(send, deal) == {companies[0]: [PLAIN]}
    back = send("GET", f"/crm/v4/objects/companies/{companies[0]}/associations/deals").json()["results"]
    assert [kind["typeId"] for kind in back[0]["associationTypes"]] == [342]


def test_the_default_is_added_beside(send: Send, deal: str, companies: list[str]) -> None:
    _put(send, deal, companies[0], PRIMARY)
    path = f"/crm/v4/objects/deals/{deal}/associations/default/companies/{companies[0]}"
    assert send("PUT", path).status_code == 200
    assert _types(send, deal) == {companies[0]: [PRIMARY, PLAIN]}


def test_a_contact_follows_its_primary_company(send: Send, portal: HubSpotPortal, companies: list[str]) -> None:
    made = send("POST", "/crm/v3/objects/contacts", {"properties": {"associatedcompanyid": companies[0]}}).json()["id"]
    assert portal.associated("contacts", made, "companies") == {companies[0]: ("Primary",)}
    portal.link("contacts", made, "companies", companies[1], "primary")
    assert portal.get("contacts", made)["associatedcompanyid"] == companies[1]
    send("PATCH", f"/crm/v3/objects/contacts/{made}", {"properties": {"associatedcompanyid": ""}})
    assert portal.associated("contacts", made, "companies") == {companies[0]: (), companies[1]: ()}


def test_parents_and_children(send: Send, portal: HubSpotPortal, companies: list[str]) -> None:
    parent, child = companies
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 13}]
    inputs = [{"from": {"id": parent}, "to": {"id": child}, "types": types}]
    assert send("POST", "/crm/v4/associations/companies/companies/batch/create", {"inputs": inputs}).status_code == 201
    assert portal.get("companies", child)["hs_parent_company_id"] == parent
    assert portal.get("companies", parent)["hs_num_child_companies"] == "1"
    third = portal.create("companies", {"name": "Group"})
    send("PATCH", f"/crm/v3/objects/companies/{child}", {"properties": {"hs_parent_company_id": third}})
    assert portal.associated("companies", child, "companies") == {third: ("Parent Company",)}
    assert portal.get("companies", parent)["hs_num_child_companies"] == "0"


def test_bulk_loading_mirrors_too(portal: HubSpotPortal, deal: str, companies: list[str]) -> None:
    contact = portal.insert_rows("contacts", [{"associatedcompanyid": companies[0]}])[0]
    assert portal.associated("contacts", contact, "companies") == {companies[0]: ("Primary",)}
    portal.associate_many("companies", "companies", [(companies[1], companies[0], "Parent Company")])
    assert portal.get("companies", companies[1])["hs_parent_company_id"] == companies[0]
    assert portal.audit == []


def test_create_bodies_carry_associations(send: Send, portal: HubSpotPortal, deal: str) -> None:
    link = {"to": {"id": deal}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 214}]}
    body = {"properties": {"hs_timestamp": "2026-03-02T10:00:00Z"}, "associations": [link]}
    note = send("POST", "/crm/v3/objects/notes", body).json()["id"]
    assert portal.associated("notes", note, "deals") == {deal: ()}
    link["to"]["id"] = "404404"
    assert send("POST", "/crm/v3/objects/notes", body).json()["message"] == "DEAL=404404 is not valid"


def test_lists_show_old_style_types(send: Send, portal: HubSpotPortal, deal: str, companies: list[str]) -> None:
    portal.associate("deals", deal, "companies", companies[0], "primary")
    (row,) = send("GET", "/crm/v3/objects/deals?associations=companies,contacts").json()["results"]
    kinds = ["deal_to_company", "deal_to_company_unlabeled"]
    assert row["associations"] == {"companies": {"results": [{"id": companies[0], "type": kind} for kind in kinds]}}
    v3 = send("POST", "/crm/v3/associations/deals/companies/batch/read", {"inputs": [{"id": deal}]}).json()
    assert v3["results"][0]["to"] == row["associations"]["companies"]["results"]


def test_many_associations_page(send: Send, portal: HubSpotPortal, companies: list[str]) -> None:
    deals = portal.insert_rows("deals", [{} for _ in range(501)])
    portal.associate_many("deals", "companies", [(one, companies[0]) for one in deals])
    path = "/crm/v4/associations/companies/deals/batch/read"
    first = send("POST", path, {"inputs": [{"id": companies[0]}]}).json()["results"][0]
    assert len(first["to"]) == 500
    after = first["paging"]["next"]["after"]
    rest = send("POST", path, {"inputs": [{"id": companies[0], "after": after}]}).json()["results"][0]
    assert [one["toObjectId"] for one in rest["to"]] == [int(deals[-1])]


def test_associating_moves_the_modified_dates(
    box: Sandbox, portal: HubSpotPortal, deal: str, companies: list[str]
) -> None:
    before = portal.get("companies", companies[0])["hs_lastmodifieddate"]
    box.clock.advance(1)
    portal.link("deals", deal, "companies", companies[0])
    assert portal.get("companies", companies[0])["hs_lastmodifieddate"] > before
    portal.behaviour.associations_touch = False
    portal.link("deals", deal, "companies", companies[1])
    assert portal.get("companies", companies[1])["num_associated_deals"] == "1"
