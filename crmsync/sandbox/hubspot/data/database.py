"""The portal's SQLite file: tables, transactions, and the small documents (definitions) kept as JSON."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

import orjson

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    type TEXT NOT NULL, id INTEGER NOT NULL, properties TEXT NOT NULL,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, settled_ms INTEGER,
    archived_ms INTEGER, merged_into INTEGER, PRIMARY KEY (type, id));
CREATE INDEX IF NOT EXISTS records_modified ON records (type, archived_ms, id, updated_ms, settled_ms);
CREATE TABLE IF NOT EXISTS unique_values (
    type TEXT NOT NULL, property TEXT NOT NULL, value TEXT NOT NULL, id INTEGER NOT NULL,
    PRIMARY KEY (type, property, value)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unique_values_by_record ON unique_values (type, id);
CREATE TABLE IF NOT EXISTS associations (
    from_type TEXT NOT NULL, from_id INTEGER NOT NULL, to_type TEXT NOT NULL, to_id INTEGER NOT NULL,
    type_id INTEGER NOT NULL, category TEXT NOT NULL,
    PRIMARY KEY (from_type, from_id, to_type, to_id, type_id, category)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes (
    seq INTEGER PRIMARY KEY, type TEXT NOT NULL, id INTEGER NOT NULL, field TEXT NOT NULL, old TEXT, new TEXT,
    at_ms INTEGER NOT NULL, who TEXT NOT NULL, source_type TEXT NOT NULL, source_id TEXT NOT NULL,
    request_id TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS changes_by_record ON changes (type, id, field);
CREATE TABLE IF NOT EXISTS unindexed (
    type TEXT NOT NULL, id INTEGER NOT NULL, until_ms INTEGER NOT NULL, properties TEXT, created_ms INTEGER,
    modified_ms INTEGER);
CREATE INDEX IF NOT EXISTS unindexed_by_record ON unindexed (type, id, until_ms);
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, owner, name));
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
"""


class Database:
    """One connection. The event loop and the tests' own thread both come here, hence the lock."""

    def __init__(self, path: str) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.executescript(_SCHEMA)
        self._lock = RLock()
        self._depth = 0
        self._counters: dict[str, int] = dict(self.connection.execute("SELECT name, next FROM counters"))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a nested one joins."""
        with self._lock:
            if self._depth:
                yield
                return
            self.connection.execute("BEGIN")
            self._depth = 1
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                self._counters = dict(self.connection.execute("SELECT name, next FROM counters"))
                raise
            else:
                self.connection.execute("COMMIT")
            finally:
                self._depth = 0

    def take(self, counter: str, start: int, count: int = 1) -> int:
        """Reserve ``count`` numbers in a row; the first one."""
        first = self._counters.get(counter, start)
        self._counters[counter] = first + count
        self.connection.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (counter, first + count))
        return first

    def skip_to(self, counter: str, at_least: int) -> None:
        """Make sure a number that somebody chose by hand is not given out again."""
        if self._counters.get(counter, 0) < at_least:
            self._counters[counter] = at_least
            self.connection.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (counter, at_least))

    def save_document(self, kind: str, owner: str, name: str, body: Any) -> None:
        sql = "INSERT INTO documents VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
        self.connection.execute(sql, (kind, owner, name, orjson.dumps(body).decode()))

    def delete_document(self, kind: str, owner: str, name: str) -> None:
        self.connection.execute("DELETE FROM documents WHERE kind = ? AND owner = ? AND name = ?", (kind, owner, name))

    def documents(self, kind: str) -> Iterator[tuple[str, str, Any]]:
        rows = self.connection.execute("SELECT owner, name, body FROM documents WHERE kind = ? ORDER BY rowid", (kind,))
        for owner, name, body in rows.fetchall():
            yield owner, name, orjson.loads(body)

    def close(self) -> None:
        self.connection.close()
