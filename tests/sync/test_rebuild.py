"""A damaged store: refused before anything is written, set aside by a command, rebuilt from the CRM without a write."""

from __future__ import annotations

import pytest

from crmsync.cli import main
from crmsync.errors import StoreError
from crmsync.store.repair import set_aside_if_damaged
from crmsync.sync.cycle import apply_plan, make_plan, sync
from tests.sync.conftest import SYSTEMS, Bench

pytestmark = pytest.mark.parametrize("system", SYSTEMS)


def damage(bench: Bench, system: str) -> None:
    """One value of one row, as a flipped bit would leave it: SQLite itself sees nothing wrong."""
    with bench.session(system) as session:
        sql = "UPDATE mirror SET body = replace(body, 'a', 'b') WHERE rowid = (SELECT max(rowid) FROM mirror)"
        session.store._run(sql)


def test_nothing_is_written_on_damaged_ground(tiny: Bench, system: str) -> None:
    with tiny.session(system) as session:
        plan, _ = make_plan(session)
    damage(tiny, system)
    before = tiny.writes(system)
    for run in (sync, lambda session: apply_plan(session, plan)):
        with tiny.session(system) as session, pytest.raises(StoreError) as caught:
            run(session)
        assert caught.value.code == "E520"
        assert "crmsync sync --rebuild" in caught.value.hint
    assert tiny.writes(system) == before


def test_damage_that_no_run_reads_is_found_when_its_time_has_come(tiny_synced: Bench, system: str) -> None:
    tiny_synced.sync(system)
    with tiny_synced.session(system) as session:
        session.store._run("UPDATE mirror SET modified_at = NULL WHERE deleted OR rowid = 1")
    tiny_synced.box.clock.advance(3601)
    with pytest.raises(StoreError, match="does not match its hash"):
        tiny_synced.sync(system)


def test_what_was_set_aside_is_rebuilt_from_the_crm_without_a_write(tiny_synced: Bench, system: str) -> None:
    damage(tiny_synced, system)
    before = tiny_synced.writes(system)
    aside = set_aside_if_damaged(tiny_synced.project.store_path(system), tiny_synced.now)
    assert aside is not None
    plan, report = tiny_synced.sync(system)
    assert (plan.changes, report.status, tiny_synced.writes(system)) == ((), "ok", before)
    with tiny_synced.session(system) as session:
        assert session.store.integrity() == []


def test_one_command_does_it_and_says_where_the_damaged_file_is(
    tiny_synced: Bench, system: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in tiny_synced.environ.items():
        monkeypatch.setenv(name, value)
    damage(tiny_synced, system)
    with pytest.raises(SystemExit) as ended:
        main(["sync", "--rebuild", "-p", str(tiny_synced.directory), "-c", system])
    assert ended.value.code == 0
    assert ".damaged-" in capsys.readouterr().err
    store = tiny_synced.project.store_path(system)
    assert list(store.parent.glob(f"{store.name}.damaged-*"))
