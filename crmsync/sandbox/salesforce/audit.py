"""Who changed what: one row per accepted record write, in the same transaction, never changed afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg
    from crmsync.sandbox.salesforce.records import Actor


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One field of one write; a delete or an empty update has a single entry without a field."""

    at: str
    user_id: str
    request_id: str
    over_http: bool
    op: str
    object: str
    id: str
    field: str | None
    old: Any
    new: Any


def write_audit(
    org: SalesforceOrg, actor: Actor, op: str, sobject: str, record_id: str, changes: Mapping[str, tuple[Any, Any]]
) -> None:
    org.store.connection.execute(
        "INSERT INTO _audit (at, user_id, request_id, http, op, object, id, changes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (org.stamp(), actor.user_id, actor.request_id, actor.over_http, op, sobject, record_id, orjson.dumps(changes)),
    )


def read_audit(org: SalesforceOrg) -> Iterator[AuditEntry]:
    """Oldest first."""
    sql = "SELECT at, user_id, request_id, http, op, object, id, changes FROM _audit ORDER BY seq"
    for at, user_id, request_id, http, op, sobject, record_id, changes in org.store.all(sql):
        base = (at, user_id, request_id, bool(http), op, sobject, record_id)
        parsed = orjson.loads(changes)
        if not parsed:
            yield AuditEntry(*base, None, None, None)
        for name, (old, new) in parsed.items():
            yield AuditEntry(*base, name, old, new)
