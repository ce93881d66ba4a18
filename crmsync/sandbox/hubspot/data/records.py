"""Rows: what is stored of a record, how it is found, and how it is shown on the wire."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orjson import dumps, loads

from crmsync.sandbox.hubspot.data.database import Database
from crmsync.sandbox.hubspot.definitions.object_types import ObjectType
from crmsync.sandbox.hubspot.stamps import wire

_COLUMNS = "id, properties, created_ms, updated_ms, settled_ms, archived_ms, merged_into"
_CHUNK = 500
FIRST_ID = {"0-1": 171_591_000_000, "0-2": 29_013_000_000, "0-3": 60_128_000_000, "0-27": 65_039_000_000}
DEFAULT_FIRST_ID = 48_700_000_000


@dataclass(slots=True)
class Row:
    """``settled_ms`` is when the portal's own recomputing moves the modified date again."""

    id: int
    properties: dict[str, str]
    created_ms: int
    updated_ms: int
    settled_ms: int | None = None
    archived_ms: int | None = None
    merged_into: int | None = None

    def modified_ms(self, now_ms: int) -> int:
        return self.settled_ms if self.settled_ms is not None and self.settled_ms <= now_ms else self.updated_ms


def _row(columns: Sequence[Any]) -> Row:
    return Row(columns[0], loads(columns[1]), *columns[2:])


class RecordStore:
    """Plain reads and writes of rows; no rule of HubSpot's lives here."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._execute = database.connection.execute

    def new_ids(self, type_id: str, count: int) -> range:
        first = self._database.take(f"id:{type_id}", FIRST_ID.get(type_id, DEFAULT_FIRST_ID), count)
        return range(first, first + count)

    def keep_id(self, type_id: str, record_id: int) -> None:
        self._database.skip_to(f"id:{type_id}", record_id + 1)

    def get(self, type_id: str, record_id: int, *, archived: bool = False) -> Row | None:
        """A live one, or one in the recycle bin; losers of a merge are neither."""
        state = "archived_ms IS NOT NULL" if archived else "archived_ms IS NULL"
        sql = f"SELECT {_COLUMNS} FROM records WHERE type = ? AND id = ? AND merged_into IS NULL AND {state}"
        found = self._execute(sql, (type_id, record_id)).fetchone()
        return _row(found) if found else None

    def get_many(self, type_id: str, ids: Collection[int], *, archived: bool = False) -> dict[int, Row]:
        state = "archived_ms IS NOT NULL" if archived else "archived_ms IS NULL"
        wanted, rows = list(ids), {}
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            sql = (
                f"SELECT {_COLUMNS} FROM records WHERE type = ? AND merged_into IS NULL AND {state} AND id IN ({marks})"
            )
            rows.update({found[0]: _row(found) for found in self._execute(sql, (type_id, *chunk))})
        return rows

    def page(self, type_id: str, after: int, limit: int, *, archived: bool) -> list[Row]:
        state = "archived_ms IS NOT NULL" if archived else "archived_ms IS NULL"
        sql = f"""SELECT {_COLUMNS} FROM records WHERE type = ? AND id >= ? AND merged_into IS NULL AND {state}
                  ORDER BY id LIMIT ?"""
        return [_row(found) for found in self._execute(sql, (type_id, after, limit))]

    def resolve(self, type_id: str, record_id: int) -> int:
        """Follow merges: the id of the record that holds this one's values now."""
        sql = "SELECT merged_into FROM records WHERE type = ? AND id = ?"
        while (found := self._execute(sql, (type_id, record_id)).fetchone()) and found[0] is not None:
            record_id = found[0]
        return record_id

    def find_unique(self, type_id: str, name: str, value: str) -> int | None:
        sql = "SELECT id FROM unique_values WHERE type = ? AND property = ? AND value = ?"
        found = self._execute(sql, (type_id, name, value.lower())).fetchone()
        return found[0] if found else None

    def save(self, type_id: str, rows: Iterable[Row]) -> None:
        self._database.connection.executemany(
            "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    type_id,
                    row.id,
                    dumps(row.properties).decode(),
                    row.created_ms,
                    row.updated_ms,
                    row.settled_ms,
                    row.archived_ms,
                    row.merged_into,
                )
                for row in rows
            ),
        )

    def claim(self, type_id: str, rows: Iterable[Row], unique_names: Sequence[str]) -> None:
        """Register the unique values of these rows; their old ones are released first."""
        claims: list[tuple[str, str, str, int]] = []
        released: list[tuple[str, int]] = []
        for row in rows:
            released.append((type_id, row.id))
            if row.archived_ms is None:
                claims += [(type_id, name, value, row.id) for name, value in _unique_values(row, unique_names)]
        connection = self._database.connection
        connection.executemany("DELETE FROM unique_values WHERE type = ? AND id = ?", released)
        connection.executemany("INSERT OR IGNORE INTO unique_values VALUES (?, ?, ?, ?)", claims)

    def purge(self, type_id: str, record_id: int) -> None:
        for table in ("records", "unique_values", "changes"):
            self._execute(f"DELETE FROM {table} WHERE type = ? AND id = ?", (type_id, record_id))

    def count(self, type_id: str) -> int:
        sql = "SELECT count(*) FROM records WHERE type = ? AND archived_ms IS NULL"
        return int(self._execute(sql, (type_id,)).fetchone()[0])


