"""Answers that real portals gave (``fixtures/recorded/hubspot``, licences beside them), read by the connector."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crmsync.connectors.hubspot.api import read_error, read_limits
from crmsync.connectors.hubspot.associations import read_links
from crmsync.connectors.hubspot.connector import HubSpotConnector
from crmsync.connectors.hubspot.describe import object_info
from crmsync.connectors.hubspot.problems import parse_problem
from crmsync.connectors.hubspot.push import match_outcomes
from crmsync.connectors.hubspot.records import remote_record
from crmsync.remote import ObjectSpec, RemoteLink, Write
from tests.connectors.scripted import Say, scripted_server, settings

RECORDED = Path(__file__).parents[3] / "fixtures" / "recorded" / "hubspot"


def amp(name: str) -> Any:
    return json.loads((RECORDED / "amp-labs" / f"test__{name}.json").read_text())


def exchanges(folder: str) -> list[dict[str, Any]]:
    return json.loads((RECORDED / folder / "exchanges.json").read_text())


def raw(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


@pytest.fixture
def server():
    with scripted_server() as scripted:
        yield scripted


@pytest.fixture
def connector(server):
    connector = HubSpotConnector(settings(server.url, "hubspot", secrets={"token": "t"}))
    yield connector
    connector.close()


def test_a_partly_refused_update_is_told_apart():
    body = amp("batch__update__contacts__err-partial-success")
    wave = {
        n: Write(f"w{n}", "update", "contacts", {}, id=i)
        for n, i in enumerate(["unknownIdentifier888", "171591000199"])
    }
    outcomes = match_outcomes(wave, body, "q")
    assert {n: (o.status, o.code) for n, o in outcomes.items()} == {0: ("failed", "OBJECT_NOT_FOUND"), 1: ("ok", "")}


def test_a_conflict_names_the_record_that_is_there():
    body = amp("batch__create__contacts__err-partial-success")
    wave = {0: Write("w0", "upsert", "contacts", {}, key_field="email", key="x@y.example")}
    outcome = match_outcomes(wave, body, "q")[0]
    assert (outcome.status, outcome.code, outcome.id) == ("failed", "CONFLICT", "171591000198")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("batch__create__contacts__err-conflict", "CONFLICT"),
        ("batch__create__contacts__err-many-invalid-properties", "PROPERTY_DOESNT_EXIST"),
        ("batch__update__contacts__err-duplicate-ids", "VALIDATION_ERROR"),
        ("search__error-invalid-object", "ERROR"),
    ],
)
def test_every_recorded_refusal_has_a_code(name, code):
    assert parse_problem(amp(name)).code == code


def test_the_scopes_of_a_recorded_refusal_are_named():
    error = read_error(403, {}, raw(amp("metadata-err-schemas-scope")))
    assert error.missing_scopes == ("custom-object-read",)


def test_every_recorded_429_of_search_is_a_limit_per_second():
    limited = [e for e in exchanges("grouparoo") if e["status"] == 429]
    assert {read_error(429, e["headers"], raw(e["body"])).code for e in limited} == {"SECONDLY"}


def test_the_day_s_calls_are_read_from_recorded_headers():
    limits = {read_limits(e["headers"]) for e in exchanges("grouparoo") if e["status"] == 200}
    assert (250_000, 248_712) in limits


def test_a_record_that_is_not_there_may_be_an_html_page(server, connector):
    missing = next(e for e in exchanges("captaincontrat") if e["status"] == 404)
    batch = {"status": "COMPLETE", "results": [], "errors": [{"category": "OBJECT_NOT_FOUND", "message": "gone"}]}
    html = {"Content-Type": missing["headers"]["Content-Type"]}
    server.says(Say(207, batch), Say(404, raw(missing["body"]), headers=html))
    assert connector.read("tasks", ["996174569112"], ["hs_task_subject"]) == {}


def test_ties_come_with_integer_ids_and_records_without_any_as_errors(server, connector):
    body = json.loads((RECORDED / "amp-labs" / "test__search__contacts__contacts-to-companies.json").read_text())
    server.says(Say(207, body))
    links = read_links(connector._api, "contacts", "companies", "companies", ["501", "103107104018"])
    assert links["501"][0] == RemoteLink("companies", "29022297485", ("primary", ""))
    assert links["103107104018"] == ()


def test_recorded_searches_are_records_with_nulls():
    found = next(e for e in exchanges("grouparoo") if e["status"] == 200 and e["body"]["results"])
    record = remote_record(found["body"]["results"][0], ("name", "facebookfans", "not_asked"))
    assert record.id == "7945143592"
    assert record.fields == {"name": "John", "facebookfans": None}
    assert record.modified_at is not None


def test_recorded_properties_become_fields():
    info = object_info("contacts", "Contacts", amp("metadata-contacts-properties-sampled")["results"], custom=False)
    assert info.fields
    assert {f.type for f in info.fields.values()} <= {
        "text", "long_text", "number", "money", "bool", "date", "datetime", "picklist", "multipicklist",
        "reference", "id", "email", "phone", "json",
    }  # fmt: skip


def test_stages_of_a_recorded_portal_come_from_its_pipelines(server, connector):
    stage_property = {"name": "dealstage", "label": "Deal Stage", "type": "enumeration", "fieldType": "radio"}
    listed = [{**stage_property, "externalOptions": True, "options": []}]
    listed.append({**listed[0], "name": "pipeline"})
    pipelines = amp("metadata-deals-external-pipelines")
    server.says(Say(body={"results": listed}), Say(body=pipelines), Say(body=pipelines))
    wanted = tuple(stage["id"] for pipeline in pipelines["results"] for stage in pipeline["stages"])
    assert connector.describe("deals").fields["dealstage"].options == wanted
    (page,) = connector.pull(ObjectSpec("pipelines", ("isClosed", "probability")), None)
    assert tuple(record.id for record in page.records) == wanted
    assert {record.fields["isClosed"] for record in page.records} == {"true", "false"}
