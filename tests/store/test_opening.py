import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from crmsync.errors import StoreBusy, StoreError
from crmsync.store import Store, lock_owner
from crmsync.store.migrations import LATEST, migrate
from tests.store.conftest import NOW, record

HOLD = """
    import sys, time
    from pathlib import Path
    from crmsync.store import Store
    store = Store.open(Path(sys.argv[1]))
    print("held", flush=True)
    time.sleep(60)
"""


def hold(path: Path) -> "subprocess.Popen[str]":
    """Another process that has the store open."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLD), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: "subprocess.Popen[str]", how: int = signal.SIGKILL) -> None:
    process.send_signal(how)
    process.communicate()


def test_files_are_for_their_owner_only(path: Path) -> None:
    before = os.umask(0)
    try:
        with Store.open(path) as store:
            store.set_meta("a", "b")
            assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(before)


def test_a_second_process_is_refused_by_name(path: Path) -> None:
    process = hold(path)
    try:
        with pytest.raises(StoreBusy, match=f"process {process.pid} .* since 20") as caught:
            Store.open(path)
        assert caught.value.hint
        owner = lock_owner(path)
        assert owner is not None
        assert owner["pid"] == process.pid
    finally:
        end(process)


def test_the_lock_of_a_killed_process_is_taken_silently(path: Path) -> None:
    end(hold(path))
    assert path.with_name(path.name + ".lock").read_bytes()  # its text is still there
    assert lock_owner(path) is None
    Store.open(path).close()


def test_a_second_opening_in_one_process_is_refused(path: Path, store: Store) -> None:
    with pytest.raises(StoreBusy):
        Store.open(path)


def test_looking_needs_no_lock(path: Path, store: Store) -> None:
    store.save_page("deals", [record("1", a=1)], {}, run_id="r-0001")
    with Store.open(path, readonly=True) as reader:
        assert reader.count("deals") == 1
        with pytest.raises(StoreError, match="cannot open the store"):
            reader.set_meta("a", "b")
    assert lock_owner(path) is not None


def test_looking_makes_no_store(path: Path) -> None:
    with pytest.raises(StoreError, match="no store") as caught:
        Store.open(path, readonly=True)
    assert caught.value.hint == "crmsync sync"
    assert not path.exists()


def test_a_killed_writer_leaves_what_it_had_committed(path: Path) -> None:
    code = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from crmsync.remote import RemoteRecord
        from crmsync.store import Store
        store = Store.open(Path(sys.argv[1]))
        store.save_page("deals", [RemoteRecord("1", {"a": 1})], {"page": 1}, run_id="r")
        with store.transaction():
            store.save_page("deals", [RemoteRecord("2", {"a": 1})], {"page": 2}, run_id="r")
            os.kill(os.getpid(), 9)
    """)
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    with Store.open(path) as store:
        assert store.cursor("deals") == {"page": 1}
        assert [row.id for row in store.rows("deals")] == ["1"]


class TestOtherFiles:
    @pytest.mark.parametrize("content", [b"not a database at all, sorry", b"SQLite format 3\0" + b"\xff" * 2000])
    def test_rubbish_is_named_with_the_way_out(self, path: Path, content: bytes) -> None:
        path.parent.mkdir()
        path.write_bytes(content)
        with pytest.raises(StoreError, match="is damaged") as caught:
            Store.open(path)
        assert "delete it" in caught.value.hint
        assert "rebuilds it" in caught.value.hint
        assert path.read_bytes() == content

    def test_a_torn_file_is_named(self, path: Path) -> None:
        with Store.open(path) as store:
            store.save_page("deals", [record(str(i), a="x" * 500) for i in range(200)], {}, run_id="r")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(StoreError, match="is damaged"), Store.open(path) as store:
            list(store.rows("deals"))

    def test_another_programs_database_is_left_alone(self, path: Path) -> None:
        path.parent.mkdir()
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE customers (name)")
        other.close()
        with pytest.raises(StoreError, match="another program"):
            Store.open(path)

    def test_a_directory_is_no_store(self, path: Path) -> None:
        path.mkdir(parents=True)
        with pytest.raises(StoreError, match="cannot open"):
            Store.open(path)

    def test_the_lock_is_free_after_a_refusal(self, path: Path) -> None:
        path.parent.mkdir()
        path.write_bytes(b"rubbish " * 100)
        for _ in range(2):
            with pytest.raises(StoreError, match="is damaged"):
                Store.open(path)


class TestShapes:
    def test_a_newer_store_is_refused(self, path: Path) -> None:
        with Store.open(path) as store:
            store._conn.execute(f"PRAGMA user_version = {LATEST + 1}")
        with pytest.raises(StoreError, match="newer crmsync") as caught:
            Store.open(path)
        assert "upgrade crmsync" in caught.value.hint

    def older(self, path: Path) -> None:
        path.parent.mkdir()
        conn = sqlite3.connect(path, isolation_level=None)
        conn.execute(f"PRAGMA application_id = {0x63726D73}")
        migrate(conn, up_to=1)
        conn.execute("INSERT INTO meta VALUES ('kept', 'yes')")
        conn.close()

    def test_an_older_store_is_brought_up_to_date(self, path: Path) -> None:
        self.older(path)
        with Store.open(path) as store:
            assert store.shape == LATEST
            assert store.get_meta("kept") == "yes"
            assert store._rows("SELECT * FROM open_findings") == []

    def test_looking_at_an_older_store_brings_it_up_to_date_too(self, path: Path) -> None:
        self.older(path)
        with Store.open(path, readonly=True) as store:
            assert (store.shape, store.get_meta("kept")) == (LATEST, "yes")


def test_a_transaction_inside_another_joins_it(store: Store) -> None:
    def failing() -> None:
        with store.transaction():
            with store.transaction():
                store.set_meta("a", "1")
            raise KeyError

    with pytest.raises(KeyError):
        failing()
    assert store.get_meta("a") is None


def test_size_counts_the_log_too(store: Store, path: Path) -> None:
    store.start_run("r-0001", "sync", NOW)
    assert store.size() > path.stat().st_size
