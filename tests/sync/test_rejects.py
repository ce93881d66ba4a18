"""Refused writes wait for what could mend them, and cost nothing meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from crmsync.store import RejectRow
from crmsync.sync.rejects import LONGEST_WAIT, next_try
from crmsync.sync.report import RunReport
from tests.sync.conftest import SYSTEMS, Bench
from tests.sync.people import People
from tests.sync.test_edits import longer_protection, protected_deal

WRITES = {"salesforce": "composite/sobjects", "hubspot": "/batch/update"}


@pytest.fixture
def people(tiny_synced: Bench, system: str) -> People:
    return People(tiny_synced, system)


def refuse(people: People, code: str = "FIELD_CUSTOM_VALIDATION_EXCEPTION") -> Any:
    """Every update of a record is refused, until mended."""
    people.bench.edit_yaml("crmsync.yaml", "guards:", "verify: never\nguards:")
    longer_protection(people)
    return people.bench.box.faults.add(
        system=people.system, kind="partial", times=None, share=1.0, code=code, match=WRITES[people.system]
    )


def run(people: People) -> tuple[RunReport, int]:
    """A sync a minute later, and how many writes it asked for."""
    people.bench.box.clock.advance(60)
    people.crm.reset_requests()
    _, report = people.bench.sync(people.system)
    return report, sum(WRITES[people.system] in path for method, path, _ in people.crm.requests if method != "GET")


def rejects(people: People) -> list[RejectRow]:
    with people.bench.session(people.system) as session:
        return session.store.rejects()


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_refused_record_waits_until_it_changes(people: People, system: str) -> None:
    fault = refuse(people)
    first, asked = run(people)
    assert (first.status, asked > 0) == ("partial", True)
    waiting = rejects(people)
    assert {row.reject_class for row in waiting} == {"data"}
    assert all(row.fix and row.where and row.first_at and row.next_at is None for row in waiting)
    second, asked = run(people)
    assert (second.status, second.waiting, asked) == ("ok", len(waiting), 0)
    people.bench.box.faults.remove(fault)
    deal = next(row.target for row in waiting if row.kind == "deal")
    people.edit("deal", deal, "amount", Decimal(4321))
    third, _ = run(people)
    assert (third.status, third.written, third.waiting) == ("ok", 1, len(waiting) - 1)
    assert deal not in {row.target for row in rejects(people)}


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_operator_or_another_mapping_gives_it_another_try(people: People, system: str) -> None:
    fault = refuse(people)
    run(people)
    number = len(rejects(people))
    with people.bench.session(system) as session:
        session.store.release_rejects([session.store.rejects()[0].id])
    report, asked = run(people)
    assert (report.failed, report.waiting, asked > 0) == (1, number - 1, True)
    assert max(row.attempts for row in rejects(people)) == 2
    people.bench.box.faults.remove(fault)
    people.bench.edit_yaml(f"mappings/{system}.yaml", "version: 1", "version: 1\nfreeze_after: 4")
    report, _ = run(people)
    assert (report.status, report.waiting, rejects(people)) == ("ok", 0, [])
    assert people.bench.sync(system)[0].changes == ()


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_is_no_longer_wanted_is_forgotten(people: People, system: str) -> None:
    refuse(people)
    run(people)
    assert rejects(people)
    people.bench.edit_yaml("policies/baseline.yaml", "value: 100", "value: 90")
    report, _ = run(people)
    assert (report.status, rejects(people)) == ("ok", [])


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_refusal_by_accident_is_mended_in_the_same_run(people: People, system: str) -> None:
    longer_protection(people)
    people.bench.box.faults.add(system=system, kind="partial", share=1.0, match=WRITES[system])
    report, _ = run(people)
    assert (report.status, rejects(people)) == ("ok", [])
    assert people.bench.sync(system)[0].changes == ()


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("verify", ["always", "sample"])
def test_a_success_that_wrote_nothing_is_caught(people: People, system: str, verify: str) -> None:
    deal = protected_deal(people)
    before = people.value("deal", deal, "protection_end")
    people.bench.edit_yaml("crmsync.yaml", "guards:", f"verify: {verify}\nguards:")
    longer_protection(people)
    fault = people.bench.box.faults.add(system=system, kind="silent", times=None)
    report, _ = run(people)
    assert (report.status, report.written) == ("partial", 0)
    assert {failure.code for failure in report.failures} == {"NO_EFFECT"}
    assert people.value("deal", deal, "protection_end") == before
    people.bench.box.faults.remove(fault)
    assert run(people)[0].status == "ok"
    assert people.value("deal", deal, "protection_end") > before
    assert rejects(people) == []


def test_a_busy_crm_is_asked_less_and_less_often() -> None:
    now = datetime(2026, 6, 17, 9, 0, tzinfo=UTC)
    waits = [next_try(number, now) - now for number in range(1, 40)]
    assert waits[:4] == [timedelta(0), timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20)]
    assert all(one <= other for one, other in pairwise(waits))
    assert waits[-1] == LONGEST_WAIT
