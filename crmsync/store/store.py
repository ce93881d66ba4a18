"""The store of one connection: what crmsync remembers between runs. Losing it loses no facts, only history."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from crmsync.errors import StoreError
from crmsync.store.bases import Bases
from crmsync.store.census import Census
from crmsync.store.claims import Claims
from crmsync.store.database import connect, make_directory
from crmsync.store.edits import Edits
from crmsync.store.findings import Findings
from crmsync.store.forget import Forgetter
from crmsync.store.holds import Holds
from crmsync.store.likenesses import Likenesses
from crmsync.store.lock import StoreLock
from crmsync.store.migrations import LATEST
from crmsync.store.mirror import Mirror
from crmsync.store.neighbourhoods import Neighbourhoods
from crmsync.store.rejects import Rejects
from crmsync.store.runs import Runs

_CHAINED = (
    "run_id", "mode", "status", "started_at", "finished_at", "policy_version", "config_hash",
    "planned_records", "written", "created", "skipped", "failed", "error",
)  # fmt: skip
"""What of a run's report the chain vouches for."""


class Store(
    Mirror, Census, Neighbourhoods, Likenesses, Findings, Runs, Holds, Forgetter, Bases, Edits, Claims, Rejects
):
    """One SQLite file. Not thread-safe; open it where it is used."""

    def __init__(self, path: Path, conn: sqlite3.Connection, lock: StoreLock | None) -> None:
        super().__init__(path, conn)
        self._lock = lock

    @classmethod
    def open(cls, path: Path, *, readonly: bool = False) -> Self:
        """Open for one run (locked, created and migrated as needed), or for looking only.

        :raises StoreBusy: when another process holds it.
        :raises StoreError: when it is damaged, newer than this crmsync or no store at all.
        """
        if readonly:
            return cls._open_readonly(path)
        make_directory(path)
        lock = StoreLock(path)
        lock.acquire()
        try:
            return cls(path, connect(path, readonly=False), lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _open_readonly(cls, path: Path) -> Self:
        if not path.exists():
            raise StoreError(f"there is no store '{path}' yet", hint="crmsync sync", code="E540")
        store = cls(path, connect(path, readonly=True), None)
        if store.shape == LATEST:
            return store
        store.close()
        cls.open(path).close()  # migrates
        return cls(path, connect(path, readonly=True), None)

    def close(self) -> None:
        self._conn.close()
        if self._lock:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close_run(self, report: Mapping[str, Any]) -> None:
        """Finish a run; one that wrote says so in the chain, and its report names the chain's head."""
        with self.transaction():
            if self._one("SELECT 1 FROM journal WHERE run_id = ? LIMIT 1", (report["run_id"],)):
                self.append_event("run", {name: report.get(name) for name in _CHAINED}, ref=report["run_id"])
        head = self.chain_head()
        self.finish_run({**report, "chain": {"block": head.block, "hash": head.hash} if head else None})

    @property
    def shape(self) -> int:
        """How many migrations the file has seen."""
        row = self._one("PRAGMA user_version")
        return row[0] if row else 0

    def size(self) -> int:
        """Bytes on disk, the write-ahead log included."""
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def integrity(self) -> list[str]:
        """Everything that is wrong with the file: SQLite's own check, then the hash of every row of the mirror."""
        try:
            problems = [row[0] for row in self._rows("PRAGMA integrity_check") if row[0] != "ok"]
        except StoreError as error:
            return [error.message]
        for name in self.objects():
            try:
                for _ in self.rows(name, include_deleted=True):
                    pass
            except StoreError as error:
                problems.append(error.message)
        return problems
