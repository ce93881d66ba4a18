"""Bodies of 2025 and 2026: batches that succeed, fail in part and are refused, properties, pipelines, associations.

Of these only the body was recorded; the status is the one that their code expects.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN
from crmsync.sandbox.hubspot import HubSpotPortal
from tests.sandbox.conformance.framework import Answer, Exchange, Ledger, judge
from tests.sandbox.conformance.hubspot.differences import DIFFERENCES
from tests.sandbox.conformance.hubspot.normal import deltas
from tests.sandbox.conformance.hubspot.sessions import RECORDED

CONTACTS, PROPERTIES = "/crm/v3/objects/contacts", "/crm/v3/properties/contacts"
SIENA = "siena.dyer@hubspot.com"


def recorded(name: str) -> Any:
    return json.loads((RECORDED / "amp-labs" / f"{name}.json").read_text())


def nothing(_portal: HubSpotPortal) -> None:
    pass


def _contact(portal: HubSpotPortal) -> None:
    portal.insert_rows("contacts", [{"email": SIENA, "firstname": "Siena", "hs_object_id": "171591000198"}])


def _contacts_to_update(portal: HubSpotPortal) -> None:
    for one in recorded("test__batch__update__contacts__success")["results"]:
        kept = ("createdate", "hs_is_unworked", "hs_object_id", "hs_pipeline", "lifecyclestage")
        given = {name: value for name, value in one["properties"].items() if name in kept or "source" in name}
        portal.insert_rows("contacts", [given])


def _contacts_to_read(portal: HubSpotPortal) -> None:
    for one in recorded("test__read__objects-api__contacts-batch")["results"]:
        portal.insert_rows("contacts", [one["properties"]])


def _group(portal: HubSpotPortal) -> None:
    name, label = "integrationcreatedproperties", "Integration Created Properties"
    with portal.database.transaction():
        portal.catalog.save_group("0-1", {"name": name, "label": label, "displayOrder": -1, "archived": False})


def _properties(portal: HubSpotPortal) -> None:
    _group(portal)
    portal.create_property("contacts", "age__c", "number", "number", "Age", group="integrationcreatedproperties")
    portal.create_property(
        "contacts", "interests__c", "enumeration", "select", "Interests", ["art"], group="integrationcreatedproperties"
    )


@dataclass(frozen=True)
class Case:
    name: str
    method: str
    path: str
    request: Any
    status: int
    needed: Callable[[HubSpotPortal], None] = nothing


def _inputs(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"inputs": list(rows)}


def _bad(**more: Any) -> dict[str, Any]:
    return {**more, "properties": {"first000name": "a", "last000name": "b"}}


def _created() -> list[dict[str, Any]]:
    theirs = recorded("test__batch__create__contacts__success")["results"]
    names = ("email", "firstname", "lastname")
    return [{"properties": {name: one["properties"][name] for name in names}} for one in theirs]


def _updated() -> list[dict[str, Any]]:
    theirs = recorded("test__batch__update__contacts__success")["results"]
    names = ("firstname", "lastname")
    return [{"id": one["id"], "properties": {name: one["properties"][name] for name in names}} for one in theirs]


_TWICE = ({"id": "123456", "properties": {"firstname": "a"}}, {"id": "123456", "properties": {"lastname": "b"}})
_TO_READ = [{"id": one["id"]} for one in recorded("test__read__objects-api__contacts-batch")["results"]]
_READ = {"inputs": _TO_READ, "properties": ["email", "firstname", "lastname"]}
CASES = (
    Case("test__batch__create__contacts__success", "POST", f"{CONTACTS}/batch/create", _inputs(*_created()), 201),
    Case("test__batch__create__contacts__err-conflict", "POST", f"{CONTACTS}/batch/create",
         _inputs({"properties": {"email": SIENA}}), 409, _contact),
    Case("test__batch__create__contacts__err-many-invalid-properties", "POST", f"{CONTACTS}/batch/create",
         _inputs(_bad(), _bad()), 400),
    Case("test__batch__update__contacts__success", "POST", f"{CONTACTS}/batch/update", _inputs(*_updated()), 200,
         _contacts_to_update),
    Case("test__batch__update__contacts__err-many-invalid-properties", "POST", f"{CONTACTS}/batch/update",
         _inputs(*(_bad(id=one["id"]) for one in _updated()[:2])), 400, _contacts_to_update),
    Case("test__batch__update__contacts__err-duplicate-ids", "POST", f"{CONTACTS}/batch/update", _inputs(*_TWICE), 400),
    Case("test__read__objects-api__contacts-batch", "POST", f"{CONTACTS}/batch/read", _READ, 200, _contacts_to_read),
    Case("test__search__error-invalid-object", "POST", "/crm/v3/objects/butterflies/search", {}, 400),
    Case("test__custom__create__2-response-create-property-group", "POST", f"{PROPERTIES}/groups",
         recorded("test__custom__create__1-payload-create-property-group"), 201),
    Case("test__custom__update__1-read-property-group", "GET", f"{PROPERTIES}/groups/integrationcreatedproperties",
         None, 200, _group),
    Case("test__custom__create__4-response-batch-create-properties", "POST", f"{PROPERTIES}/batch/create",
         recorded("test__custom__create__3-payload-batch-create-properties"), 201, _group),
    Case("test__custom__update__3-response-batch-create-properties", "POST", f"{PROPERTIES}/batch/create",
         recorded("test__custom__update__2-payload-batch-create-properties"), 207, _properties),
    Case("test__custom__update__5-response-update-property-age", "PATCH", f"{PROPERTIES}/age__c",
         recorded("test__custom__update__4-payload-update-property-age"), 200, _properties),
    Case("test__custom__update__7-response-update-property-interests", "PATCH", f"{PROPERTIES}/interests__c",
         recorded("test__custom__update__6-payload-update-property-interests"), 200, _properties),
    Case("test__metadata-deals-external-pipelines", "GET", "/crm/v3/pipelines/deals", None, 200),
    Case("test__metadata-contacts-external-pipelines", "GET", "/crm/v3/pipelines/contacts", None, 200),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_body(box: Sandbox, http: requests.Session, ledger: Ledger, case: Case) -> None:
    case.needed(box.hubspot)
    authorization = {"Authorization": f"Bearer {HUBSPOT_TOKEN}"}
    answer = http.request(case.method, box.url + case.path, json=case.request, headers=authorization, timeout=10)
    theirs = recorded(case.name)
    exchange = Exchange("amp-labs", case.name, case.method, case.path, case.status, {}, case.request, theirs)
    names = _named(theirs, answer.json())
    found = deltas(exchange, Answer(answer.status_code, {}, answer.json()), *names)
    judge(exchange, list(found), DIFFERENCES, ledger)


def _named(theirs: Any, ours: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Records by their first name, which both answers have."""
    marks = []
    for body in (theirs, ours):
        listed = body.get("results", []) if isinstance(body, dict) else []
        people = [one for one in listed if isinstance(one, dict) and "firstname" in one.get("properties", {})]
        marks.append({one["id"]: f"#{one['properties']['firstname']}" for one in people})
    return marks[0], marks[1]
