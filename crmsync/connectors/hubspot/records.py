"""Reading records by id and by unique value. Batch answers come in any order, as 200 or 207."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import orjson

from crmsync.connectors.hubspot.api import HubSpotApi
from crmsync.connectors.hubspot.problems import NOT_FOUND, parse_problem
from crmsync.connectors.transport import Answer
from crmsync.errors import Permanent
from crmsync.remote import RemoteLink, RemoteRecord, Scalar

T = TypeVar("T")

BATCH = 100
"""Records per batch call, for every object ("Using object APIs")."""
MERGED_IDS = "hs_merged_object_ids"


def chunked(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def remote_record(
    data: Mapping[str, Any], fields: Iterable[str], links: tuple[RemoteLink, ...] | None = None
) -> RemoteRecord:
    """One record of an answer. A property that was asked for and is missing does not exist: it stays missing."""
    properties = data.get("properties") or {}
    values: dict[str, Scalar] = {name: properties[name] for name in fields if name in properties}
    return RemoteRecord(
        str(data["id"]), values, parse_instant(data.get("updatedAt")), deleted=bool(data.get("archived")), links=links
    )


def merged_records(data: Mapping[str, Any]) -> Iterator[RemoteRecord]:
    """The records that were merged into this one: gone under their own ids, which still lead here."""
    own = str(data["id"])
    for old in str((data.get("properties") or {}).get(MERGED_IDS) or "").split(";"):
        if old and old != own:
            yield RemoteRecord(old, {}, parse_instant(data.get("updatedAt")), deleted=True, merged_into=own)


def parse_instant(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


def results_of(body: Any) -> list[Mapping[str, Any]]:
    """The ``results`` of an answer.

    :raises Permanent: when there are none to be had; an answer of another shape must never pass for "no records".
    """
    if isinstance(body, Mapping) and isinstance(body.get("results"), list):
        results: list[Mapping[str, Any]] = body["results"]
        return results
    raise _strange("results")


def _strange(missing: str) -> Permanent:
    return Permanent(
        f"hubspot answered in a shape that crmsync does not know (no '{missing}')",
        system="hubspot",
        hint="check the url and api_version of the connection",
    )


def next_after(body: Mapping[str, Any]) -> str:
    """Where the next page starts; empty on the last one."""
    return str(((body.get("paging") or {}).get("next") or {}).get("after") or "")


def list_page(
    api: HubSpotApi, object_type: str, properties: Sequence[str], *, after: str, archived: bool = False
) -> Answer:
    """One page of the list walk, by ascending id."""
    options: dict[str, Any] = {"after": after} if after else {}
    return api.call(
        api.records.get_page, object_type, limit=BATCH, properties=list(properties), archived=archived, **options
    )


def total_of(body: Any) -> int:
    """How many records a search says there are.

    :raises Permanent: when it does not say.
    """
    if isinstance(body, Mapping) and isinstance(body.get("total"), int):
        return int(body["total"])
    raise _strange("total")


def read_batch(
    api: HubSpotApi, object_type: str, ids: Sequence[str], fields: Sequence[str], *, id_property: str = ""
) -> list[Mapping[str, Any]]:
    """Raw records by id, or by the value of a unique property; what is not there is left out.

    :raises Permanent: when HubSpot refuses part of the request for another reason than "not there".
    """
    found: list[Mapping[str, Any]] = []
    for chunk in chunked(dict.fromkeys(ids), BATCH):
        body: dict[str, Any] = {"inputs": [{"id": i} for i in chunk], "properties": list(fields)}
        if id_property:
            body["idProperty"] = id_property
        answer = api.call(api.batches.read, object_type, body, safe=True)
        found += results_of(answer.body)
        _only_missing(answer.body, answer.request_id)
    return found


def _only_missing(body: Mapping[str, Any], request_id: str) -> None:
    for problem in map(parse_problem, body.get("errors") or ()):
        if problem.category != NOT_FOUND:
            raise Permanent(
                f"hubspot could not read some records ({problem.code}: {problem.summary})",
                system="hubspot",
                vendor_code=problem.code,
                request_id=request_id,
            )


class RecordReader:
    """Current values of single records, never from the search index."""

    def __init__(self, api: HubSpotApi) -> None:
        self._api = api

    def read(self, object_type: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, RemoteRecord]:
        """By asked id. Ids of merged records are asked one by one: batch reads may not follow them."""
        records: dict[str, RemoteRecord] = {}
        asked = set(ids)
        for data in read_batch(self._api, object_type, ids, [*fields, MERGED_IDS]):
            records[str(data["id"])] = remote_record(data, fields)
            for merged in merged_records(data):
                records.setdefault(merged.id, merged)
        for missing in sorted(asked - records.keys()):
            if record := self._alias(object_type, missing):
                records[missing] = record
        return {record_id: record for record_id, record in records.items() if record_id in asked}

    def find(self, object_type: str, key_field: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Record ids by unique value, straight from the records: a search index would lag behind our own writes."""
        wanted = {key.casefold(): key for key in keys}
        found: dict[str, str] = {}
        for data in read_batch(self._api, object_type, keys, [key_field], id_property=key_field):
            value = str((data.get("properties") or {}).get(key_field) or "")
            if key := wanted.get(value.casefold()):
                found[key] = str(data["id"])
        return found

    def _alias(self, object_type: str, record_id: str) -> RemoteRecord | None:
        answer = self._api.call(
            self._api.records.get_by_id, object_type, record_id, properties=["hs_object_id"], accept=(400, 404)
        )
        if answer.status >= 400:
            return None
        data = orjson.loads(answer.data)
        into = str(data.get("id") or record_id)
        return None if into == record_id else RemoteRecord(record_id, {}, deleted=True, merged_into=into)
