"""Who changed what and when, of both CRMs in one form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crmsync.sandbox.hands.in_hubspot import ADMIN_USER
from crmsync.sandbox.hubspot.stamps import wire

if TYPE_CHECKING:
    from crmsync.sandbox.server import Sandbox

Entry = dict[str, Any]


def read_history(box: Sandbox, *, record: str = "", limit: int | None = None) -> dict[str, list[Entry]]:
    """Per CRM, oldest first: each CRM's own entry, with ``user`` (a name) and ``at`` added where it lacks them.

    ``record`` is an id, a key, a number or a name; ``limit`` keeps the last so many of each CRM.
    """
    sources = {"salesforce": _of_salesforce(box), "hubspot": _of_hubspot(box)}
    wanted = _ids_of(box, record) if record else None
    found = {
        name: [entry for entry in entries if wanted is None or entry["id"] in wanted]
        for name, entries in sources.items()
    }
    return {name: entries[-limit:] if limit else entries for name, entries in found.items()}


def _of_salesforce(box: Sandbox) -> Iterator[Entry]:
    names = {user["Id"]: user["Name"] for user in box.salesforce.users()}
    for entry in box.salesforce.audit:
        yield {**asdict(entry), "user": names.get(entry.user_id, entry.user_id)}


def _of_hubspot(box: Sandbox) -> Iterator[Entry]:
    for entry in box.hubspot.audit:
        shown = asdict(entry)
        yield {**shown, "at": wire(entry.at_ms), "user": _person(box, entry.who), "op": _op(shown),
               "over_http": not entry.who.startswith("user:")}  # fmt: skip


def _op(entry: Entry) -> str:
    if entry["field"] == "archived":
        return "delete" if entry["new"] == "true" else "undelete"
    return "link" if entry["field"].startswith("association:") else "update"


def _person(box: Sandbox, who: str) -> str:
    kind, _, number = who.partition(":")
    if kind != "user":
        return "Integration"
    owner = box.hubspot.owners.by_user(number)
    if owner is not None:
        return f"{owner['firstName']} {owner['lastName']}"
    return "System Admin" if number == ADMIN_USER else number


def _ids_of(box: Sandbox, record: str) -> set[str]:
    """Ids of live and deleted records that are called so, and the word itself, which may be an id."""
    found = {record}
    for deleted in (False, True):
        found |= box.hands.find_all(record, deleted=deleted)
    return found


def merged(history: dict[str, list[Entry]]) -> list[Entry]:
    """Both CRMs in the order of time; entries of one CRM keep their order."""
    every = [{"system": name, **entry} for name, entries in history.items() for entry in entries]
    return sorted(every, key=lambda entry: datetime.fromisoformat(entry["at"]))
