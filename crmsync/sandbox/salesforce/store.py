"""The org's SQLite file: one table per object, columns named as the fields; the org's own books start with ``_``."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson

from crmsync.sandbox.salesforce.ids import make_id
from crmsync.sandbox.salesforce.schema import Field, SObject

Row = dict[str, Any]
NAME = "Name"
"""The pseudo-object behind Who and What."""

_BOOKS = """
CREATE TABLE IF NOT EXISTS _object (name TEXT PRIMARY KEY, durable_id TEXT, spec TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _field (object TEXT NOT NULL, name TEXT NOT NULL, durable_id TEXT, spec TEXT NOT NULL,
    PRIMARY KEY (object, name));
CREATE TABLE IF NOT EXISTS _sequence (prefix TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS _deleted (object TEXT NOT NULL, id TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _audit (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, user_id TEXT, request_id TEXT,
    http INTEGER NOT NULL, op TEXT NOT NULL, object TEXT NOT NULL, id TEXT NOT NULL, changes TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _job (id TEXT PRIMARY KEY, is_query INTEGER NOT NULL, spec TEXT NOT NULL, data TEXT,
    successful TEXT, failed TEXT, unprocessed TEXT);
CREATE TABLE IF NOT EXISTS _setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _casefold(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


class Store:
    """One connection behind one lock: the server's thread and the test that drives the org in-process take turns."""

    def __init__(self, path: str) -> None:
        self.lock = threading.RLock()
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=OFF")  # a rehearsal org: speed over surviving a power cut
        self.connection.create_function("CASEFOLD", 1, _casefold, deterministic=True)
        self.connection.executescript(_BOOKS)
        self._depth = 0
        self.before_write: Callable[[SObject, str], None] | None = None
        self._columns: dict[str, frozenset[str]] = {}

    def close(self) -> None:
        with self.lock:
            self.connection.close()

    # ---------------------------------------------------------------- transactions

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nested ones are savepoints, so that a part can fail alone."""
        with self.lock:
            name = f"level{self._depth}"
            self.connection.execute("BEGIN IMMEDIATE" if self._depth == 0 else f"SAVEPOINT {name}")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                self.connection.execute("ROLLBACK" if self._depth == 0 else f"ROLLBACK TO {name}")
                raise
            self._depth -= 1
            self.connection.execute("COMMIT" if self._depth == 0 else f"RELEASE {name}")

    def all(self, sql: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, tuple(parameters)).fetchall()

    def one(self, sql: str, parameters: Iterable[Any] = ()) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self.connection.execute(sql, tuple(parameters)).fetchone()
        return row

    def scalar(self, sql: str, parameters: Iterable[Any] = ()) -> Any:
        row = self.one(sql, parameters)
        return None if row is None else row[0]

    # ---------------------------------------------------------------- schema

    def create_table(self, sobject: SObject) -> None:
        columns = [f"{quote(item.name)} {item.sql_type}" for item in sobject.fields.values() if item.is_stored]
        columns[0] = '"Id" TEXT PRIMARY KEY'
        table = quote(sobject.name)
        self.connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)})")
        if sobject.has("SystemModstamp"):
            index = quote(f"{sobject.name}.SystemModstamp")
            self.connection.execute(f'CREATE INDEX IF NOT EXISTS {index} ON {table} ("SystemModstamp", "Id")')
        for item in sobject.fields.values():
            self._index(sobject, item)

    def create_name_view(self, sobjects: Iterable[SObject]) -> None:
        """What records of all kinds share when a field may point to several of them: a name and a type."""
        parts = [
            f'SELECT "Id", {quote(item.name)} AS "Name", \'{sobject.name}\' AS "Type" FROM {quote(sobject.name)}'
            for sobject in sobjects
            if (item := sobject.name_field) is not None and sobject.name != NAME
        ]
        self.connection.execute(f"DROP VIEW IF EXISTS temp.{quote(NAME)}")
        self.connection.execute(f"CREATE TEMP VIEW {quote(NAME)} AS {' UNION ALL '.join(parts)}")

    def add_column(self, sobject: SObject, item: Field) -> None:
        self.connection.execute(f"ALTER TABLE {quote(sobject.name)} ADD COLUMN {quote(item.name)} {item.sql_type}")
        self._columns.pop(sobject.name, None)
        self._index(sobject, item)

    def _index(self, sobject: SObject, item: Field) -> None:
        points_up = item.type == "reference" and not item.name.endswith("ById")
        if points_up or item.describe["externalId"]:
            index = quote(f"{sobject.name}.{item.name}")
            self.connection.execute(f"CREATE INDEX IF NOT EXISTS {index} ON {quote(sobject.name)} ({quote(item.name)})")

    def save_object(self, sobject: SObject, durable_id: str | None) -> None:
        row = (sobject.name, durable_id, orjson.dumps(sobject.spec).decode())
        self.connection.execute("INSERT OR REPLACE INTO _object VALUES (?, ?, ?)", row)

    def save_field(self, sobject: SObject, item: Field, durable_id: str | None = None) -> None:
        row = (sobject.name, item.name, durable_id, orjson.dumps(item.spec).decode())
        self.connection.execute(
            "INSERT INTO _field VALUES (?, ?, ?, ?) ON CONFLICT (object, name) DO UPDATE SET spec = excluded.spec", row
        )

    # ---------------------------------------------------------------- rows

    def next_id(self, prefix: str) -> str:
        return self.next_ids(prefix, 1)[0]

    def next_ids(self, prefix: str, count: int) -> list[str]:
        """A block of new ids."""
        if not count:
            return []
        last = self.scalar(
            "INSERT INTO _sequence VALUES (?, ?) ON CONFLICT (prefix) DO UPDATE SET last = last + excluded.last "
            "RETURNING last",
            (prefix, count),
        )
        return [make_id(prefix, number) for number in range(last - count + 1, last + 1)]

    def insert(self, sobject: SObject, rows: Iterable[Row]) -> None:
        """Rows with any of the object's columns; grouped by nothing, so all rows must have the same keys per call."""
        batch = list(rows)
        if not batch:
            return
        if self.before_write is not None:
            for row in batch:
                self.before_write(sobject, row["Id"])
        names = list(batch[0])
        sql = (
            f"INSERT INTO {quote(sobject.name)} ({', '.join(map(quote, names))}) VALUES ({', '.join('?' * len(names))})"
        )
        self.connection.executemany(sql, ([row[name] for name in names] for row in batch))

    def update(self, sobject: SObject, record_id: str, values: Mapping[str, Any]) -> None:
        if self.before_write is not None:
            self.before_write(sobject, record_id)
        assignments = ", ".join(f"{quote(name)} = ?" for name in values)
        self.connection.execute(
            f'UPDATE {quote(sobject.name)} SET {assignments} WHERE "Id" = ?', (*values.values(), record_id)
        )

    def remove(self, sobject: SObject, record_id: str) -> None:
        self.connection.execute(f'DELETE FROM {quote(sobject.name)} WHERE "Id" = ?', (record_id,))

    def get(self, sobject: SObject, record_id: str) -> Row | None:
        rows = self.select(sobject, '"Id" = ?', (record_id,))
        return rows[0] if rows else None

    def select(self, sobject: SObject, where: str = "1", parameters: Iterable[Any] = ()) -> list[Row]:
        """Whole rows, live and deleted."""
        cursor = self.connection.execute(f"SELECT * FROM {quote(sobject.name)} WHERE {where}", tuple(parameters))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    # ---------------------------------------------------------------- settings

    def setting(self, name: str) -> Any:
        value = self.scalar("SELECT value FROM _setting WHERE name = ?", (name,))
        return None if value is None else orjson.loads(value)

    def save_setting(self, name: str, value: Any) -> None:
        self.connection.execute("INSERT OR REPLACE INTO _setting VALUES (?, ?)", (name, orjson.dumps(value).decode()))
