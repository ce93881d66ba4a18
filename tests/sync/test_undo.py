"""Undo: the CRM as it was before the run, except where somebody edited since."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crmsync.errors import UsageError
from crmsync.sync.cycle import apply_plan, make_plan, sync
from crmsync.sync.planfile import load_plan, save_plan
from crmsync.sync.undo import Undo, make_undo
from tests.cli.conftest import envelope, run
from tests.sync.conftest import SYSTEMS, Bench
from tests.sync.people import People

MOVING = {"SystemModstamp", "LastModifiedDate", "LastModifiedById", "hs_lastmodifieddate", "lastmodifieddate",
          "hs_updated_by_user_id", "hs_object_source_detail_1", "LastActivityDate", "notes_last_updated",
          "hs_num_associated_queue_objects", "num_associated_contacts", "hs_last_sales_activity_timestamp"}  # fmt: skip
"""What the CRM itself changes with every write."""


def snapshot(people: People) -> dict[tuple[str, str], dict[str, Any]]:
    """Every live record of every mapped object, without what the CRM stamps by itself; blank is blank."""
    objects = {people.mapping.object_of(kind) for kind in people.mapping.kinds if kind not in ("user", "stage")}
    objects |= {people.mapping.task.object} if people.mapping.task else set()
    found = {}
    for name in sorted(objects):
        for record_id, fields in people.rows(name):
            held = {k: v for k, v in fields.items() if k not in MOVING and v not in (None, "")}
            found[name, record_id] = held
    return found


def undo(bench: Bench, system: str, run_id: str, **options: Any) -> tuple[Undo, Any]:
    with bench.session(system) as session:
        made = make_undo(session, run_id, **options)
        return made, apply_plan(session, made.plan, limits=session.project.guards.model_copy(update=NO_LIMITS))


NO_LIMITS = {"max_changes": None, "max_percent": None}


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_run_of_500_records_goes_back_except_for_20_that_people_edited(bench: Bench, system: str) -> None:
    people = People(bench, system)
    before = snapshot(people)
    _, first = bench.sync(system)
    assert first.written - first.created >= 500, first
    bench.box.clock.advance(600)
    edited = {}
    with bench.session(system) as session:
        writes = [r for r in session.store.run_history(first.run_id) if (r.kind, r.field) == ("deal", "attribution")]
    for number, row in enumerate(writes[:20]):
        edited[row.record_id] = "review" if row.new != "review" else "influenced"
        people.edit("deal", row.record_id, "attribution", edited[row.record_id])
        assert people.value("deal", row.record_id, "attribution") == edited[row.record_id], number
    assert len(edited) == 20

    made, report = undo(bench, system, first.run_id, delete_created=True)

    assert report.status == "ok", report.failures[:3]
    assert {(e.reason, e.kind, e.field) for e in made.left} == {("edited", "deal", "attribution")}
    assert {e.record_id: e.found for e in made.left} == edited
    assert all(e.by and e.at for e in made.left)
    after = snapshot(people)
    assert after.keys() == before.keys()
    for (name, record_id), fields in after.items():
        if record_id in edited:
            for field in ("attribution", "fingerprint"):
                target = people.mapping.field("deal", field)
                own = target.remote_field if target else people.mapping.fingerprint_field(name)
                fields.pop(own)
                before[name, record_id].pop(own, None)
        assert fields == before[name, record_id]


def held_by_status(bench: Bench, system: str) -> int:
    result = run("--json", "--project", bench.directory, "status", "-c", system)
    (row,) = envelope(result)["data"]
    return int(row["held"])


@pytest.mark.parametrize("system", SYSTEMS)
def test_it_settles_afterwards_and_holds_until_the_policy_changes(tiny: Bench, system: str) -> None:
    people = People(tiny, system)
    before = snapshot(people)
    _, first = tiny.sync(system)
    written = snapshot(people)
    assert written != before
    tiny.box.clock.advance(60)
    _, undone = undo(tiny, system, first.run_id, delete_created=True)
    assert snapshot(people) == before
    for _ in range(2):
        tiny.box.clock.advance(60)
        plan, report = tiny.sync(system)
        assert (plan.changes, report.status) == ((), "ok")
    assert report.held == 0  # nothing woke the records any more
    plan, report = tiny.sync(system, full=True)
    assert plan.changes == ()
    assert report.held > 0
    assert held_by_status(tiny, system) == report.held
    with tiny.session(system) as session:
        assert {hold.run_id for hold in session.store.holds()} == {undone.run_id}
        assert len(session.store.release_holds(undone.run_id)) == report.held
    plan, _ = tiny.sync(system, full=True)
    assert {change.op for change in plan.changes} == {"update"}  # a task that was removed is not made again


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_changed_policy_ends_the_hold(tiny: Bench, system: str) -> None:
    _, first = tiny.sync(system)
    undo(tiny, system, first.run_id)
    assert held_by_status(tiny, system) > 0
    tiny.edit_yaml("policies/baseline.yaml", "value: 90", "value: 91")
    assert held_by_status(tiny, system) == 0
    plan, report = tiny.sync(system)
    assert plan.changes
    assert report.held == 0


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_undo_can_be_undone(tiny: Bench, system: str) -> None:
    people = People(tiny, system)
    _, first = tiny.sync(system)
    written = snapshot(people)
    tiny.box.clock.advance(60)
    _, undone = undo(tiny, system, first.run_id)
    assert snapshot(people) != written
    tiny.box.clock.advance(60)
    again, report = undo(tiny, system, undone.run_id)
    assert (again.left, report.status) == ([], "ok")
    assert snapshot(people) == written
    with tiny.session(system) as session:
        assert session.store.holds() == []
    tiny.box.clock.advance(60)
    assert tiny.sync(system, full=True)[0].changes == ()


@pytest.mark.parametrize("system", SYSTEMS)
def test_created_records_are_removed_if_untouched_and_allowed(tiny: Bench, system: str) -> None:
    people = People(tiny, system)
    assert people.mapping.task is not None
    task = people.mapping.task.object
    _, first = tiny.sync(system)
    assert first.created >= 2
    with tiny.session(system) as session:
        kept = make_undo(session, first.run_id)
        ids = [entry.record_id for entry in kept.left if entry.reason == "kept"]
        assert len(ids) == first.created
        subject = next(
            r for r in session.store.run_history(first.run_id) if r.record_id == ids[0] and "ubject" in r.field
        )
    people.crm.edit(task, ids[0], {subject.remote_field: "Mine now"})
    made, report = undo(tiny, system, first.run_id, delete_created=True)
    assert [(e.reason, e.record_id, e.found) for e in made.left] == [("touched", ids[0], "Mine now")]
    assert report.deleted == first.created - 1
    assert {record_id for record_id, _ in people.rows(task)} & set(ids) == {ids[0]}
    again, _ = undo(tiny, system, report.run_id)
    assert sum(change.op == "upsert" for change in again.plan.changes) == first.created - 1
    assert len({record_id for record_id, _ in people.rows(task)} - set(ids)) == first.created - 1


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_record_that_we_did_not_make_is_never_removed(tiny: Bench, system: str) -> None:
    """Whatever a plan file says."""
    people = People(tiny, system)
    _, first = tiny.sync(system)
    with tiny.session(system) as session:
        made = make_undo(session, first.run_id, delete_created=True)
        forged = next(change for change in made.plan.changes if change.op == "update")
        plan = type(made.plan)(**{**_fields(made.plan), "changes": (_replaced(forged),)})
        report = apply_plan(session, plan)
    assert [failure.code for failure in report.failures] == ["NOT_OURS"]
    assert forged.id in dict(people.rows(forged.object))


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _replaced(change: Any) -> Any:
    return type(change)(**{**_fields(change), "op": "delete"})


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_later_run_of_ours_is_told_from_a_person(tiny: Bench, system: str) -> None:
    people = People(tiny, system)
    _, first = tiny.sync(system)
    tiny.edit_yaml("policies/baseline.yaml", "value: 90", "value: 91")
    tiny.box.clock.advance(60)
    _, second = tiny.sync(system)
    with tiny.session(system) as session:
        made = make_undo(session, first.run_id)
    superseded = [entry for entry in made.left if entry.reason == "superseded"]
    assert superseded
    assert {entry.by for entry in superseded} == {second.run_id}
    assert people.ids("deal")


def test_parts_of_a_run_can_be_taken_back(tiny: Bench) -> None:
    _, first = tiny.sync("salesforce")
    with tiny.session("salesforce") as session:
        rows = [r for r in session.store.run_history(first.run_id) if (r.kind, r.field) == ("deal", "attribution")]
        one = rows[0]
        by_kind = make_undo(session, first.run_id, only=["registration"]).plan
        by_field = make_undo(session, first.run_id, only=["deal", "attribution"]).plan
        by_record = make_undo(session, first.run_id, only=[f"deal:{one.record_id}", one.remote_field]).plan
        with pytest.raises(UsageError, match="nothing that 'attributoin' names") as caught:
            make_undo(session, first.run_id, only=["attributoin"])
        assert "attribution" in caught.value.hint
    assert {change.kind for change in by_kind.changes} == {"registration"}
    told = {f.field for change in by_field.changes for f in change.fields}
    assert told <= {"attribution", "policy_version", "synced_at", "fingerprint"}
    assert len(by_field.changes) == len(rows)
    assert [change.id for change in by_record.changes] == [one.record_id]


def test_a_saved_undo_is_applied_like_any_plan(tiny: Bench, tmp_path: Path) -> None:
    people = People(tiny, "hubspot")
    before = snapshot(people)
    _, first = tiny.sync("hubspot")
    with tiny.session("hubspot") as session:
        save_plan(make_undo(session, first.run_id, delete_created=True).plan, tmp_path / "undo.json")
        report = apply_plan(session, load_plan(tmp_path / "undo.json"))
    assert (report.mode, report.undoes) == ("undo", first.run_id)
    assert snapshot(people) == before


def test_what_is_no_run_or_wrote_nothing_is_refused(tiny_synced: Bench) -> None:
    with tiny_synced.session("salesforce") as session:
        with pytest.raises(UsageError, match="no run 'r-0009'"):
            make_undo(session, "r-0009")
        make_plan(session)
        with pytest.raises(UsageError, match="r-0002 wrote nothing"):
            make_undo(session, "r-0002")


def test_an_undo_that_is_cut_off_is_settled_and_can_go_on(tiny: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    people = People(tiny, "salesforce")
    before = snapshot(people)
    _, first = tiny.sync("salesforce")
    with tiny.session("salesforce") as session:
        made = make_undo(session, first.run_id, delete_created=True)
        with monkeypatch.context() as patch:
            patch.setattr(type(session.store), "journal_outcome", _cut)
            with pytest.raises(KeyboardInterrupt):
                apply_plan(session, made.plan)
    with tiny.session("salesforce") as session:
        sync(session)
        rest = make_undo(session, first.run_id, delete_created=True)
        apply_plan(session, rest.plan)
        assert list(session.store.chain_breaks()) == []
    assert snapshot(people) == before


def _cut(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt
