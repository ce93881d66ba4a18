"""What drifts while it is written is decided again in the same run; contended fields are guarded by Salesforce."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from crmsync.errors import ConfigError
from crmsync.sync.cycle import apply_plan, make_plan, sync
from tests.sync.conftest import SYSTEMS, Bench
from tests.sync.people import People
from tests.sync.test_edits import MAPPING, findings, longer_protection, protected_deal, set_policy

BY_HAND = date(2031, 1, 31)
JUST_BEFORE_THE_WRITE: dict[str, dict[str, Any]] = {
    "salesforce": {"match": "/composite", "method": "POST", "at": 2},
    "hubspot": {"match": "objects/deals/batch/read", "method": "POST"},
}
"""Salesforce: the conditional write itself. HubSpot: the reading before it."""

AS_IT_IS_WRITTEN: dict[str, dict[str, Any]] = {
    "salesforce": {"match": "composite/sobjects", "method": "PATCH"},
    "hubspot": {"match": "objects/deals/batch/update"},
}


@pytest.fixture
def people(tiny_synced: Bench, system: str) -> People:
    return People(tiny_synced, system)


def somebody_edits(people: People, deal: str, when: dict[str, Any], **fields: Any) -> None:
    act = {"verb": "edit", "kind": "deal", "record": deal, "fields": fields}
    people.bench.box.faults.add(kind="person", system=people.system, act=act, **when)


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_edit_just_before_the_write_stays_and_is_settled_in_the_same_run(people: People, system: str) -> None:
    deal = protected_deal(people)
    longer_protection(people)
    set_policy(people, "protection_end", "contended: true")
    somebody_edits(people, deal, JUST_BEFORE_THE_WRITE[system], protection_end=BY_HAND.isoformat())
    _, report = people.bench.sync(system)
    assert (report.status, report.skipped, report.rounds) == ("ok", 1, 1)
    assert [drift.record_id for drift in report.drifts] == [deal]
    assert people.value("deal", deal, "protection_end") == BY_HAND.isoformat()
    assert [finding.id for finding in findings(people, "USER_EDIT")] == [deal]
    assert people.bench.sync(system)[0].changes == ()


@pytest.mark.parametrize("system", ["salesforce"])
def test_an_edit_of_another_field_only_costs_another_round(people: People, system: str) -> None:
    """A condition covers the whole record: the write is refused, decided again, and done."""
    deal = protected_deal(people)
    before = people.value("deal", deal, "protection_end")
    longer_protection(people)
    set_policy(people, "protection_end", "contended: true")
    somebody_edits(people, deal, JUST_BEFORE_THE_WRITE[system], amount="4321")
    _, report = people.bench.sync(system)
    assert (report.status, report.rounds) == ("ok", 1)
    assert people.value("deal", deal, "protection_end") > before


@pytest.mark.parametrize("system", ["salesforce"])
def test_only_contended_fields_go_by_composite(people: People, system: str) -> None:
    longer_protection(people)
    people.crm.reset_requests()
    people.bench.sync(system)
    paths = [path for method, path, _ in people.crm.requests if method in ("POST", "PATCH")]
    assert not any(path.endswith("/composite") for path in paths)
    assert any("composite/sobjects" in path for path in paths)


@pytest.mark.parametrize("system", SYSTEMS)
def test_contended_is_for_fields_that_are_written(people: People, system: str) -> None:
    path = MAPPING.format(system)
    text = (people.bench.directory / path).read_text()
    line = next(line for line in text.splitlines() if line.startswith("      name: "))
    people.bench.edit_yaml(path, line, f"      name: {{field: {line.split(': ')[1]}, contended: true}}")
    with pytest.raises(ConfigError, match="for fields that crmsync writes"), people.bench.session(system):
        pass


@pytest.mark.parametrize("mode", ["sync", "apply"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_an_edit_in_the_gap_is_told_afterwards(people: People, system: str, mode: str) -> None:
    """The write has no condition: the edit arrives when ours is already on its way."""
    if system == "salesforce":
        people.crm.track_history("Opportunity", ["PRM_Protection_End__c"])
    deal = protected_deal(people)
    longer_protection(people)
    with people.bench.session(system) as session:
        plan = make_plan(session)[0] if mode == "apply" else None
        somebody_edits(people, deal, AS_IT_IS_WRITTEN[system], protection_end=BY_HAND.isoformat())
        report = apply_plan(session, plan) if plan else sync(session)[1]
    (lost,) = report.overwritten
    assert (lost.record_id, lost.lost, bool(lost.by), lost.at is not None) == (deal, BY_HAND.isoformat(), True, True)
    assert people.value("deal", deal, "protection_end") == lost.ours


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_ordinary_run_has_overwritten_nothing(people: People, system: str) -> None:
    longer_protection(people)
    _, report = people.bench.sync(system)
    assert report.written > 0
    assert report.overwritten == []
