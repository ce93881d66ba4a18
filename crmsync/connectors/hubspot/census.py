"""Counting by modified date: a search whose single row is the newest of its bucket and whose ``total`` is the count.

The index lags a little behind the records, so a count is a reason to look and never the last word: what differs is
read from the records themselves before anything is believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from crmsync.connectors.hubspot.api import HubSpotApi
from crmsync.connectors.hubspot.limits import SEARCH
from crmsync.connectors.hubspot.objects import modified_property
from crmsync.connectors.hubspot.records import next_after, parse_instant, results_of, total_of
from crmsync.remote import Bucket, Tally

SEARCH_PAGE = 200
_MILLISECOND = timedelta(milliseconds=1)


def tally(api: HubSpotApi, url_type: str, object_name: str, bucket: Bucket) -> Tally:
    """One search call."""
    modified = modified_property(object_name)
    body = {
        "filterGroups": _groups(modified, bucket),
        "sorts": [{"propertyName": modified, "direction": "DESCENDING"}],
        "properties": [modified],
        "limit": 1,
    }
    answer = api.call(api.search.do_search, url_type, body, safe=True, lane=SEARCH)
    rows = results_of(answer.body)
    return Tally(bucket, total_of(answer.body), parse_instant(rows[0].get("updatedAt")) if rows else None)


def stamps(api: HubSpotApi, url_type: str, object_name: str, bucket: Bucket) -> Iterator[tuple[str, datetime | None]]:
    """By keyset on the id, so that neither 10,000 hits nor one stamp on all of them end it early."""
    modified = modified_property(object_name)
    last = 0
    offset = ""
    while True:
        body: dict[str, Any] = {
            "filterGroups": _groups(modified, bucket, after=last),
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": [modified],
            "limit": SEARCH_PAGE,
            **({"after": offset} if offset else {}),
        }
        answer = api.call(api.search.do_search, url_type, body, safe=True, lane=SEARCH)
        rows = results_of(answer.body)
        yield from ((str(row["id"]), parse_instant(row.get("updatedAt"))) for row in rows)
        if not next_after(answer.body):
            return
        offset = "" if rows else next_after(answer.body)
        last = max((int(row["id"]) for row in rows), default=last)


def _groups(modified: str, bucket: Bucket, *, after: int = 0) -> list[dict[str, Any]]:
    filters = []
    if bucket.start:
        filters.append({"propertyName": modified, "operator": "GTE", "value": _epoch_ms(bucket.start)})
    if bucket.end:
        filters.append({"propertyName": modified, "operator": "LTE", "value": _epoch_ms(bucket.end - _MILLISECOND)})
    if after:
        filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": str(after)})
    return [{"filters": filters}] if filters else []


def _epoch_ms(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))
