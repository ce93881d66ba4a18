"""Whatever is sent, the portal answers, in time and never with a 500."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN
from tests.sandbox.hubspot import fuzzing
from tests.sandbox.hubspot.fuzzing import Case, Odd

TIMEOUT_S = 10
FEW = settings(max_examples=120, deadline=None, database=None, derandomize=True, suppress_health_check=[*HealthCheck])
MANY = settings(FEW, max_examples=600)
OBJECTS, LINKS, PRIMARY = "/crm/v3/objects", "/crm/v4/associations/deals/companies", ("HUBSPOT_DEFINED", 5)


class Target:
    """One portal for all examples: what odd requests leave behind must not break the later ones."""

    def __init__(self, box: Sandbox) -> None:
        portal = box.hubspot
        portal.create_schema("prm_thing", ("T", "Ts"), [{"name": "k", "hasUniqueValue": True}], "k")
        portal.create_property("deals", "flags", "enumeration", "checkbox", options=["a", "b"])
        portal.create_property("deals", "signed_on", "date", "date")
        portal.create_property("deals", "code", has_unique_value=True)
        self.deal = portal.insert_rows("deals", [{"dealname": "A", "amount": "5"}])[0]
        self.company = portal.insert_rows("companies", [{"name": "X"}])[0]
        self.contact = portal.insert_rows("contacts", [{"email": "a@b.example"}])[0]
        self.ids = (self.deal, self.company, self.contact)
        self._host = box.url.removeprefix("http://")
        self._connection = http.client.HTTPConnection(self._host, timeout=TIMEOUT_S)

    def send(self, odd: Odd) -> tuple[int, bytes]:
        return fuzzing.send(self._connection, odd)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with Sandbox(world="blank") as box:
        target = Target(box)
        yield target
        target.close()


def cases(target: Target) -> list[Case]:
    types = [{"associationCategory": PRIMARY[0], "associationTypeId": PRIMARY[1]}]
    pair = {"from": {"id": target.deal}, "to": {"id": target.company}, "types": types}
    deal = {
        "dealname": "N", "amount": "5", "closedate": "2026-01-01", "signed_on": "2026-01-01", "pipeline": "default",
        "dealstage": "qualifiedtobuy", "flags": "a;b", "code": "u", "createdate": "2026-01-01",
    }  # fmt: skip
    stage = {"label": "S", "displayOrder": 0, "metadata": {"probability": "0.5"}, "stageId": "s"}
    definition = {
        "name": "fresh", "label": "N", "type": "enumeration", "fieldType": "select", "groupName": "dealinformation",
        "options": [{"label": "a", "value": "a", "displayOrder": 1}], "hasUniqueValue": False,
    }  # fmt: skip
    writes = [
        ("POST", f"{OBJECTS}/deals", {"properties": deal, "associations": [{"to": pair["to"], "types": types}]}),
        ("PATCH", f"{OBJECTS}/deals/{target.deal}", {"properties": deal}),
        ("POST", f"{OBJECTS}/line_items", {"properties": {"price": "5", "quantity": "6", "discount": "1"}}),
        ("POST", f"{OBJECTS}/tasks", {"properties": {"hs_timestamp": "1", "hs_task_status": "COMPLETED"}}),
        ("POST", f"{OBJECTS}/deals/batch/create", {"inputs": [{"objectWriteTraceId": "1", "properties": deal}]}),
        ("POST", f"{OBJECTS}/deals/batch/update", {"inputs": [{"id": target.deal, "properties": deal}]}),
        ("POST", f"{OBJECTS}/deals/batch/upsert", {"inputs": [{"id": "u", "idProperty": "code", "properties": {}}]}),
        ("POST", f"{OBJECTS}/contacts/merge", {"primaryObjectId": target.contact, "objectIdToMerge": "9"}),
        ("PUT", f"/crm/v4/objects/deals/{target.deal}/associations/companies/{target.company}", types),
        ("POST", f"{LINKS}/batch/create", {"inputs": [pair]}),
        ("POST", f"{LINKS}/batch/archive", {"inputs": [{**pair, "to": [pair["to"]]}]}),
        ("POST", f"{LINKS}/batch/labels/archive", {"inputs": [pair]}),
        ("POST", f"{LINKS}/labels", {"label": "L", "name": "l", "inverseLabel": "K"}),
        ("POST", "/crm/v3/properties/deals", definition),
        ("PATCH", "/crm/v3/properties/deals/flags", {"label": "F", "options": definition["options"]}),
        ("POST", "/crm/v3/pipelines/deals", {"label": "P", "displayOrder": 1, "stages": [stage]}),
        ("PATCH", "/crm/v3/pipelines/deals/default/stages/qualifiedtobuy", stage),
        ("PATCH", "/crm-object-schemas/v3/schemas/prm_thing", {"labels": {"singular": "A"}, "requiredProperties": []}),
    ]  # fmt: skip
    return [*writes, *(("POST", f"{OBJECTS}/deals/search", body) for body in _searches())]


def _searches() -> Iterator[dict[str, Any]]:
    filters = (("amount", "EQ"), ("dealname", "CONTAINS_TOKEN"), ("signed_on", "BETWEEN"), ("hs_object_id", "IN"),
               ("flags", "NOT_IN"), ("associations.company", "IN"), ("createdate", "LT"))  # fmt: skip
    for name, operator in filters:
        asked = {"propertyName": name, "operator": operator, "value": "5", "values": ["5"], "highValue": "6"}
        sorts = [{"propertyName": "amount", "direction": "ASCENDING"}]
        yield {"filterGroups": [{"filters": [asked]}], "sorts": sorts, "limit": 5, "after": "0", "query": "x"}


def test_one_odd_value(target: Target) -> None:
    @MANY
    @given(fuzzing.mutations(cases(target)))
    def run(odd: Odd) -> None:
        status, body = target.send(odd)
        assert status < 500, body

    run()


def test_requests_that_no_client_should_send(target: Target) -> None:
    @FEW
    @given(fuzzing.requests(target.ids))
    def run(odd: Odd) -> None:
        status, body = target.send(odd)
        assert status < 500
        assert b"Traceback" not in body

    run()


@pytest.mark.parametrize("raw", fuzzing.RAW, ids=lambda raw: repr(raw[:16]))
def test_bodies_that_are_no_json(target: Target, raw: bytes) -> None:
    for path in (f"{OBJECTS}/deals", f"{OBJECTS}/deals/search", f"{LINKS}/batch/read", "/oauth/v1/token"):
        status, body = target.send(Odd("POST", path, raw, {"Content-Type": "application/json"}))
        assert (status, b"Traceback" in body) in {(200, False), (207, False), (400, False)}


@pytest.mark.parametrize("name", ["Authorization", "Content-Type", "Accept-Encoding", "Content-Encoding"])
def test_odd_headers(target: Target, name: str) -> None:
    for value in ("\x80\xff", "Bearer", "a" * 4_000, "gzip;q=x", f"bearer  {HUBSPOT_TOKEN} "):
        status, _ = target.send(Odd("GET", f"{OBJECTS}/deals", b"", {name: value}))
        assert status in {200, 401}
