"""The portal answers what HubSpot answered: same status, same shape, same words, apart from ids, instants and names.

What is compared stands in ``fixtures/recorded/hubspot`` with its sources.
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


def assert_covers(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Every property that HubSpot answered, with the same kind of value."""
    assert plain(theirs).items() <= plain(ours).items()


@pytest.fixture
def contact(portal: HubSpotPortal) -> str:
    return portal.insert_rows("contacts", [{"email": "siena.dyer@hubspot.com", "firstname": "Siena"}])[0]


def test_contacts_are_created_in_a_batch(send: Send) -> None:
    theirs = recorded("test__batch__create__contacts__success")
    inputs = [
        {"properties": {k: one["properties"][k] for k in ("email", "firstname", "lastname")}}
        for one in theirs["results"]
    ]
    answer = send("POST", "/crm/v3/objects/contacts/batch/create", {"inputs": inputs})
    assert (answer.status_code, envelope(answer.json())) == (201, envelope(theirs))
    ours = {one["properties"]["email"]: one["properties"] for one in answer.json()["results"]}
    agent = ("hs_currently_enrolled_in_prospecting_agent", "hs_prospecting_agent", "hs_sequences", "hs_membership")
    for one in theirs["results"]:
        known = {k: v for k, v in one["properties"].items() if not k.startswith(agent)}
        assert_covers(ours[one["properties"]["email"]], known)


def test_a_known_email_is_a_conflict(send: Send, contact: str) -> None:
    inputs = [{"properties": {"email": "siena.dyer@hubspot.com"}}]
    answer = send("POST", "/crm/v3/objects/contacts/batch/create", {"inputs": inputs})
    assert (answer.status_code, plain(answer.json())) == (
        409,
        plain(recorded("test__batch__create__contacts__err-conflict")),
    )


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


def test_unknown_properties_refuse_the_whole_batch(send: Send) -> None:
    inputs = [{"properties": {"first000name": "a", "last000name": "b"}}] * 2
    answer = send("POST", "/crm/v3/objects/contacts/batch/create", {"inputs": inputs})
    theirs = recorded("test__batch__create__contacts__err-many-invalid-properties")
    assert (answer.status_code, plain(answer.json())) == (400, plain(theirs))


def test_unknown_ids_stand_beside_the_updated(send: Send, contact: str) -> None:
    inputs = [
        {"id": contact, "properties": {"firstname": "Siena (updated)", "lastname": "Dyer (updated)"}},
        {"id": "unknownIdentifier888", "properties": {"firstname": "x"}},
    ]
    answer = send("POST", "/crm/v3/objects/contacts/batch/update", {"inputs": inputs})
    theirs = recorded("test__batch__update__contacts__err-partial-success")
    assert (answer.status_code, envelope(answer.json())) == (207, envelope(theirs))


def test_an_id_twice_refuses_the_batch(send: Send) -> None:
    inputs = [{"id": "123456", "properties": {"firstname": "a"}}, {"id": "123456", "properties": {"lastname": "b"}}]
    answer = send("POST", "/crm/v3/objects/contacts/batch/update", {"inputs": inputs})
    theirs = recorded("test__batch__update__contacts__err-duplicate-ids")
    assert (answer.status_code, plain(answer.json())) == (400, plain(theirs))


def test_an_unknown_object_type_has_no_category(send: Send) -> None:
    answer = send("POST", "/crm/v3/objects/butterflies/search", {})
    assert (answer.status_code, plain(answer.json())) == (400, plain(recorded("test__search__error-invalid-object")))


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


def test_property_groups_and_properties(send: Send) -> None:
    group = recorded("test__custom__create__1-payload-create-property-group")
    answer = send("POST", "/crm/v3/properties/contacts/groups", group)
    theirs = recorded("test__custom__create__2-response-create-property-group")
    assert (answer.status_code, {**answer.json(), "displayOrder": 9}) == (201, theirs)
    for name, payload, reply, status in (
        ("create", "3-payload-batch-create-properties", "4-response-batch-create-properties", 201),
        ("update", "2-payload-batch-create-properties", "3-response-batch-create-properties", 207),
    ):
        body = recorded(f"test__custom__{name}__{payload}")
        answer = send("POST", "/crm/v3/properties/contacts/batch/create", body)
        theirs = recorded(f"test__custom__{name}__{reply}")
        assert (answer.status_code, _without_order(answer.json())) == (status, _without_order(theirs))
    theirs = recorded("test__custom__update__5-response-update-property-age")
    ours = send("PATCH", "/crm/v3/properties/contacts/age__c", {"description": "How old are you?"})
    assert plain(ours.json()) == plain(theirs)


def _without_order(body: dict[str, Any]) -> Any:
    """HubSpot numbers the option that comes without an order after the others; what decides is not known."""
    for one in body["results"]:
        for option in one["options"]:
            option.pop("displayOrder")
    return plain(body)


