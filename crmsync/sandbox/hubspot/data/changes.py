"""Who changed which field of which record when: the audit, and the property history that is read from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from crmsync.sandbox.hubspot.data.database import Database
from crmsync.sandbox.hubspot.data.records import Row
from crmsync.sandbox.hubspot.stamps import wire

APP_ID = "19083857"


@dataclass(frozen=True, slots=True)
class Act:
    """One write: when, by whom, in which request. ``source_type`` is HubSpot's word for the kind of author."""

    now_ms: int
    who: str
    source_type: str = "INTEGRATION"
    source_id: str = APP_ID
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One field of one record. An association is the field ``association:<object>:<id>``, an archive ``archived``."""

    who: str
    object: str
    id: str
    field: str
    old: str | None
    new: str | None
    at_ms: int
    request_id: str


class Changes:
    """Append-only."""

    def __init__(self, database: Database) -> None:
        self._connection = database.connection

    def note(self, type_id: str, record_id: int, fields: Mapping[str, tuple[str | None, str | None]], act: Act) -> None:
        self._connection.executemany(
            "INSERT INTO changes VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    type_id,
                    record_id,
                    name,
                    old,
                    new,
                    act.now_ms,
                    act.who,
                    act.source_type,
                    act.source_id,
                    act.request_id,
                )
                for name, (old, new) in fields.items()
            ),
        )

    def entries(self, names: Mapping[str, str]) -> list[AuditEntry]:
        sql = "SELECT who, type, id, field, old, new, at_ms, request_id FROM changes ORDER BY seq"
        return [
            AuditEntry(who, names.get(type_id, type_id), str(record_id), *rest)
            for who, type_id, record_id, *rest in self._connection.execute(sql)
        ]

    def history(self, type_id: str, row: Row, names: Collection[str]) -> dict[str, list[dict[str, Any]]]:
        """Newest first. A value nobody changed since it was loaded has one entry, from when the record was made."""
        sql = """SELECT field, old, new, at_ms, source_type, source_id FROM changes
                 WHERE type = ? AND id = ? ORDER BY seq DESC"""
        found: dict[str, list[tuple[Any, ...]]] = {name: [] for name in names}
        for change in self._connection.execute(sql, (type_id, row.id)):
            if change[0] in found:
                found[change[0]].append(change)
        return {
            name: list(_versions(changes, row, row.properties.get(name) or None)) for name, changes in found.items()
        }


def _versions(changes: list[tuple[Any, ...]], row: Row, value: str | None) -> Iterable[dict[str, Any]]:
    for _, _, new, at_ms, source_type, source_id in changes:
        user = source_id.removeprefix("userId:")
        person = {"updatedByUserId": int(user)} if user != source_id and user.isdigit() else {}
        yield {
            "value": new or "",
            "timestamp": wire(at_ms),
            "sourceType": source_type,
            "sourceId": source_id,
            **person,
        }
    first = changes[-1][1] if changes else value
    if first:
        yield {"value": first, "timestamp": wire(row.created_ms), "sourceType": "IMPORT", "sourceId": "1"}
