"""Who changed a field, and when: field history where the org tracks it, else the record's last modification.

History objects exist for tracked objects only: ``OpportunityFieldHistory``, ``<Object>History`` for other standard
objects, ``<Name>__History`` with ``ParentId`` for custom ones; their ``Field`` holds the API name, values are missing
for long texts and multi-select picklists, and a lookup has a row with names and a row with ids (Object Reference,
"StandardObjectNameHistory"; Help, "Field History Tracking").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simple_salesforce.format import format_soql

from crmsync.connectors.salesforce.client import Client
from crmsync.connectors.salesforce.describe import Descriptions
from crmsync.connectors.salesforce.rows import query_rows, read_rows
from crmsync.connectors.salesforce.soql import in_chunks, is_name, parse_instant
from crmsync.remote import Edit

FIELD_HISTORY, LAST_MODIFICATION = "field history", "last modification"

Edits = dict[tuple[str, str], list[Edit]]


def read_edits(
    client: Client, descriptions: Descriptions, object_name: str, ids: Sequence[str], fields: Sequence[str]
) -> Mapping[tuple[str, str], Sequence[Edit]]:
    """By id and field, newest first. A query per object, and one more for records whose history says nothing."""
    wanted, names = list(dict.fromkeys(ids)), [name for name in dict.fromkeys(fields) if is_name(name)]
    if not wanted or not names:
        return {}
    edits = _tracked(client, descriptions, object_name, wanted, names)
    silent = [i for i in wanted if any((i, name) not in edits for name in names)]
    for record_id, edit in _last_modified(client, silent, object_name):
        for name in names:
            edits.setdefault((record_id, name), [edit])
    return _named(client, edits)


def history_of(object_name: str) -> tuple[str, str]:
    """The history object, and its field that points to the record."""
    if object_name.endswith("__c"):
        return f"{object_name[:-3]}__History", "ParentId"
    name = "OpportunityFieldHistory" if object_name == "Opportunity" else f"{object_name}History"
    return name, f"{object_name}Id"


def _tracked(
    client: Client, descriptions: Descriptions, object_name: str, ids: Sequence[str], names: Sequence[str]
) -> Edits:
    history, link = history_of(object_name)
    edits: Edits = {}
    if not is_name(history) or descriptions.info(history) is None:
        return edits
    among = format_soql("{}", list(names))
    template = (
        f"SELECT {link}, Field, NewValue, CreatedById, CreatedDate FROM {history} "
        f"WHERE Field IN {among} AND {link} IN {{}} ORDER BY CreatedDate DESC, Id DESC"
    )
    for soql in in_chunks(template, ids):
        for row in query_rows(client, soql):
            edits.setdefault((row[link], row["Field"]), []).append(_edit(row))
    return edits


def _edit(row: Mapping[str, Any]) -> Edit:
    at = parse_instant(row["CreatedDate"])
    return Edit(value=row["NewValue"], at=at, by="", source=FIELD_HISTORY, by_id=row["CreatedById"] or "")


def _last_modified(client: Client, ids: Sequence[str], object_name: str) -> Iterator[tuple[str, Edit]]:
    if not ids:
        return
    rows = read_rows(client, object_name, ids, ["Id", "LastModifiedById", "LastModifiedDate"])
    for record_id, row in rows.items():
        at, who = row.get("LastModifiedDate"), row.get("LastModifiedById") or ""
        yield record_id, Edit(None, parse_instant(at) if at else None, "", LAST_MODIFICATION, who)


def _named(client: Client, edits: Edits) -> Mapping[tuple[str, str], Sequence[Edit]]:
    ids = sorted({edit.by_id for found in edits.values() for edit in found if edit.by_id})
    names: dict[str, str] = {}
    for soql in in_chunks("SELECT Id, Name FROM User WHERE Id IN {}", ids):
        names |= {row["Id"]: row["Name"] for row in query_rows(client, soql)}
    return {
        place: tuple(Edit(e.value, e.at, names.get(e.by_id, ""), e.source, e.by_id) for e in found)
        for place, found in edits.items()
    }
