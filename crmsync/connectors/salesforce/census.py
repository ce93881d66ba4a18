"""Counting by modified date: one grouped query says how many rows of each day there are, and which is the newest.

Rows are grouped by the day of ``SystemModstamp`` in UTC (a client gets datetimes and their parts in UTC; "Date
Functions" of the SOQL reference). A row that a pull has missed is one too many on its day; a row whose newer state a
pull has missed lies on another day than in the mirror, or moves the newest stamp of the day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from crmsync.connectors.salesforce.client import Client
from crmsync.connectors.salesforce.rows import query_rows
from crmsync.connectors.salesforce.soql import instant, parse_instant
from crmsync.errors import Permanent
from crmsync.remote import Bucket, Tally

_TOO_MANY_GROUPS = "EXCEEDED_ID_LIMIT"
"""An aggregate query gives 2,000 groups and has no second page ("GROUP BY" of the SOQL reference)."""

Group = tuple[datetime, datetime, int, datetime]
"""Start, end, rows, newest stamp."""


def tally(client: Client, object_name: str, stamp: str, buckets: Sequence[Bucket]) -> list[Tally]:
    """One call for buckets of whole days (a second one where there are over 2,000 days), one per other bucket."""
    if not all(bucket.has_whole_days for bucket in buckets):
        return [_count_one(client, object_name, stamp, bucket) for bucket in buckets]
    span = Bucket(buckets[0].start, buckets[-1].end)
    try:
        groups = _grouped(client, object_name, stamp, span, [f"DAY_ONLY({stamp}) d"], _day)
    except Permanent as error:
        if error.vendor_code != _TOO_MANY_GROUPS:
            raise
        parts = [f"CALENDAR_YEAR({stamp}) y", f"CALENDAR_MONTH({stamp}) m"]
        groups = _grouped(client, object_name, stamp, span, parts, _month)
    return list(_fill(buckets, sorted(groups)))


def stamps(client: Client, object_name: str, stamp: str, bucket: Bucket) -> Iterator[tuple[str, datetime | None]]:
    """Every row of a bucket, by keyset on the id: a query locator may end, and rows may be edited meanwhile."""
    last = ""
    while True:
        where = [*_bounds(stamp, bucket), *([f"Id > '{last}'"] if last else [])]
        try:
            for row in query_rows(client, f"SELECT Id,{stamp} FROM {object_name}{_where(where)} ORDER BY Id"):
                last = row["Id"]
                yield last, parse_instant(row[stamp])
            return
        except Permanent as error:
            if error.vendor_code != "INVALID_QUERY_LOCATOR":
                raise


def _count_one(client: Client, object_name: str, stamp: str, bucket: Bucket) -> Tally:
    where = _where(_bounds(stamp, bucket))
    row = next(query_rows(client, f"SELECT COUNT(Id) n,MAX({stamp}) top FROM {object_name}{where}"))
    return Tally(bucket, int(row["n"]), parse_instant(row["top"]) if row["top"] else None)


def _grouped(
    client: Client,
    object_name: str,
    stamp: str,
    span: Bucket,
    parts: Sequence[str],
    edges: Callable[[Mapping[str, Any]], tuple[datetime, datetime]],
) -> list[Group]:
    by = ",".join(part.split(" ")[0] for part in parts)
    where = _where(_bounds(stamp, span))
    soql = f"SELECT {','.join(parts)},COUNT(Id) n,MAX({stamp}) top FROM {object_name}{where} GROUP BY {by}"
    return [(*edges(row), int(row["n"]), parse_instant(row["top"])) for row in query_rows(client, soql)]


def _day(row: Mapping[str, Any]) -> tuple[datetime, datetime]:
    start = _midnight(date.fromisoformat(row["d"][:10]))
    return start, start + timedelta(days=1)


def _month(row: Mapping[str, Any]) -> tuple[datetime, datetime]:
    year, month = int(row["y"]), int(row["m"])
    return _midnight(date(year, month, 1)), _midnight(date(year + month // 12, month % 12 + 1, 1))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _fill(buckets: Iterable[Bucket], groups: Sequence[Group]) -> Iterator[Tally]:
    """Groups into buckets; where a group reaches beyond its bucket (months), the next bucket is joined to it."""
    waiting = list(groups)
    start: datetime | None = None
    is_joined = False
    mine: list[Group] = []
    for bucket in buckets:
        start = start if is_joined else bucket.start
        while waiting and (bucket.end is None or waiting[0][0] < bucket.end):
            mine.append(waiting.pop(0))
        is_joined = bool(bucket.end and mine and mine[-1][1] > bucket.end)
        if not is_joined:
            yield Tally(Bucket(start, bucket.end), sum(g[2] for g in mine), max((g[3] for g in mine), default=None))
            mine = []


def _bounds(stamp: str, bucket: Bucket) -> list[str]:
    lower = [f"{stamp} >= {instant(bucket.start)}"] if bucket.start else []
    return [*lower, *([f"{stamp} < {instant(bucket.end)}"] if bucket.end else [])]


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""
