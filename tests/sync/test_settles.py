"""P1 and P2: a sync right after a sync writes nothing; incremental equals full; a lost store changes nothing."""

from __future__ import annotations

import pytest

from tests.sync.conftest import SYSTEMS, Bench
from tests.sync.people import People

pytestmark = pytest.mark.parametrize("system", SYSTEMS)


def test_the_first_sync_writes_partner_facts_and_is_complete(bench: Bench, system: str) -> None:
    plan, report = bench.sync(system)
    assert report.status == "ok", report.failures[:3]
    assert report.written == len(plan.changes) > 100
    assert all(line.difference == 0 for line in report.completeness)
    assert report.api.used > 0


def test_a_second_sync_writes_nothing(synced: Bench, system: str) -> None:
    before = synced.writes(system)
    plan, report = synced.sync(system)
    assert plan.changes == ()
    assert (report.written, report.tasks, report.findings_opened) == (0, 0, 0)
    assert synced.writes(system) == before


def test_a_full_sync_writes_nothing_either(synced: Bench, system: str) -> None:
    before = synced.writes(system)
    plan, _ = synced.sync(system, full=True)
    assert plan.changes == ()
    assert synced.writes(system) == before


def test_a_deleted_store_is_rebuilt_from_the_crm_without_a_write(synced: Bench, system: str) -> None:
    before = synced.writes(system)
    synced.forget(system)
    plan, report = synced.sync(system)
    assert plan.changes == ()
    assert report.decided > 0
    assert synced.writes(system) == before


def test_a_plan_keeps_nothing_but_the_mirror(tiny: Bench, system: str) -> None:
    from crmsync.sync.cycle import make_plan

    with tiny.session(system) as session:
        first, _ = make_plan(session)
        again, _ = make_plan(session)
        assert session.store.findings() == []
    assert first.changes
    assert first.digest == again.digest


def test_a_deletion_that_a_full_sync_sees_leaves_the_index_too(tiny: Bench, system: str) -> None:
    tiny.sync(system)
    people = People(tiny, system)
    deal = people.ids("deal")[0]
    people.delete("deal", deal)
    tiny.box.clock.advance(120)
    tiny.sync(system, full=True)
    with tiny.session(system) as session:
        assert session.store.keys("deal", deal) == frozenset()
        assert session.store.neighbourhood_of("deal", deal) is None
        assert session.store.decision("deal", deal) == []
