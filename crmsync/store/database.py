"""The SQLite file itself: opening, transactions, and errors in words that help."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from crmsync.errors import StoreBusy, StoreError
from crmsync.store.migrations import LATEST, migrate

T = TypeVar("T")
Row = tuple[Any, ...]

CHUNK = 500
"""Values bound in one statement: below the 999 of old SQLite builds."""

_APPLICATION_ID = 0x63726D73  # "crms": tells our file from any other SQLite database


class Tables:
    """A connection with transactions and translated errors; the base of every group of tables."""

    def __init__(self, path: Path, conn: sqlite3.Connection) -> None:
        self.path = path
        self._conn = conn

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """``BEGIN IMMEDIATE`` … ``COMMIT``; a call inside another one joins it. Any exception takes everything back."""
        if self._conn.in_transaction:
            yield
            return
        self._run("BEGIN IMMEDIATE")
        try:
            yield
            self._before_commit()
            self._run("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._conn.rollback()
            self._after_rollback()
            raise

    def _before_commit(self) -> None:
        """What a group of tables still has to write before its transaction ends."""

    def _after_rollback(self) -> None:
        """What a group of tables must not remember of a transaction that was taken back."""

    def _run(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._conn.execute(sql, values)
        except sqlite3.DatabaseError as error:
            raise store_error(error, self.path) from error

    def _many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        try:
            self._conn.executemany(sql, rows)
        except sqlite3.DatabaseError as error:
            raise store_error(error, self.path) from error

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        try:
            return self._conn.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise store_error(error, self.path) from error

    def _one(self, sql: str, values: Sequence[Any] = ()) -> Row | None:
        rows = self._rows(sql, values)
        return rows[0] if rows else None

    def _where_in(self, sql: str, before: Sequence[Any], values: Iterable[Any]) -> Iterator[Row]:
        """Rows of ``sql``, whose ``{}`` becomes the placeholders of each chunk of ``values``."""
        for chunk in chunked(values, CHUNK):
            yield from self._rows(sql.format(",".join("?" * len(chunk))), (*before, *chunk))


def chunked(values: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk


def connect(path: Path, *, readonly: bool) -> sqlite3.Connection:
    """Open the file, created for its owner only, and bring it to this version's shape (a reader only checks it)."""
    if not readonly:
        _create_private(path)
    try:
        uri = f"{path.absolute().as_uri()}?mode={'ro' if readonly else 'rw'}"
        conn = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10.0)
    except sqlite3.DatabaseError as error:
        raise store_error(error, path) from error
    try:
        _prepare(conn, path, readonly=readonly)
    except sqlite3.DatabaseError as error:
        conn.close()
        raise store_error(error, path) from error
    except BaseException:
        conn.close()
        raise
    return conn


def store_error(error: sqlite3.DatabaseError, path: Path) -> StoreError:
    """SQLite's error as ours, with what to do about it."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return StoreBusy(
            f"the store '{path}' is locked by another program", hint="close what has the file open, then try again"
        )
    if "full" in text:
        return StoreError(
            f"no space left for the store '{path}'", hint="free some disk space; nothing half-done was kept"
        )
    if "readonly" in text or "unable to open" in text:
        return StoreError(f"cannot open the store '{path}': {text}", hint=f"check the permissions of '{path.parent}'")
    if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError):
        return StoreError(f"the store refused a row: {text}", hint="this is a bug in crmsync; nothing was kept of it")
    return corrupt(path, text)


def corrupt(path: Path, detail: str) -> StoreError:
    return StoreError(
        f"the store '{path}' is damaged: {detail}",
        hint=f"crmsync sync --rebuild sets it aside and rebuilds it from the CRM (or delete it: rm '{path}'*)",
        code="E520",
    )


def make_directory(path: Path) -> None:
    """The directory of a store, for its owner only."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_open(path, error) from None


def cannot_open(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"cannot open the store '{path}': {error.strerror}", hint=f"check the permissions of '{path.parent}'"
    )


def _create_private(path: Path) -> None:
    make_directory(path)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(fd, 0o600)
        finally:
            os.close(fd)
    except OSError as error:
        raise cannot_open(path, error) from None


def _prepare(conn: sqlite3.Connection, path: Path, *, readonly: bool) -> None:
    version = _version(conn, path)
    if version > LATEST:
        raise StoreError(
            f"the store '{path}' was made by a newer crmsync (shape {version}, this one knows {LATEST})",
            hint="upgrade crmsync, or delete the store: the next sync rebuilds it from the CRM",
            code="E530",
        )
    conn.execute("PRAGMA cache_size = -16000")
    conn.execute("PRAGMA temp_store = MEMORY")
    if readonly:
        return
    conn.execute("PRAGMA journal_mode = WAL")
    # every commit stands before or after a request to the CRM, so each must survive a power cut
    conn.execute("PRAGMA synchronous = FULL")
    conn.execute("PRAGMA journal_size_limit = 33554432")
    if version < LATEST:
        conn.execute(f"PRAGMA application_id = {_APPLICATION_ID:d}")
        migrate(conn)


def _version(conn: sqlite3.Connection, path: Path) -> int:
    version: int = conn.execute("PRAGMA user_version").fetchone()[0]
    ours = conn.execute("PRAGMA application_id").fetchone()[0] == _APPLICATION_ID
    if not ours and conn.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise StoreError(f"'{path}' is a database of another program", hint="name another store in the project file")
    return version
