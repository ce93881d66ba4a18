"""Nobody's edit is lost: a field of ours that somebody changed, before and after the store was lost, on both CRMs."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from crmsync.records import Value
from crmsync.store import FindingRow
from crmsync.sync.cycle import sync
from crmsync.sync.decide import decide_changes
from crmsync.sync.report import RunReport
from tests.sync.conftest import SYSTEMS, Bench
from tests.sync.people import People

pytestmark = pytest.mark.parametrize("system", SYSTEMS)

BY_HAND = date(2031, 1, 31)
MAPPING = "mappings/{}.yaml"


@pytest.fixture
def people(tiny_synced: Bench, system: str) -> People:
    return People(tiny_synced, system)


def protected_deal(people: People) -> str:
    return next(deal for deal in people.ids("deal") if people.value("deal", deal, "protection_end"))


def edit(people: People, deal: str, field: str, value: Value) -> Any:
    """Edit as the administrator, a while after the last run; the raw value that is there now."""
    people.edit("deal", deal, field, value)
    people.bench.box.clock.advance(60)
    return people.value("deal", deal, field)


def findings(people: People, code: str) -> list[FindingRow]:
    with people.bench.session(people.system) as session:
        return session.store.findings(code=code)


def longer_protection(people: People) -> None:
    """The decision changes: the policy protects longer."""
    people.bench.edit_yaml("policies/baseline.yaml", "value: 90", "value: 100")


def written(people: People, deal: str) -> set[str]:
    plan, report = people.bench.sync(people.system)
    assert report.status == "ok", report.failures
    return {f.field for change in plan.changes if change.id == deal for f in change.fields}


def set_policy(people: People, field: str, policy: str) -> None:
    path = MAPPING.format(people.system)
    text = (people.bench.directory / path).read_text()
    line = next(line for line in text.splitlines() if line.startswith(f"      {field}: {{"))
    people.bench.edit_yaml(path, line, line.replace("mode: engine_owned", f"mode: engine_owned, {policy}"))


# ------------------------------------------------------------------ policies


def test_an_edit_stays_and_is_flagged_until_both_agree_again(people: People) -> None:
    deal = protected_deal(people)
    ours = people.value("deal", deal, "protection_end")
    theirs = edit(people, deal, "protection_end", BY_HAND)
    assert written(people, deal) == set()
    (finding,) = findings(people, "USER_EDIT")
    assert (finding.id, finding.subject, finding.severity) == (deal, "protection_end", "warning")
    assert str(ours) in finding.message
    assert str(theirs) in finding.message
    assert people.value("deal", deal, "protection_end") == theirs
    edit(people, deal, "protection_end", date.fromisoformat(ours))
    assert written(people, deal) == set()
    assert findings(people, "USER_EDIT") == []


def test_an_edit_stays_when_the_decision_changes_later(people: People) -> None:
    deal = protected_deal(people)
    theirs = edit(people, deal, "protection_end", BY_HAND)
    written(people, deal)
    longer_protection(people)
    assert "protection_end" not in written(people, deal)
    assert people.value("deal", deal, "protection_end") == theirs
    assert len(findings(people, "USER_EDIT")) == 1
    plan, _ = people.bench.sync(people.system, full=True)
    assert plan.changes == ()


def test_an_edit_that_is_taken_back_makes_way_for_the_decision(people: People) -> None:
    deal = protected_deal(people)
    base = people.value("deal", deal, "protection_end")
    edit(people, deal, "protection_end", BY_HAND)
    written(people, deal)
    longer_protection(people)
    edit(people, deal, "protection_end", date.fromisoformat(base))
    assert "protection_end" in written(people, deal)
    assert findings(people, "USER_EDIT") == []


def test_an_edit_to_what_is_decided_later_is_agreement(people: People) -> None:
    deal = protected_deal(people)
    base = date.fromisoformat(people.value("deal", deal, "protection_end"))
    longer_protection(people)
    edit(people, deal, "protection_end", date.fromordinal(base.toordinal() + 10))
    assert "protection_end" not in written(people, deal)
    assert findings(people, "USER_EDIT") == []
    people.bench.edit_yaml("policies/baseline.yaml", "value: 100", "value: 110")
    assert "protection_end" in written(people, deal)


def test_a_cleared_field_stays_clear(people: People) -> None:
    deal = next(d for d in people.ids("deal") if people.value("deal", d, "registration_id"))
    for field in ("protection_end", "registration_id"):
        edit(people, deal, field, None)
    assert not {"protection_end", "registration_id"} & written(people, deal)
    assert {f.subject for f in findings(people, "USER_EDIT")} == {"protection_end", "registration_id"}


def test_another_field_of_the_record_is_written_all_the_same(people: People) -> None:
    deal = protected_deal(people)
    edit(people, deal, "partner_name", "Somebody Else")
    longer_protection(people)
    assert "protection_end" in written(people, deal)
    assert people.value("deal", deal, "partner_name") == "Somebody Else"


def test_keep_says_nothing(people: People) -> None:
    set_policy(people, "protection_end", "on_user_edit: keep")
    deal = protected_deal(people)
    theirs = edit(people, deal, "protection_end", BY_HAND)
    assert written(people, deal) == set()
    assert findings(people, "USER_EDIT") == []
    assert people.value("deal", deal, "protection_end") == theirs


def test_an_attribution_without_an_override_is_restored_and_audited(people: People) -> None:
    deal = protected_deal(people)
    ours = people.value("deal", deal, "attribution")
    edit(people, deal, "attribution", "direct" if ours != "direct" else "sourced")
    assert "attribution" in written(people, deal)
    assert people.value("deal", deal, "attribution") == ours
    with people.bench.session(people.system) as session:
        last = session.store.history(session.mapping.object_of("deal"), deal, "attribution")[0]
    assert last.rule == "on_user_edit"
    assert last.reason.startswith("Restored: ")
    assert written(people, deal) == set()


@pytest.mark.parametrize(("policy", "found"), [("keep", 0), ("flag", 1)])
def test_on_null_keeps_what_the_rules_would_blank(people: People, policy: str, found: int) -> None:
    set_policy(people, "protection_end", f"on_null: {policy}")
    deal = protected_deal(people)
    held = people.value("deal", deal, "protection_end")
    for registration in people.ids("registration"):
        people.delete("registration", registration)
    people.bench.box.clock.advance(60)
    assert "protection_end" not in (fields := written(people, deal))
    assert "protection_start" in fields
    assert people.value("deal", deal, "protection_end") == held
    assert len([f for f in findings(people, "NOT_CLEARED") if f.id == deal]) == found


# ------------------------------------------------------------------ the store is lost, or old


def test_an_edit_before_the_store_was_lost_is_still_an_edit(people: People) -> None:
    deal = protected_deal(people)
    theirs = edit(people, deal, "protection_end", BY_HAND)
    people.bench.forget(people.system)
    assert written(people, deal) == set()
    assert people.value("deal", deal, "protection_end") == theirs
    assert [f.id for f in findings(people, "USER_EDIT")] == [deal]
    longer_protection(people)
    assert "protection_end" not in written(people, deal)


def test_what_nobody_edited_is_ours_after_the_store_was_lost(people: People) -> None:
    deal = protected_deal(people)
    people.bench.forget(people.system)
    longer_protection(people)
    assert "protection_end" in written(people, deal)
    assert findings(people, "USER_EDIT") == []


def test_an_old_backup_overwrites_no_edit(people: People, system: str) -> None:
    bench, deal = people.bench, protected_deal(people)
    path = bench.project.store_path(system)
    old = date.fromisoformat(people.value("deal", deal, "protection_end"))
    shutil.copy(path, path.with_suffix(".backup"))
    longer_protection(people)
    assert "protection_end" in written(people, deal)
    edit(people, deal, "protection_end", old)  # which is the base, as far as the backup knows
    bench.forget(system)
    shutil.move(path.with_suffix(".backup"), path)
    assert "protection_end" not in written(people, deal)
    assert people.value("deal", deal, "protection_end") == old.isoformat()
    assert [f.id for f in findings(people, "USER_EDIT")] == [deal]
    plan, _ = bench.sync(system, full=True)
    assert plan.changes == ()


def test_a_fingerprint_that_somebody_spoilt_is_not_believed(people: People) -> None:
    deal, mapping = protected_deal(people), people.mapping
    name = mapping.object_of("deal")
    people.crm.edit(name, deal, {mapping.fingerprint_field(name): "by hand"})
    people.bench.box.clock.advance(60)
    longer_protection(people)
    assert "protection_end" in written(people, deal)


def test_a_fingerprint_never_causes_a_write(people: People) -> None:
    deal, mapping = protected_deal(people), people.mapping
    name = mapping.object_of("deal")
    people.crm.edit(name, deal, {mapping.fingerprint_field(name): "" if people.system == "hubspot" else None})
    people.bench.box.clock.advance(60)
    assert written(people, deal) == set()


def test_a_write_that_nobody_booked_and_somebody_took_back_stays_taken_back(people: People) -> None:
    """The run dies after the CRM acted; before the next one a person puts back what was there before."""
    bench, deal = people.bench, protected_deal(people)
    old = people.value("deal", deal, "protection_end")
    longer_protection(people)
    with bench.session(people.system) as session:
        push = session.connector.push
        session.connector.push = lambda writes: die_after(push(writes))  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            sync(session)
    assert people.value("deal", deal, "protection_end") != old
    edit(people, deal, "protection_end", date.fromisoformat(old))
    assert "protection_end" not in written(people, deal)
    assert people.value("deal", deal, "protection_end") == old
    assert [f.subject for f in findings(people, "USER_EDIT") if f.id == deal] == ["protection_end"]


def die_after(_: object) -> Any:
    raise KeyboardInterrupt


def test_a_field_that_the_crm_did_not_show_is_not_blank(people: People) -> None:
    deal, mapping = protected_deal(people), people.mapping
    name, target = mapping.object_of("deal"), mapping.field("deal", "protection_end")
    assert target is not None
    with people.bench.session(people.system) as session:
        store = session.store
        row = store.row(name, deal)
        assert row is not None
        shown = {field: value for field, value in row.fields.items() if field != target.remote_field}
        store.save_page(name, [replace(row, fields=shown)], store.cursor(name) or {}, run_id="r-0009")
        report = RunReport("r-0009", session.connection.name, people.system, "plan", session.now, "1")
        outcome = decide_changes(session, report)
        assert (outcome.changes, store.findings(code="USER_EDIT")) == ([], [])
