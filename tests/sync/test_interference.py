"""People edit, answers get lost, CRMs go down: nothing is overwritten, doubled or lost."""

from __future__ import annotations

import pytest

from crmsync.errors import AuthError, QuotaExhausted, Unreachable
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


def test_a_wrong_token_is_one_clear_error_and_the_store_survives(tiny_synced: Bench, system: str) -> None:
    names = {"salesforce": "CRMSYNC_SANDBOX_SALESFORCE_SECRET", "hubspot": "CRMSYNC_SANDBOX_HUBSPOT_TOKEN"}
    good = dict(tiny_synced.environ)
    tiny_synced.environ[names[system]] = "wrong"
    with tiny_synced.session(system) as session, pytest.raises(AuthError) as caught:
        sync(session)
    assert caught.value.exit_code == 4
    assert caught.value.hint
    tiny_synced.environ.update(good)
    plan, report = tiny_synced.sync(system)
    assert (plan.changes, report.status) == ((), "ok")


@pytest.mark.parametrize(("kind", "error"), [("down", Unreachable), ("quota", QuotaExhausted)])
def test_a_crm_that_cannot_answer_leaves_the_store_intact(
    tiny_synced: Bench, system: str, kind: str, error: type
) -> None:
    fault = tiny_synced.box.faults.add(system=system, kind=kind, times=100)
    with tiny_synced.session(system) as session, pytest.raises(error) as caught:
        sync(session)
    assert caught.value.exit_code == 1
    tiny_synced.box.faults.remove(fault)
    plan, report = tiny_synced.sync(system)
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
