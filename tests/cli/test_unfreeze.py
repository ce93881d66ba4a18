"""Frozen fields: listed, and taken back."""

from pathlib import Path

import pytest

from crmsync.store import EditRow, Store
from tests.cli.conftest import NOW, envelope, run
from tests.store.conftest import decision, record


def frozen(record_id: str, remote_field: str = "prm_attribution", run_id: str = "r-0004") -> EditRow:
    return EditRow(
        object="deals",
        id=record_id,
        remote_field=remote_field,
        theirs="direct",
        edited_at=NOW,
        by="Workflow 12",
        source="AUTOMATION_PLATFORM",
        frozen_run=run_id,
    )


@pytest.fixture
def known(project: Path) -> Path:
    with Store.open(project / ".crmsync" / "acme.db") as store:
        rows = [record(str(n), dealname=f"Deal {n}", pipeline="default") for n in (1, 2)]
        store.save_page("deals", rows, {}, run_id="r-0001")
        store.save_neighbourhood("a", [("deal", "1"), ("deal", "2")], [], None)
        store.save_decisions("a", [decision("1"), decision("2")])
        store.save_edits([frozen("1"), frozen("2"), frozen("2", "prm_flags"), frozen("1", "prm_flags", run_id="")])
        store.clear_pending(store.pending())
    return project


def state(project: Path) -> tuple[set[tuple[str, str]], list[tuple[str, str]]]:
    """Frozen fields, pending records."""
    with Store.open(project / ".crmsync" / "acme.db", readonly=True) as store:
        rows = store.edit_rows().values()
        return {(row.id, row.remote_field) for row in rows if row.frozen_run}, store.pending()


def test_without_a_record_they_are_listed(known: Path) -> None:
    result = run("unfreeze", "-p", known, "-c", "acme")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 3
    assert "Workflow 12" in result.stdout
    assert len(envelope(run("unfreeze", "-p", known, "-c", "acme", "--json"))["data"]) == 3
    assert len(state(known)[0]) == 3


def test_a_record_is_taken_back(known: Path) -> None:
    assert run("unfreeze", "deal:2", "-p", known, "-c", "acme").exit_code == 0
    assert state(known) == ({("1", "prm_attribution")}, [("deals", "2")])


@pytest.mark.parametrize("field", ["flags", "prm_flags"])
def test_one_field_is_taken_back(known: Path, field: str) -> None:
    result = run("unfreeze", "Deal 2", field, "-p", known, "-c", "acme")
    assert "1 field will be written again by the next sync" in result.stdout
    assert state(known)[0] == {("1", "prm_attribution"), ("2", "prm_attribution")}


def test_all_are_taken_back(known: Path) -> None:
    run("unfreeze", "--all", "-p", known, "-c", "acme")
    assert state(known) == (set(), [("deals", "1"), ("deals", "2")])


@pytest.mark.parametrize("words", [("deal:1", "flags"), ("deal:1", "--all"), ("deal:7",)])
def test_what_is_not_frozen_is_said(known: Path, words: tuple[str, ...]) -> None:
    assert run("unfreeze", *words, "-p", known, "-c", "acme").exit_code == 2
    assert len(state(known)[0]) == 3


def test_none_is_said(known: Path) -> None:
    run("unfreeze", "--all", "-p", known, "-c", "acme")
    assert run("unfreeze", "-p", known, "-c", "acme").stdout == "No field is frozen.\n"
