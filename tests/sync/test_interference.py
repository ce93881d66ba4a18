"""People edit, answers get lost, CRMs go down: nothing is overwritten, doubled or lost."""

from __future__ import annotations

import pytest

from crmsync.errors import AuthError, QuotaExhausted, Unreachable
from crmsync.remote import ObjectSpec
from crmsync.sync.cycle import apply_plan, make_plan, sync
from tests.sync.conftest import SYSTEMS, Bench

pytestmark = pytest.mark.parametrize("system", SYSTEMS)


def edit(bench: Bench, system: str, object_name: str, record_id: str, fields: dict[str, str]) -> None:
    getattr(bench.box, system).edit(object_name, record_id, fields)


def test_an_edit_after_the_plan_is_kept_and_reported(bench: Bench, system: str) -> None:
    with bench.session(system) as session:
        plan, _ = make_plan(session)
        change = next(
            c for c in plan.changes if c.kind == "deal" and any(f.field == "registration_id" for f in c.fields)
        )
        field = next(f for f in change.fields if f.field == "registration_id")
        edit(bench, system, change.object, change.id or "", {field.remote_field: "TYPED-BY-HAND"})
        report = apply_plan(session, plan)
        drifted = [failure for failure in report.failures if failure.status == "drifted"]
        assert [failure.record_id for failure in drifted] == [change.id]
        row = session.connector.read(change.object, [change.id or ""], [field.remote_field])[change.id or ""]
        assert row.fields[field.remote_field] == "TYPED-BY-HAND"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_neither_loses_nor_doubles(bench: Bench, system: str, when: str) -> None:
    path = "composite/sobjects" if system == "salesforce" else "batch/update"
    bench.box.faults.add(system=system, kind="drop", times=1, match=path, when=when)
    _, report = bench.sync(system)
    _, again = bench.sync(system)
    plan, third = bench.sync(system)
    assert plan.changes == ()
    assert third.status == "ok"
    assert report.written + again.written >= len({c.id for c in plan.changes})
    assert tasks_by_key(bench, system)


def tasks_by_key(bench: Bench, system: str) -> bool:
    """Every task stands in the CRM once."""
    with bench.session(system) as session:
        name = session.mapping.task.object if session.mapping.task else ""
        keys = [row.fields[session.mapping.key_field("task")] for row in _all(session, name)]
    return len(keys) == len(set(keys)) > 0


def _all(session, name):
    for page in session.connector.pull(ObjectSpec(name, (session.mapping.key_field("task"),)), None):
        yield from (row for row in page.records if not row.deleted)


def test_a_wrong_token_is_one_clear_error_and_the_store_survives(synced: Bench, system: str) -> None:
    names = {"salesforce": "CRMSYNC_SANDBOX_SALESFORCE_SECRET", "hubspot": "CRMSYNC_SANDBOX_HUBSPOT_TOKEN"}
    good = dict(synced.environ)
    synced.environ[names[system]] = "wrong"
    with synced.session(system) as session, pytest.raises(AuthError) as caught:
        sync(session)
    assert caught.value.exit_code == 4
    assert caught.value.hint
    synced.environ.update(good)
    plan, report = synced.sync(system)
    assert (plan.changes, report.status) == ((), "ok")


@pytest.mark.parametrize(("kind", "error"), [("down", Unreachable), ("quota", QuotaExhausted)])
def test_a_crm_that_cannot_answer_leaves_the_store_intact(synced: Bench, system: str, kind: str, error: type) -> None:
    fault = synced.box.faults.add(system=system, kind=kind, times=100)
    with synced.session(system) as session, pytest.raises(error) as caught:
        sync(session)
    assert caught.value.exit_code == 1
    synced.box.faults.remove(fault)
    plan, report = synced.sync(system)
    assert (plan.changes, report.status) == ((), "ok")


def test_an_incremental_sync_after_edits_equals_a_full_one(synced: Bench, system: str) -> None:
    with synced.session(system) as session:
        deal = session.mapping.object_of("deal")
        stage = session.mapping.field("deal", "stage")
        lost = session.mapping.to_remote("deal", "stage", "closed_lost")
        ids = [row.id for row in session.store.rows(deal)][:5]
    for record_id in ids:
        edit(synced, system, deal, record_id, {stage.remote_field: str(lost)})
    synced.box.clock.advance(120)
    _, report = synced.sync(system)
    assert report.changed[deal] >= 5
    assert 0 < report.decided < 200
    plan, _ = synced.sync(system, full=True)
    assert plan.changes == ()
