"""Trouble around a sync: one clear error or report each, and the next run goes on as if nothing had been."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crmsync.errors import CrmsyncError, GuardError, Permanent, StoreBusy, StoreError, Unreachable
from crmsync.store import Store
from crmsync.sync.cycle import make_plan, sync
from tests.sync.conftest import SYSTEMS, Bench, open_bench
from tests.sync.people import People, assert_nothing_is_doubled

pytestmark = pytest.mark.parametrize("system", SYSTEMS)

TASKS = {"salesforce": "composite/sobjects?", "hubspot": "objects/tasks/batch/upsert"}
"""The request that makes tasks."""

OPEN_AND_DIE = """
import os, sys
from pathlib import Path
from crmsync.store import Store
store = Store.open(Path(sys.argv[1]))
os.kill(os.getpid(), 9)
"""


def test_objects_that_are_not_there_yet_are_one_error_that_names_the_way_out(
    tiny: Bench, tmp_path: Path, system: str
) -> None:
    """An org without the partner programme."""
    with open_bench(tmp_path / "blank", world="blank") as bench:
        with bench.session(system) as session, pytest.raises(Permanent) as caught:
            sync(session)
        assert "crmsync provision" in caught.value.hint
        assert bench.writes(system) == 0


def test_a_second_process_on_one_store_is_refused(tiny_synced: Bench, system: str) -> None:
    with tiny_synced.session(system), pytest.raises(StoreBusy) as caught, tiny_synced.session(system):
        pass
    assert str(os.getpid()) in caught.value.message


def test_the_lock_of_a_dead_process_does_not_matter(tiny_synced: Bench, system: str) -> None:
    path = tiny_synced.project.store_path(system)
    done = subprocess.run([sys.executable, "-c", OPEN_AND_DIE, str(path)], check=False, cwd=Path.cwd())
    assert done.returncode == -9
    _, report = tiny_synced.sync(system)
    assert report.status == "ok"


def test_a_damaged_store_is_refused_and_rebuilt_without_a_write(tiny_synced: Bench, system: str) -> None:
    path = tiny_synced.project.store_path(system)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x5a" * (size - 4096))
    with pytest.raises(StoreError) as caught, tiny_synced.session(system) as session:
        sync(session)
    assert "crmsync sync --rebuild" in caught.value.hint
    before = tiny_synced.writes(system)
    tiny_synced.forget(system)
    _, report = tiny_synced.sync(system)
    assert (report.status, tiny_synced.writes(system)) == ("ok", before)


def test_a_full_disk_stops_the_run_and_keeps_the_store_sound(tiny: Bench, system: str) -> None:
    with tiny.session(system) as session:
        make_plan(session)
    with tiny.session(system) as session:
        pages = session.store._rows("PRAGMA page_count")[0][0]
        session.store._run(f"PRAGMA max_page_count = {pages + 3:d}")
        with pytest.raises(StoreError, match="no space left"):
            sync(session)
    with tiny.session(system) as session:
        assert session.store.integrity() == []
    _, report = tiny.sync(system)
    assert report.status == "ok", report.failures
    assert tiny.sync(system)[0].changes == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_a_directory_that_may_not_be_written_is_named(tiny_synced: Bench, system: str) -> None:
    directory = tiny_synced.project.store_path(system).parent
    directory.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="cannot open"), tiny_synced.session(system):
            pass
    finally:
        directory.chmod(0o700)


def test_a_store_whose_place_is_taken_is_named(tiny: Bench, system: str) -> None:
    place = tiny.project.store_path(system).parent
    for path in place.glob("*"):
        path.unlink()
    place.rmdir()
    place.write_text("not a directory")
    with pytest.raises(StoreError) as caught, tiny.session(system):
        pass
    assert str(place) in caught.value.message


@pytest.mark.usefixtures("impatient")
def test_a_task_that_could_not_be_made_is_made_by_the_next_run(tiny: Bench, system: str) -> None:
    tiny.box.faults.add(system=system, kind="down", times=4, match=TASKS[system], method="POST")
    with tiny.session(system) as session, pytest.raises(Unreachable):
        sync(session)
    tiny.box.clock.advance(60)
    _, report = tiny.sync(system)
    assert (report.status, report.tasks > 0) == ("ok", True)
    assert tiny.sync(system)[0].changes == ()
    assert_nothing_is_doubled(People(tiny, system))


@pytest.mark.usefixtures("impatient")
def test_a_task_that_could_not_be_tied_to_its_record_is_tied_by_the_next_run(tiny: Bench, system: str) -> None:
    if system == "salesforce":
        pytest.skip("a task's record is a field there")
    tiny.box.faults.add(system=system, kind="down", times=4, match="associations/tasks", method="POST")
    _, report = tiny.sync(system)
    assert report.failures
    tiny.box.clock.advance(60)
    tiny.sync(system)
    portal = tiny.box.hubspot
    for task in portal.rows("tasks"):
        tied = [portal.associated("tasks", task["hs_object_id"], name) for name in ("deals", "prm_registration")]
        assert any(tied), task["prm_key"]
    assert tiny.sync(system)[0].changes == ()
    assert_nothing_is_doubled(People(tiny, system))


def test_a_missing_secret_is_one_error_and_a_failed_run(tiny: Bench, system: str) -> None:
    tiny.environ.clear()
    with tiny.session(system) as session:
        with pytest.raises(CrmsyncError) as caught:
            sync(session)
        last = session.store.runs(1)[0]
    assert caught.value.exit_code in (2, 4)
    assert (last["status"], last["error"]) == ("failed", f"{caught.value.code}: {caught.value.message}")


def test_after_the_store_is_lost_the_guards_of_an_ordinary_run_hold(tiny_synced: Bench, system: str) -> None:
    tiny_synced.forget(system)
    tiny_synced.edit_yaml("policies/baseline.yaml", "value: 90", "value: 100")
    tiny_synced.edit_yaml("crmsync.yaml", "max_changes: 2000", "max_changes: 1")
    before = tiny_synced.writes(system)
    with tiny_synced.session(system) as session, pytest.raises(GuardError, match=r"guards.max_changes allows 1"):
        sync(session)
    assert tiny_synced.writes(system) == before


def test_a_guard_leaves_what_it_stopped_for_the_next_run(tiny_synced: Bench, system: str) -> None:
    people = People(tiny_synced, system)
    deal = next(d for d in people.ids("deal") if people.value("deal", d, "protection_end"))
    people.edit("deal", deal, "stage", "closed_lost")
    tiny_synced.box.clock.advance(60)
    tiny_synced.edit_yaml("crmsync.yaml", "max_changes: 2000", "max_changes: 0")
    with tiny_synced.session(system) as session, pytest.raises(GuardError):
        sync(session)
    tiny_synced.edit_yaml("crmsync.yaml", "max_changes: 0", "max_changes: 2000")
    _, report = tiny_synced.sync(system)
    assert report.written > 0
    assert tiny_synced.sync(system, full=True)[0].changes == ()


def test_a_store_is_private(tiny_synced: Bench, system: str) -> None:
    path = tiny_synced.project.store_path(system)
    assert path.stat().st_mode & 0o077 == 0
    with Store.open(path, readonly=True) as store:
        assert store.integrity() == []
