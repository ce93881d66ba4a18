"""Power cuts, flipped bits, stopped processes, directories that cannot be written: old or new, never mixed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import struct
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crmsync.errors import StoreBusy, StoreError
from crmsync.remote import RemoteRecord
from crmsync.store import Store
from crmsync.store.repair import set_aside_if_damaged
from tests.store.conftest import record
from tests.store.test_opening import end, hold

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
NOBODY = 65534
PAGES = 5


def page(store: Store, number: int) -> None:
    rows = [record(f"{number}-{i}", Name="x" * 300, Page=number) for i in range(20)]
    store.save_page("Deal", rows, {"page": number}, run_id="r")


def seen(path: Path) -> int:
    """The page that the cursor stands at, after checking that exactly its rows are there."""
    with Store.open(path) as store:
        assert store.integrity() == []
        cursor = store.cursor("Deal")
        number = -1 if cursor is None else int(cursor["page"])
        assert store.count("Deal") == 20 * (number + 1)
        return number


def look(path: Path) -> str:
    """The page that is seen, or the code of the refusal."""
    try:
        return str(seen(path))
    except StoreError as error:
        return error.code if error.hint else "without a hint"


def test_a_power_cut_leaves_whole_pages_with_their_cursor(path: Path, tmp_path: Path) -> None:
    """The write-ahead log cut at each frame, and in the middle of each: what was committed is there, whole."""
    with Store.open(path) as store:
        size = struct.unpack(">H", path.read_bytes()[16:18])[0]
        store._run("PRAGMA wal_autocheckpoint = 0")
        for number in range(PAGES):
            page(store, number)
        main, wal = path.read_bytes(), path.with_name(path.name + "-wal").read_bytes()
    frame = 24 + size
    frames = (len(wal) - 32) // frame
    assert frames > 3 * PAGES
    found = []
    for cut in [*range(32, len(wal) + 1, frame), *range(32 + frame // 2, len(wal), frame)]:
        copy = tmp_path / "cut" / "s.db"
        shutil.rmtree(copy.parent, ignore_errors=True)
        copy.parent.mkdir()
        copy.write_bytes(main)
        copy.with_name("s.db-wal").write_bytes(wal[:cut])
        found.append((cut, seen(copy)))
    steps = [number for _, number in sorted(found)]
    assert steps == sorted(steps)
    assert set(steps) >= set(range(PAGES))


def test_the_log_of_another_store_is_not_mixed_in(path: Path, tmp_path: Path) -> None:
    for place, number in ((path, 0), (tmp_path / "other.db", 1)):
        with Store.open(place) as store:
            page(store, 0)
            page(store, number)
            wal = place.with_name(place.name + "-wal").read_bytes()
    path.with_name(path.name + "-wal").write_bytes(wal)
    assert look(path) in ("0", "1", "E520")  # one of the two, whole, or a refusal: never a mixture


def test_a_flipped_bit_in_the_mirror_never_goes_unseen(path: Path, tmp_path: Path) -> None:
    """Either the store is refused, or every row is what it was."""
    with Store.open(path) as store:
        for number in range(PAGES):
            page(store, number)
        before = list(store.rows("Deal"))
    whole, told = path.read_bytes(), []
    filled = [at for at in range(0, len(whole), 4096) if b"x" * 200 in whole[at : at + 4096]]
    chance = random.Random(4711)  # noqa: S311 - the same bits every time
    for _ in range(120):
        at = chance.choice(filled) + chance.randrange(4096)
        damaged = bytearray(whole)
        damaged[at] ^= 1 << chance.randrange(8)
        copy = tmp_path / "flip" / "s.db"
        shutil.rmtree(copy.parent, ignore_errors=True)
        copy.parent.mkdir()
        copy.write_bytes(damaged)
        told.append(_rows_or_refusal(copy, before))
    assert set(told) == {"unharmed", "E520"}
    assert told.count("E520") > 60


def _rows_or_refusal(path: Path, before: list[RemoteRecord]) -> str:
    try:
        with Store.open(path) as store:
            if store.integrity():
                return "E520"
            return "unharmed" if list(store.rows("Deal")) == before else "unseen"
    except StoreError as error:
        return error.code


class TestRebuilding:
    def test_a_damaged_store_is_set_aside_with_all_its_files(self, path: Path) -> None:
        with Store.open(path) as store:
            page(store, 0)
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\x5a" * 4096)
        damaged = path.read_bytes()
        aside = set_aside_if_damaged(path, NOW)
        assert aside is not None
        assert aside.name == "acme.db.damaged-20261122T060000"
        assert aside.read_bytes() == damaged
        assert not [file for file in path.parent.iterdir() if file.name in ("acme.db", "acme.db-wal", "acme.db-shm")]
        assert seen(path) == -1

    def test_a_sound_store_is_left_alone(self, path: Path) -> None:
        with Store.open(path) as store:
            page(store, 0)
        assert set_aside_if_damaged(path, NOW) is None
        assert seen(path) == 0

    def test_a_store_in_use_is_left_alone(self, path: Path) -> None:
        process = hold(path)
        try:
            with pytest.raises(StoreBusy):
                set_aside_if_damaged(path, NOW)
        finally:
            end(process)

    def test_another_programs_database_is_left_alone(self, path: Path) -> None:
        path.parent.mkdir()
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE theirs (a)")
        other.close()
        with pytest.raises(StoreError, match="another program"):
            set_aside_if_damaged(path, NOW)
        assert path.exists()

    def test_where_there_is_none_there_is_nothing_to_do(self, path: Path) -> None:
        assert set_aside_if_damaged(path, NOW) is None


def test_a_process_that_was_stopped_still_holds_the_store_when_it_goes_on(path: Path) -> None:
    """No lease runs out behind its back: the kernel keeps the lock as long as the process lives."""
    process = hold(path)
    try:
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(StoreBusy):
            Store.open(path)
        process.send_signal(signal.SIGCONT)
        with pytest.raises(StoreBusy):
            Store.open(path)
    finally:
        end(process)
    Store.open(path).close()


# ---------------------------------------------------------------------- as an ordinary user


def as_nobody(work: Callable[[], str]) -> str:
    """What ``work`` says, run by somebody who is not root, from whom root's rights hide nothing."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        said = "crash"
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            said = work()
        except BaseException as error:  # noqa: BLE001 - all of it is told
            said = f"{type(error).__name__}: {error}"
        finally:
            os.write(write, said.encode()[:4000])
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


@pytest.fixture
def anywhere() -> Iterator[Path]:
    """A directory that everybody may enter: pytest's own are for one user."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    yield directory
    for each in [directory, *directory.rglob("*")]:
        if each.is_dir():
            each.chmod(0o755)
    shutil.rmtree(directory)


def told(path: Path, *, readonly: bool = False) -> Callable[[], str]:
    def work() -> str:
        try:
            with Store.open(path, readonly=readonly) as store:
                if not readonly:
                    page(store, 0)
                return f"rows {store.count('Deal')}"
        except StoreError as error:
            return f"{error.code} {error.message} / {error.hint}"

    return work


def test_a_directory_that_cannot_be_written_is_named(anywhere: Path) -> None:
    anywhere.chmod(0o555)
    said = as_nobody(told(anywhere / "s.db"))
    assert said.startswith(f"E500 cannot open the store '{anywhere / 's.db'}'")
    assert "check the permissions" in said


def test_a_store_of_somebody_else_is_named(anywhere: Path) -> None:
    path = anywhere / "s.db"
    Store.open(path).close()
    for file in anywhere.iterdir():
        file.chmod(0o400)
    anywhere.chmod(0o555)
    said = as_nobody(told(path))
    assert said.startswith("E500 cannot open the store")


def test_an_ordinary_user_works_in_a_directory_of_his_own(anywhere: Path) -> None:
    mine = anywhere / "mine"
    mine.mkdir()
    if os.getuid() == 0:
        os.chown(mine, NOBODY, NOBODY)
    assert as_nobody(told(mine / "s.db")) == "rows 20"
