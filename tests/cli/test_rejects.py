"""Refused writes on the command line: listed, explained, released, exported."""

import csv
import io
from pathlib import Path

import pytest

from crmsync.store import RejectRow, Store
from tests.cli.conftest import NOW, envelope, run


def reject(target: str, label: str, reject_class: str = "data") -> RejectRow:
    return RejectRow(
        object="deals",
        target=target,
        kind="deal",
        label=label,
        reject_class=reject_class,  # type: ignore[arg-type]
        code="INVALID_OPTION",
        message="prm_flags: INVALID_OPTION",
        reason="the value is not among those that the field allows",
        fix="an administrator adds the value",
        rule="flags",
        where="policies/baseline.yaml:12",
        fields=("prm_flags",),
        first_at=NOW,
        last_at=NOW,
        next_at=None,
        row_hash="1",
        mapping_hash="2",
        schema_hash="3",
        run_id="r-0001",
    )


@pytest.fixture
def known(project: Path) -> Path:
    with Store.open(project / ".crmsync" / "acme.db") as store:
        for number, label in enumerate(("Acme renewal", "\u00a0=HYPERLINK(1)", "ok\n=1+1", "＝1+1"), 1):
            store.save_reject(reject(str(number), label))
    return project


def released(project: Path) -> list[int]:
    with Store.open(project / ".crmsync" / "acme.db", readonly=True) as store:
        return [row.id for row in store.rejects() if row.is_released]


def test_they_are_listed_and_counted_in_the_status(known: Path) -> None:
    result = run("rejects", "-p", known, "-c", "acme")
    assert result.exit_code == 0
    assert "Acme renewal" in result.stdout
    rows = envelope(run("rejects", "-p", known, "-c", "acme", "--json"))["data"]
    assert [row["reject_class"] for row in rows] == ["data"] * 4
    assert "refused   4 writes" in run("status", "-p", known, "-c", "acme").stdout


def test_one_is_told_in_full(known: Path) -> None:
    result = run("rejects", "show", "1", "-p", known, "-c", "acme")
    for words in (
        "not among those",
        "an administrator adds",
        "policies/baseline.yaml:12",
        "prm_flags",
        "when the record",
    ):
        assert words in result.stdout


@pytest.mark.parametrize(("words", "ids"), [(("2", "3"), [2, 3]), (("--all",), [1, 2, 3, 4])])
def test_retry_releases_them_for_the_next_sync(known: Path, words: tuple[str, ...], ids: list[int]) -> None:
    result = run("rejects", "retry", *words, "-p", known, "-c", "acme")
    assert (result.exit_code, released(known)) == (0, ids)
    assert f"{len(ids)} writes will be sent" in result.stdout


@pytest.mark.parametrize("words", [("show",), ("show", "9"), ("retry",), ("list", "--all"), ("export",)])
def test_what_cannot_be_meant_is_said(known: Path, words: tuple[str, ...]) -> None:
    assert run("rejects", *words, "-p", known, "-c", "acme").exit_code == 2
    assert released(known) == []


def test_no_cell_of_an_export_is_a_formula(known: Path, tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    assert run("rejects", "export", path, "-p", known, "-c", "acme").exit_code == 0
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    assert [row["label"] for row in rows] == ["Acme renewal", "'\u00a0=HYPERLINK(1)", "'ok\n=1+1", "'＝1+1"]
    assert rows[0]["fix"] == "an administrator adds the value"


def test_none_is_said(project: Path) -> None:
    with Store.open(project / ".crmsync" / "acme.db"):
        pass
    assert run("rejects", "-p", project, "-c", "acme").stdout == "No write is refused.\n"