def _unique_values(row: Row, names: Sequence[str]) -> Iterable[tuple[str, str]]:
    for name in names:
        if value := row.properties.get(name):
            yield name, value.lower()
    for email in row.properties.get("hs_additional_emails", "").split(";"):
        if email:
            yield "email", email.lower()


def visible_properties(row: Row, kind: ObjectType, now_ms: int) -> dict[str, str]:
    """All stored values plus those that live in columns. What was cleared is an empty text."""
    stamps = {kind.created_property: wire(row.created_ms), kind.modified_property: wire(row.modified_ms(now_ms))}
    return {**row.properties, **stamps, "hs_object_id": str(row.id)}


def render(
    row: Row, kind: ObjectType, properties: Mapping[str, str | None], now_ms: int, portal_id: int
) -> dict[str, Any]:
    """The envelope around ``properties``, in the field order of the recordings."""
    return _enveloped(row, properties, now_ms, _address(kind, portal_id))


def render_page(
    rows: Iterable[Row], kind: ObjectType, names: Collection[str], now_ms: int, portal_id: int
) -> list[dict[str, Any]]:
    """What a read answers for these defined names, ``null`` where there never was a value. The hot path of the portal:
    nothing is asked for every row that is the same for all."""
    created_names = [name for name in names if name in {kind.created_property, "hs_createdate"}]
    modified_names = [name for name in names if name in {kind.modified_property, "hs_lastmodifieddate"}]
    address = _address(kind, portal_id)
    has_id = "hs_object_id" in names
    shown = []
    for row in rows:
        value_of = row.properties.get
        properties: dict[str, str | None] = {name: value_of(name) for name in names}
        record = _enveloped(row, properties, now_ms, address)
        for name in created_names:
            properties[name] = record["createdAt"]
        for name in modified_names:
            properties[name] = record["updatedAt"]
        if has_id:
            properties["hs_object_id"] = record["id"]
        shown.append(record)
    return shown


def _address(kind: ObjectType, portal_id: int) -> str:
    return f"https://app.hubspot.com/contacts/{portal_id}/record/{kind.id}/"


def _enveloped(row: Row, properties: Mapping[str, str | None], now_ms: int, address: str) -> dict[str, Any]:
    record_id, archived_ms = str(row.id), row.archived_ms
    shown: dict[str, Any] = {
        "id": record_id,
        "properties": properties,
        "createdAt": wire(row.created_ms),
        "updatedAt": wire(row.modified_ms(now_ms)),
        "archived": archived_ms is not None,
    }
    if archived_ms is not None:
        shown["archivedAt"] = wire(archived_ms)
    shown["url"] = address + record_id
    return shown
