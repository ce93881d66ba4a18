"""How values lie in the file: canonical JSON, sortable instants, row hashes."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import orjson

from crmsync.remote import RemoteLink, RemoteRecord


def to_json(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces; what JSON cannot say (``Decimal``) as text."""
    return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z).decode()


def from_json(text: str | bytes) -> Any:
    return orjson.loads(text)


def to_stamp(instant: datetime | None) -> str | None:
    """ISO 8601 in UTC with microseconds always written, so that text order is time order."""
    return None if instant is None else instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_stamp(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def record_body(record: RemoteRecord) -> str:
    """The content of a record as one text: equal texts mean that nothing changed, whatever order things came in."""
    if record.links is None:
        return to_json({"fields": dict(record.fields)})
    links = sorted((link.to_object, link.to_id, sorted(link.labels)) for link in record.links)
    return to_json({"fields": dict(record.fields), "links": links})


def record_from(
    record_id: str, body: str, modified_at: str | None, deleted: int, merged_into: str | None
) -> RemoteRecord:
    data = orjson.loads(body)
    links = data.get("links")
    return RemoteRecord(
        id=record_id,
        fields=data["fields"],
        modified_at=from_stamp(modified_at),
        deleted=bool(deleted),
        merged_into=merged_into,
        links=None if links is None else tuple(RemoteLink(to, i, tuple(labels)) for to, i, labels in links),
    )


def row_hash(
    object_name: str, record_id: str, body: str, modified_at: str | None, deleted: int, merged: str | None
) -> bytes:
    """Covers every column of a mirror row: SQLite itself has no page checksums, so a flipped bit would go unseen."""
    text = "\0".join((object_name, record_id, body, modified_at or "", "1" if deleted else "0", merged or ""))
    return blake2b(text.encode(), digest_size=16).digest()
