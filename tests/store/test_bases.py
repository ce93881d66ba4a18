"""What both sides agreed on, and other people's values, as the store keeps them."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crmsync.store import BaseRow, EditRow, JournalRow, Store
from crmsync.store.migrations import migrate
from tests.store.conftest import intent

NOW = datetime(2026, 6, 17, 9, 0, tzinfo=UTC)
LATER = datetime(2026, 6, 18, 9, 0, tzinfo=UTC)


def base(record_id: str, remote_field: str, value: object, **more: object) -> BaseRow:
    return BaseRow(
        object="deals", id=record_id, remote_field=remote_field, value=value, run_id="r-0001", at=NOW, **more
    )  # type: ignore[arg-type]


def edit(record_id: str, **more: object) -> EditRow:
    return EditRow(object="deals", id=record_id, remote_field="f", theirs="x", **more)  # type: ignore[arg-type]


def test_bases_are_kept_by_record_and_field(store: Store) -> None:
    rows = [base("1", "a", "x"), base("1", "b", None), base("2", "a", 1.5), base("3", "a", None, digest="abcd")]
    store.save_bases(rows)
    assert store.bases("deals", ["1", "3", "9"]) == {(row.id, row.remote_field): row for row in rows if row.id != "2"}
    assert store.bases("companies", ["1"]) == {}


def test_the_last_agreement_counts(store: Store) -> None:
    store.save_bases([base("1", "a", "x")])
    store.save_bases([base("1", "a", "y")])
    assert store.bases("deals", ["1"])["1", "a"].value == "y"


def test_bases_can_be_forgotten(store: Store) -> None:
    store.save_bases([base("1", "a", "x"), base("2", "a", "x")])
    store.drop_bases("deals", ["1"])
    assert set(store.bases("deals", ["1", "2"])) == {("2", "a")}


def test_edits_are_kept_until_both_agree(store: Store) -> None:
    rows = [edit("1", by="Eva Klein", edited_at=NOW, source="CRM_UI"), edit("2", frozen_run="r-0004")]
    store.save_edits(rows)
    assert list(store.edit_rows().values()) == rows
    store.thaw([("deals", "2", "f")], LATER)
    store.drop_edits([("deals", "1", "f")])
    (left,) = store.edit_rows().values()
    assert (left.frozen_run, left.thawed_at) == ("", LATER)


@pytest.mark.parametrize(("status", "expected"), [("ok", {("1", "prm_attribution"): "sourced"}), ("failed", {})])
def test_an_older_store_knows_what_it_wrote(path: Path, status: str, expected: dict[tuple[str, str], str]) -> None:
    path.parent.mkdir()
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute(f"PRAGMA application_id = {0x63726D73}")
    migrate(conn, up_to=2)
    columns = {row[1] for row in conn.execute("PRAGMA table_info(journal)")}
    for value in ("influenced", "sourced"):
        given = values_of(intent(field="attribution", new=f'"{value}"', old="null", status=status), columns)
        names, marks = ", ".join(given), ", ".join("?" * len(given))
        conn.execute(f"INSERT INTO journal ({names}) VALUES ({marks})", tuple(given.values()))
    conn.close()
    with Store.open(path) as store:
        found = {key: row.value for key, row in store.bases("deals", ["1"]).items()}
    assert found == expected


def values_of(row: JournalRow, columns: set[str]) -> dict[str, object]:
    given = asdict(row) | {"place": row.where, "at": NOW.isoformat()}
    return {name: given[name] for name in given.keys() & columns - {"seq"}}
