"""How changes are asked for: a list walk first, then a closed window by keyset, archived records beside it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from crmsync.connectors.hubspot.connector import HubSpotConnector
from crmsync.errors import Permanent
from crmsync.remote import AssociationSpec, ObjectSpec
from tests.connectors.scripted import Say, scripted_server, settings

DATE = {"Date": "Sun, 22 Nov 2026 10:00:00 GMT"}
NAMES = ObjectSpec("deals", ("dealname",))
DONE = {"phase": "done", "since": "2026-11-22T09:00:00+00:00", "bin_since": "2026-11-22T09:00:00+00:00"}
EMPTY_BIN = Say(body={"results": []}, headers=DATE)


def ms(text: str) -> str:
    return str(int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000))


def row(number: int, **properties: str) -> dict:
    return {"id": str(number), "properties": properties, "updatedAt": "2026-11-22T09:30:00.000Z", "archived": False}


def answer(*rows: dict, after: str = "", total: int | None = None) -> Say:
    paging = {"paging": {"next": {"after": after}}} if after else {}
    return Say(body={"results": list(rows), **paging, **({} if total is None else {"total": total})}, headers=DATE)


@pytest.fixture
def server():
    with scripted_server() as scripted:
        yield scripted


@pytest.fixture
def connector(server):
    connector = HubSpotConnector(settings(server.url, "hubspot", secrets={"token": "t"}))
    yield connector
    connector.close()


def searches(server) -> list[dict]:
    return [json.loads(heard.body) for heard in server.heard if heard.path.endswith("/search")]


def filters(search: dict) -> dict[tuple[str, str], str]:
    return {(f["propertyName"], f["operator"]): f["value"] for f in search["filterGroups"][0]["filters"]}


def test_a_full_pull_walks_the_list_and_starts_the_next_window_when_it_began(server, connector):
    server.says(answer(row(1, dealname="a"), after="2"), answer(row(2, dealname="b")))
    pages = list(connector.pull(NAMES, None))
    assert [r.fields for page in pages for r in page.records] == [{"dealname": "a"}, {"dealname": "b"}]
    assert [page.cursor["phase"] for page in pages] == ["list", "done"]
    assert pages[-1].cursor["since"] == "2026-11-22T10:00:00+00:00"
    assert "archived=false" in server.heard[0].path
    assert "after=2" in server.heard[1].path


def test_a_window_overlaps_the_last_one_and_is_closed_by_the_server_s_clock(server, connector):
    server.says(EMPTY_BIN, answer(row(5), row(9), after="200"), answer(row(12)))
    *_, last = connector.pull(NAMES, DONE)
    first, second = searches(server)
    since, until = ms("2026-11-22T08:50:00"), ms("2026-11-22T10:00:30")
    assert filters(first) == {("hs_lastmodifieddate", "GTE"): since}
    assert filters(second) == {
        ("hs_lastmodifieddate", "GTE"): since,
        ("hs_lastmodifieddate", "LTE"): until,
        ("hs_object_id", "GT"): "9",
    }
    assert first["sorts"] == [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
    assert first["limit"] == 200
    assert "after" not in second
    assert last.cursor["since"] == "2026-11-22T10:00:00+00:00"


def test_contacts_have_a_modified_date_of_their_own_and_are_read_from_the_records(server, connector):
    server.says(EMPTY_BIN, answer(row(5)), answer(row(5, email="a@b.example")))
    pages = list(connector.pull(ObjectSpec("contacts", ("email",)), DONE))
    assert ("lastmodifieddate", "GTE") in filters(searches(server)[0])
    assert server.heard[-1].path == "/crm/v3/objects/contacts/batch/read"
    assert pages[-1].records[0].fields == {"email": "a@b.example"}


def test_a_page_without_results_is_not_the_end(server, connector):
    server.says(EMPTY_BIN, answer(after="200", total=201), answer(row(7), total=201))
    records = [r.id for page in connector.pull(NAMES, DONE) for r in page.records]
    assert records == ["7"]
    assert searches(server)[1]["after"] == "200"


def test_many_properties_go_into_bodies_and_not_into_urls(server, connector):
    wide = ObjectSpec("deals", tuple(f"a_rather_long_property_name_{n}" for n in range(200)))
    server.says(answer(row(1)), answer(row(1, a_rather_long_property_name_7="x")))
    (page,) = connector.pull(wide, None)
    assert page.records[0].fields == {"a_rather_long_property_name_7": "x"}
    assert len(server.heard[0].path) < 200


def test_newly_archived_records_are_told_and_old_ones_are_not(server, connector):
    new = {**row(3), "archived": True, "archivedAt": "2026-11-22T09:20:00.000Z"}
    old = {**row(4), "archived": True, "archivedAt": "2026-10-01T00:00:00.000Z"}
    server.says(answer(new, old), answer())
    records = [r for page in connector.pull(NAMES, DONE) for r in page.records]
    assert [(r.id, r.deleted) for r in records] == [("3", True)]
    assert "archived=true" in server.heard[0].path


def test_a_large_recycle_bin_is_read_on_in_the_next_run(server, connector, monkeypatch):
    monkeypatch.setattr("crmsync.connectors.hubspot.pull.BIN_PAGES", 1)
    late = {**row(900), "archived": True, "archivedAt": "2026-11-22T09:20:00.000Z"}
    server.says(answer(after="500"), answer(), answer(late), answer())
    *_, first = connector.pull(NAMES, DONE)
    assert (first.cursor["bin_after"], first.cursor["bin_since"]) == ("500", DONE["bin_since"])
    pages = list(connector.pull(NAMES, first.cursor))
    assert [r.id for page in pages for r in page.records] == ["900"]
    assert "bin_after" not in pages[-1].cursor


def test_a_survivor_names_the_records_that_were_merged_into_it(server, connector):
    server.says(EMPTY_BIN, answer(row(30, dealname="m", hs_merged_object_ids="10;20")))
    *_, page = connector.pull(NAMES, DONE)
    assert [(r.id, r.deleted, r.merged_into) for r in page.records] == [
        ("10", True, "30"),
        ("20", True, "30"),
        ("30", False, None),
    ]


def test_ties_are_read_with_all_their_pages_and_none_means_none(server, connector):
    spec = ObjectSpec("deals", ("dealname",), (AssociationSpec("companies"),))
    none = {
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": "No company is associated with deal 2.",
        "context": {"fromObjectId": ["2"]},
    }
    plain = {"category": "HUBSPOT_DEFINED", "typeId": 341, "label": None}
    primary = {"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"}
    own = {"category": "USER_DEFINED", "typeId": 77, "label": "Partner"}
    one = {
        "from": {"id": "1"},
        "to": [{"toObjectId": 71, "associationTypes": [plain, primary]}],
        "paging": {"next": {"after": "x"}},
    }
    more = {"from": {"id": "1"}, "to": [{"toObjectId": "72", "associationTypes": [plain, own]}]}
    server.says(
        answer(row(1), row(2)),
        Say(207, {"results": [one], "errors": [none], "numErrors": 1}),
        Say(200, {"results": [more]}),
    )
    (page,) = connector.pull(spec, None)
    links = {r.id: [(link.to_id, link.labels) for link in r.links or ()] for r in page.records}
    assert links == {"1": [("71", ("", "primary")), ("72", ("", "Partner"))], "2": []}
    assert json.loads(server.heard[-1].body) == {"inputs": [{"id": "1", "after": "x"}]}


@pytest.mark.parametrize("body", [{}, {"status": "ok"}, []])
def test_an_answer_of_another_shape_never_passes_for_no_records(server, connector, body):
    server.says(Say(body=body))
    with pytest.raises(Permanent, match="a shape that crmsync does not know"):
        list(connector.pull(NAMES, None))


def test_associations_that_cannot_be_read_do_not_pass_for_none(server, connector):
    spec = ObjectSpec("deals", ("dealname",), (AssociationSpec("companies"),))
    error = {"category": "VALIDATION_ERROR", "subCategory": "crm.associations.INVALID_IDENTIFIER", "message": "no"}
    server.says(answer(row(1)), Say(207, {"results": [], "errors": [error]}))
    with pytest.raises(Permanent, match="could not read some associations"):
        list(connector.pull(spec, None))
