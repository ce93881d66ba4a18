"""The portal answers what HubSpot answered, where a recording has to be cut or bent before it can be compared.

What is replayed whole stands in ``tests/sandbox/conformance``; the recordings, with their sources, in
``fixtures/recorded/hubspot``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from crmsync.sandbox import Sandbox
from crmsync.sandbox.hubspot import HubSpotPortal
from tests.sandbox.hubspot.conftest import Send

RECORDED = Path(__file__).parents[3] / "fixtures" / "recorded" / "hubspot"
_PATTERNS = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<instant>"),
    (r"https://app[-a-z0-9]*\.hubspot\.com", "<app>"),
    (r"\d{4,}", "<n>"),
)


def recorded(name: str) -> Any:
    return json.loads((RECORDED / "amp-labs" / f"{name}.json").read_text())


def exchanges(folder: str, cassette: str) -> list[dict[str, Any]]:
    every = json.loads((RECORDED / folder / "exchanges.json").read_text())
    return [one for one in every if cassette in (one.get("cassette"), one.get("session"))]


def plain(value: Any) -> Any:
    """Ids, instants and hosts blotted out; batches in no order."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items() if key not in {"url", "portalId"}}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and value > 999:
        return "<whole number>"
    if isinstance(value, str):
        for pattern, mark in _PATTERNS:
            value = re.sub(pattern, mark, value)
    return value


def envelope(body: dict[str, Any]) -> dict[str, Any]:
    """Without the properties of the results, of which new ones appear every year."""
    results = [{key: one[key] for key in one if key != "properties"} for one in body["results"]]
    return plain({**body, "results": results})


@pytest.fixture
def contact(portal: HubSpotPortal) -> str:
    return portal.insert_rows("contacts", [{"email": "siena.dyer@hubspot.com", "firstname": "Siena"}])[0]


def test_with_trace_ids_the_rest_is_created(send: Send, contact: str) -> None:
    inputs = [
        {"objectWriteTraceId": "0", "properties": {"email": "siena.dyer@hubspot.com"}},
        {"objectWriteTraceId": "1", "properties": {"email": "new@hubspot.com"}},
    ]
    answer = send("POST", "/crm/v3/objects/contacts/batch/create", {"inputs": inputs})
    theirs = recorded("test__batch__create__contacts__err-partial-success")
    assert answer.status_code == 207
    assert plain(answer.json()["errors"]) == plain(theirs["errors"])
    assert answer.json()["results"][0]["objectWriteTraceId"] == "1"


def test_unknown_ids_stand_beside_the_updated(send: Send, contact: str) -> None:
    inputs = [
        {"id": contact, "properties": {"firstname": "Siena (updated)", "lastname": "Dyer (updated)"}},
        {"id": "unknownIdentifier888", "properties": {"firstname": "x"}},
    ]
    answer = send("POST", "/crm/v3/objects/contacts/batch/update", {"inputs": inputs})
    theirs = recorded("test__batch__update__contacts__err-partial-success")
    assert (answer.status_code, envelope(answer.json())) == (207, envelope(theirs))


def test_that_nothing_is_associated_is_an_error_entry(send: Send, portal: HubSpotPortal, contact: str) -> None:
    company, other = portal.insert_rows("companies", [{"name": "A"}])[0], portal.insert_rows("contacts", [{}])[0]
    portal.associate("contacts", contact, "companies", company, "primary")
    body = {"inputs": [{"id": contact}, {"id": other}]}
    answer = send("POST", "/crm/v4/associations/contacts/companies/batch/read", body)
    theirs = recorded("test__search__contacts__contacts-to-companies")
    theirs["numErrors"] = 1  # the recording keeps one of its 36 errors
    theirs["results"][0]["from"]["id"] = contact
    assert (answer.status_code, plain(answer.json())) == (207, plain(theirs))


def test_associating_with_itself(send: Send, contact: str) -> None:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 449}]
    pairs = ((contact, "unknown_id_123456798"), (contact, contact))
    inputs = [{"from": {"id": a}, "to": {"id": b}, "types": types} for a, b in pairs]
    answer = send("POST", "/crm/v4/associations/contacts/contacts/batch/create", {"inputs": inputs})
    theirs = recorded("internal__associations__test__err-contact-to-contact")
    assert (answer.status_code, plain(answer.json())) == (207, plain(theirs))


def test_property_definitions(send: Send) -> None:
    ours = {one["name"]: one for one in send("GET", "/crm/v3/properties/contacts").json()["results"]}
    for one in recorded("test__metadata-contacts-properties-sampled")["results"]:
        if one["name"] in ours:
            assert ours[one["name"]].keys() >= one.keys() - {"referencedObjectType", "showCurrencySymbol"}
            assert (ours[one["name"]]["type"], ours[one["name"]]["fieldType"]) == (one["type"], one["fieldType"])
            modification = ours[one["name"]]["modificationMetadata"]
            assert modification["readOnlyValue"] == one["modificationMetadata"]["readOnlyValue"]


def test_account(send: Send) -> None:
    assert send("GET", "/account-info/v3/details").json().keys() == recorded("test__post-auth__account-info").keys()


def test_a_missing_scope(send: Send, portal: HubSpotPortal) -> None:
    weak = {"Authorization": f"Bearer {portal.tokens.issue(['crm.objects.owners.read'])}"}
    answer = send("GET", "/crm/v3/schemas", headers=weak)
    theirs = recorded("test__metadata-err-schemas-scope")
    assert answer.status_code == 403
    assert {key: answer.json()[key] for key in ("status", "message", "category")} == {
        key: theirs[key] for key in ("status", "message", "category")
    }
    assert answer.json()["context"].keys() == theirs["context"].keys()


def test_schema_of_a_standard_object(send: Send) -> None:
    theirs = recorded("internal__associations__test__contacts-schema-resp")
    ours = send("GET", "/crm-object-schemas/v3/schemas/contacts").json()
    assert ours.keys() >= theirs.keys() - {"description"}
    assert ours["associations"][0].keys() == theirs["associations"][0].keys()
    assert {"279", "4"} <= {one["id"] for one in ours["associations"]}


def test_the_search_limit(box: Sandbox, send: Send, portal: HubSpotPortal) -> None:
    box.clock.freeze()
    (exchange,) = (one for one in exchanges("grouparoo", "contact") if one["status"] == 429)
    for name in ("text_field", "number_field", "date_field", "grouparoo_custom_text", "grouparoo_custom_number"):
        portal.create_property("contacts", name)
    portal.limits.enforce = True
    answers = [send("POST", exchange["path"], exchange["request"]) for _ in range(6)]
    assert [one.status_code for one in answers] == [200] * 5 + [429]
    assert plain(answers[-1].json()) == plain(exchange["body"])
    shown = {name.lower() for name in answers[-1].headers if name.lower().startswith("x-")}
    assert shown == {name.lower() for name in exchange["headers"] if name.lower().startswith("x-")}
    assert "Retry-After" not in answers[-1].headers