@pytest.mark.parametrize("name", ["deals", "contacts"])
def test_default_pipelines(send: Send, name: str) -> None:
    assert send("GET", f"/crm/v3/pipelines/{name}").json() == recorded(f"test__metadata-{name}-external-pipelines")


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


def test_a_task_is_created(send: Send, portal: HubSpotPortal) -> None:
    (exchange,) = exchanges("captaincontrat", "task.yml")
    ids = {"230": "tickets", "204": "contacts", "192": "companies", "216": "deals"}
    for link in exchange["request"]["associations"]:
        link["to"]["id"] = portal.insert_rows(ids[str(link["types"][0]["associationTypeId"])], [{}])[0]
    answer = send("POST", exchange["path"], exchange["request"])
    assert answer.status_code == exchange["status"]
    assert answer.headers["Location"].endswith(f"/crm/v3/objects/tasks/{answer.json()['id']}")
    assert_covers(answer.json()["properties"], exchange["body"]["properties"] | {"hs_object_source_id": "19083857"})


def test_a_ticket_is_created_and_found(send: Send) -> None:
    (made,) = exchanges("captaincontrat", "ticket.yml")
    answer = send("POST", made["path"], {"properties": made["request"]["properties"]})
    assert_covers(answer.json()["properties"], made["body"]["properties"] | {"hs_object_source_id": "19083857"})
    found, missing = exchanges("captaincontrat", "ticket_find.yml")
    ours = send("GET", f"/crm/v3/objects/tickets/{answer.json()['id']}?{found['path'].partition('?')[2]}")
    assert ours.json()["properties"].keys() == found["body"]["properties"].keys()
    lost = send("GET", missing["path"])
    assert (lost.status_code, lost.text, lost.headers["Content-Type"]) == (
        404,
        missing["body"],
        missing["headers"]["Content-Type"],
    )
    assert {name.lower() for name in missing["headers"]} <= {name.lower() for name in lost.headers}


def test_a_bad_instant(send: Send) -> None:
    (exchange,) = exchanges("captaincontrat", "meeting_error.yml")
    request = exchange["request"]
    del request["properties"]["hubspot_owner_id"]
    answer = send("POST", exchange["path"], request)
    ours = answer.json()
    details = ours.pop("errors")  # newer answers have them as well
    assert details[0]["code"] == "INVALID_LONG"
    assert (answer.status_code, plain(ours)) == (400, plain(exchange["body"]))


def test_a_ticket_property_is_created(send: Send) -> None:
    (exchange,) = exchanges("captaincontrat", "ticket_create_property.yml")
    answer = send("POST", exchange["path"], exchange["request"])
    assert (answer.status_code, plain(answer.json())) == (201, plain(exchange["body"]))


def test_tasks_are_found_by_their_ticket(send: Send, portal: HubSpotPortal) -> None:
    (exchange,) = exchanges("captaincontrat", "task_search.yml")
    ticket, task = portal.insert_rows("tickets", [{}])[0], portal.insert_rows("tasks", [{"hs_task_subject": "A"}])[0]
    portal.insert_rows("tasks", [{}])
    portal.associate("tasks", task, "tickets", ticket)
    exchange["request"]["filterGroups"][0]["filters"][0]["value"] = ticket
    ours = send("POST", exchange["path"], exchange["request"]).json()
    assert ours["total"] == 1
    assert ours["results"][0]["properties"].keys() == exchange["body"]["results"][0]["properties"].keys()


@pytest.mark.parametrize(
    ("cassette", "types"),
    [
        ("Hubspot_Association_batch_create_with_a_valid_request_associates_the_resources.yml", ("deals", "contacts")),
        ("Hubspot_Association_batch_create_with_an_invalid_ID_returns_false.yml", ("deals", None)),
        ("Hubspot_Association_create_with_a_valid_ID_associates_the_resources.yml", ("companies", "contacts")),
    ],
)
def test_associations_are_created(
    send: Send, portal: HubSpotPortal, cassette: str, types: tuple[str, str | None]
) -> None:
    (exchange,) = exchanges("captaincontrat", cassette)
    start = portal.insert_rows(types[0], [{}])[0]
    for one in exchange["request"]["inputs"]:
        one["from"]["id"] = start
        if types[1]:
            one["to"]["id"] = portal.insert_rows(types[1], [{}])[0]
    answer = send("POST", exchange["path"], exchange["request"])
    assert (answer.status_code, plain(answer.json())) == (exchange["status"], plain(exchange["body"]))


def test_a_write_shows_the_limits(send: Send) -> None:
    (exchange,) = (
        one
        for one in exchanges("grouparoo", "companies")
        if one["status"] == 201 and len(one["request"]["inputs"]) == 1
    )
    answer = send("POST", exchange["path"], exchange["request"])
    assert {name.lower() for name in exchange["headers"]} <= {name.lower() for name in answer.headers}
    assert_covers(answer.json()["results"][0]["properties"], exchange["body"]["results"][0]["properties"])


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
