"""Writes over the sandbox: batches, poisoned ones, locks, and the ties of what is created."""

from __future__ import annotations

import math

import pytest

from crmsync.remote import Outcome, Write, WriteLink

DEAL = {"pipeline": "default", "dealstage": "qualifiedtobuy"}
TASK = {"hs_task_subject": "Call them", "hs_timestamp": "2026-11-22T10:00:00Z"}


@pytest.fixture
def deals(portal) -> list[str]:
    return portal.insert_rows("deals", [{"dealname": f"d{n}", **DEAL} for n in range(100)])


def renames(ids: list[str]) -> list[Write]:
    return [Write(f"w{n}", "update", "deals", {"dealname": f"new {n}"}, id=i) for n, i in enumerate(ids)]


def calls(portal, path: str) -> int:
    return sum(1 for _, called, _ in portal.requests if path in called)


def statuses(outcomes: list[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def test_a_hundred_writes_are_one_call_however_shuffled_the_answer(hubspot, portal, deals):
    outcomes = hubspot.push(renames(deals))
    assert [o.id for o in outcomes] == deals
    assert calls(portal, "/deals/batch/update") == 1
    assert portal.get("deals", deals[63])["dealname"] == "new 63"


def test_a_poisoned_batch_is_halved_until_the_bad_record_is_alone(hubspot, portal, deals, monkeypatch):
    monkeypatch.setattr("crmsync.connectors.hubspot.push._input", _without_trace)
    writes = renames(deals)
    writes[37] = Write("bad", "update", "deals", {"amount": "twelve"}, id=deals[37])
    outcomes = hubspot.push(writes)
    assert [n for n, o in enumerate(outcomes) if o.status != "ok"] == [37]
    assert outcomes[37].message == "amount: INVALID_INTEGER"
    assert calls(portal, "/deals/batch/update") <= 2 * math.ceil(math.log2(100)) + 1


@pytest.mark.parametrize(("size", "bad"), [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2), (100, 0), (100, 62), (100, 99)])
def test_one_poison_is_found_within_the_bound_wherever_it_is(hubspot, portal, deals, monkeypatch, size, bad):
    monkeypatch.setattr("crmsync.connectors.hubspot.push._input", _without_trace)
    writes = renames(deals[:size])
    writes[bad] = Write("bad", "update", "deals", {"amount": "twelve"}, id=deals[bad])
    outcomes = hubspot.push(writes)
    assert [n for n, o in enumerate(outcomes) if o.status != "ok"] == [bad]
    assert calls(portal, "/deals/batch/update") <= 2 * math.log2(size) + 1


def test_several_poisons_are_found_and_everything_else_is_written(hubspot, portal, deals, monkeypatch):
    monkeypatch.setattr("crmsync.connectors.hubspot.push._input", _without_trace)
    writes = renames(deals)
    for bad in (3, 70):
        writes[bad] = Write(f"bad{bad}", "update", "deals", {"amount": "twelve"}, id=deals[bad])
    outcomes = hubspot.push(writes)
    assert [n for n, o in enumerate(outcomes) if o.status != "ok"] == [3, 70]
    assert calls(portal, "/deals/batch/update") <= 2 * (2 * math.log2(100) + 1)


def test_a_batch_that_is_bad_throughout_does_not_cost_two_calls_a_record(hubspot, portal, deals, monkeypatch):
    monkeypatch.setattr("crmsync.connectors.hubspot.push._input", _without_trace)
    outcomes = hubspot.push([Write(f"w{i}", "update", "deals", {"amount": "twelve"}, id=i) for i in deals])
    assert set(statuses(outcomes)) == {"failed"}
    assert calls(portal, "/deals/batch/update") < 40


def _without_trace(number: int, write: Write) -> dict:
    return {"id": write.id, "properties": dict(write.fields)}


def test_two_writes_to_one_record_go_in_two_calls(hubspot, portal, deals):
    first, second = renames([deals[0], deals[0]])
    assert statuses(hubspot.push([first, second])) == ["ok", "ok"]
    assert portal.get("deals", deals[0])["dealname"] == "new 1"


def test_booleans_and_blanks_are_said_as_hubspot_wants_them(hubspot, portal, deals):
    portal.create_property("deals", "prm_ok", "bool", "booleancheckbox", options=["true", "false"])
    hubspot.push([Write("w", "update", "deals", {"prm_ok": True, "dealname": None}, id=deals[0])])
    row = portal.get("deals", deals[0])
    assert row["prm_ok"] == "true"
    assert not row.get("dealname")


def test_a_record_that_was_merged_away_fails_and_leaves_the_survivor_alone(hubspot, portal, deals):
    survivor = portal.merge("deals", deals[0], deals[1])
    (outcome,) = hubspot.push(renames([deals[1]]))
    assert outcome.status == "failed"
    assert portal.get("deals", survivor)["dealname"] == "d0"


def test_an_upsert_ties_the_record_it_makes_and_ties_again_are_harmless(hubspot, portal, deals):
    portal.create_property("tasks", "prm_key", has_unique_value=True)
    company = portal.create("companies", {"name": "Acme"})
    links = (WriteLink("deals", deals[0]), WriteLink("companies", company))
    write = Write("w", "upsert", "tasks", TASK, key_field="prm_key", key="t-1", links=links)
    (first,) = hubspot.push([write])
    (again,) = hubspot.push([write])
    assert (first.created, again.created, first.id) == (True, False, again.id)
    assert list(portal.associated("tasks", first.id, "deals")) == [deals[0]]
    assert list(portal.associated("tasks", first.id, "companies")) == [company]


def test_a_labelled_tie_keeps_the_labels_that_are_there(hubspot, portal, deals):
    portal.create_property("deals", "prm_key", has_unique_value=True)
    portal.create_association_label("deals", "companies", "Partner")
    company = portal.create("companies", {"name": "Acme"})
    portal.edit("deals", deals[0], {"prm_key": "d-0"})
    portal.link("deals", deals[0], "companies", company, "primary")
    links = (WriteLink("companies", company, "Partner"),)
    (outcome,) = hubspot.push([Write("w", "upsert", "deals", {}, key_field="prm_key", key="d-0", links=links)])
    assert outcome.status == "ok"
    labels = {label.casefold() for label in portal.associated("deals", deals[0], "companies")[company]}
    assert {"primary", "partner"} <= labels


def test_an_unknown_label_fails_the_record_and_names_it(hubspot, portal, deals):
    portal.create_property("tasks", "prm_key", has_unique_value=True)
    links = (WriteLink("deals", deals[0], "Sponsor"),)
    (outcome,) = hubspot.push([Write("w", "upsert", "tasks", TASK, key_field="prm_key", key="t-1", links=links)])
    assert outcome.status == "failed"
    assert "no association label 'Sponsor'" in outcome.message


def test_a_lost_answer_to_the_tie_does_not_lose_the_tie(hubspot, fail, portal, deals):
    portal.create_property("tasks", "prm_key", has_unique_value=True)
    write = Write("w", "upsert", "tasks", TASK, key_field="prm_key", key="t-1", links=(WriteLink("deals", deals[0]),))
    fail("drop", match="/associations/")
    (outcome,) = hubspot.push([write])
    assert outcome.status == "ok"
    assert list(portal.associated("tasks", outcome.id, "deals")) == [deals[0]]


def test_a_locked_record_is_waited_for(hubspot, fail, deals, monkeypatch):
    fail("lock", match="/batch/update")
    monkeypatch.setattr("crmsync.connectors.retry.MAX_WAIT_S", 0.01)
    assert statuses(hubspot.push(renames(deals[:2]))) == ["ok", "ok"]


def test_a_missing_scope_before_anything_was_sent_is_raised_and_later_is_an_outcome(hubspot, fail, deals):
    fail("missing_scope", match="/batch/update", at=2)
    first, second = renames([deals[0], deals[0]])
    outcomes = hubspot.push([first, second])
    assert statuses(outcomes) == ["ok", "failed"]
    assert outcomes[1].retriable


@pytest.mark.parametrize("version", ["", "2026-03", "2026-09"])
def test_the_same_calls_work_under_every_version_of_the_api(connect, portal, deals, version):
    hubspot = connect(version)
    assert statuses(hubspot.push(renames(deals[:3]))) == ["ok"] * 3
    assert hubspot.count("deals") == 100
    assert hubspot.describe("deals").fields["dealname"].updateable
