"""Rows as Salesforce's JSON has them, and reading rows by id, by key, by count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from crmsync.connectors.salesforce.client import Client
from crmsync.connectors.salesforce.soql import in_chunks, in_url, parse_instant
from crmsync.errors import Permanent
from crmsync.remote import RemoteRecord, Scalar

MAX_READ = 2000
"""Ids per collections retrieve ("Get Records Using sObject Collections", POST form)."""


def remote_record(row: Mapping[str, Any], fields: Sequence[str], stamp: str | None) -> RemoteRecord:
    """A row with the fields asked for; compound values (addresses) as their JSON text."""
    master = row.get("MasterRecordId")
    modified = row.get(stamp) if stamp else None
    return RemoteRecord(
        id=row["Id"],
        fields={name: _scalar(row[name]) for name in fields if name in row},
        modified_at=parse_instant(modified) if modified else None,
        deleted=bool(row.get("IsDeleted")),
        merged_into=master or None,
    )


def _scalar(value: Any) -> Scalar:
    return orjson.dumps(value).decode() if isinstance(value, (dict, list)) else value


def read_rows(client: Client, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Rows by the id that was asked for; deleted and unknown ones are left out. Not bound by the length of a url."""
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), MAX_READ):
        chunk = list(ids[start : start + MAX_READ])
        asked = {"ids": chunk, "fields": list(fields)}
        rows = client.request("POST", f"composite/sobjects/{object_name}", json=asked, idempotent=True).json()
        if not isinstance(rows, list) or len(rows) != len(chunk):
            raise Permanent(
                f"salesforce answered {len(chunk)} ids of {object_name} with another number of rows",
                system="salesforce",
            )
        found.update({asked_id: row for asked_id, row in zip(chunk, rows, strict=True) if row})
    return found


def query_rows(client: Client, soql: str) -> Iterator[dict[str, Any]]:
    """All rows of a query, page by page."""
    link = f"query?q={in_url(soql)}"
    while link:
        body = client.request("GET", link).json()
        yield from body["records"]
        link = "" if body["done"] else body["nextRecordsUrl"]


def find_ids(client: Client, object_name: str, key_field: str, keys: Sequence[str]) -> dict[str, str]:
    """Record id by key. Salesforce compares text without case; of several records with one key the oldest counts."""
    asked = {key.casefold(): key for key in keys}
    template = f"SELECT Id, {key_field} FROM {object_name} WHERE {key_field} IN {{}} ORDER BY CreatedDate, Id"
    found: dict[str, str] = {}
    for soql in in_chunks(template, list(asked.values())):
        for row in query_rows(client, soql):
            key = asked.get(str(row[key_field]).casefold())
            if key is not None:
                found.setdefault(key, row["Id"])
    return {key: found[asked[key.casefold()]] for key in keys if asked[key.casefold()] in found}


def count_rows(client: Client, object_name: str) -> int:
    body = client.request("GET", f"query?q={in_url(f'SELECT COUNT() FROM {object_name}')}").json()
    return int(body["totalSize"])


def all_ids(client: Client, object_name: str) -> Iterator[str]:
    """Ids of all live rows, in id order; a locator that the org has forgotten is replaced by a new query."""
    last = ""
    while True:
        where = f"WHERE Id > '{last}' " if last else ""
        try:
            for row in query_rows(client, f"SELECT Id FROM {object_name} {where}ORDER BY Id"):
                last = row["Id"]
                yield last
            return
        except Permanent as error:
            if error.vendor_code != "INVALID_QUERY_LOCATOR":
                raise
