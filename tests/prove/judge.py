"""The judge is the CRM: its own audit of every field that changed, and its own log of every request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crmsync.sandbox.window.traffic import Seen

Place = tuple[str, str, str]
"""Object, record, field."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One field that changed."""

    ours: bool
    object: str
    id: str
    field: str
    old: Any
    new: Any
    at: datetime
    created: bool
    """Whether it came with the making of its record."""

    @property
    def place(self) -> Place:
        return self.object, self.id, self.field


def count_entries(crm: Any) -> int:
    """How many entries the audit has; cheap."""
    if hasattr(crm, "store"):
        with crm.store.lock:
            return int(crm.store.scalar("SELECT COUNT(*) FROM _audit"))
    return int(crm.database.connection.execute("SELECT COUNT(*) FROM changes").fetchone()[0])


def read_entries(crm: Any, system: str, start: datetime) -> list[Entry]:
    """What changed since a moment, oldest first."""
    read = _of_salesforce if system == "salesforce" else _of_hubspot
    return [entry for entry in read(crm) if entry.at >= start]


def _of_salesforce(crm: Any) -> Iterator[Entry]:
    for e in crm.audit:
        at = datetime.fromisoformat(e.at).astimezone(UTC)
        yield Entry(e.over_http, e.object, e.id, e.field or "", _blank(e.old), _blank(e.new), at, e.op == "create")


def _of_hubspot(crm: Any) -> Iterator[Entry]:
    made: dict[tuple[str, str], int] = {}
    born = {(name, row["hs_object_id"]): row.get("createdate") for name in ("tasks",) for row in crm.rows(name)}
    for e in crm.audit:
        first = made.setdefault((e.object, e.id), e.at_ms)
        at = datetime.fromtimestamp(e.at_ms / 1000, UTC)
        is_new = (e.object, e.id) in born and first == e.at_ms
        yield Entry(not e.who.startswith("user:"), e.object, e.id, e.field, _blank(e.old), _blank(e.new), at, is_new)


def _blank(value: Any) -> Any:
    return None if value == "" else value


@dataclass(frozen=True, slots=True)
class Request:
    """One request of an undisturbed run, and the point of the cycle that it stands for."""

    number: int
    point: str
    method: str
    path: str


def read_requests(seen: list[Seen], writing: list[bool], system: str) -> list[Request]:
    """The requests to one CRM in order, each with its point."""
    found: list[Request] = []
    last = ("", "")
    for one, writes in zip(seen, writing, strict=True):
        if one.system == system:
            point = "W" if writes else _point(one, is_next=last == (one.method, one.path))
            found.append(Request(len(found), point, one.method, one.path))
            last = (one.method, one.path)
    return found


def _point(seen: Seen, *, is_next: bool) -> str:
    path, query = seen.path, seen.query
    if "/oauth" in path:
        return "A"
    if "/describe" in path or "schemas" in path or "/properties/" in path or "/tooling/" in path:
        return "D"
    if "/batch/read" in path or ("/composite/sobjects/" in path and seen.method == "POST") or "%20IN%20(" in query:
        return "R"
    if "/query/01g" in path or "/queryAll/01g" in path or "after=" in query:
        return "P"
    return "P" if is_next and seen.method == "POST" else "Q"


def values_now(crm: Any, system: str, names: Mapping[str, set[str]]) -> dict[Place, Any]:
    """Every value of the named fields of live records."""
    found: dict[Place, Any] = {}
    for name, fields in names.items():
        for row in crm.rows(name):
            if system == "salesforce" and row.get("IsDeleted"):
                continue
            record_id = row["Id" if system == "salesforce" else "hs_object_id"]
            for item in fields:
                found[name, record_id, item] = _blank(row.get(item))
    return found
