"""Buckets of modified dates: how to cut them, which to look at, whether two counts of one agree. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import pairwise
from math import ceil

from crmsync.remote import Bucket, Tally

PROOF_DIGITS = 8


def build_buckets(days: Sequence[tuple[date, int]], rows: int) -> list[Bucket]:
    """Tiles of whole days over all of time, each but the last with at least ``rows`` of the mirror's rows."""
    edges: list[datetime | None] = [None]
    held = 0
    for day, number in days:
        if held >= rows:
            edges.append(datetime(day.year, day.month, day.day, tzinfo=UTC))
            held = 0
        held += number
    return [Bucket(start, end) for start, end in pairwise([*edges, None])]


def halves(bucket: Bucket, middle: datetime) -> tuple[Bucket, Bucket]:
    return Bucket(bucket.start, middle), Bucket(middle, bucket.end)


def next_share(buckets: Sequence[Bucket], share: float, last: datetime | None) -> list[Bucket]:
    """The share whose turn it is: those that end after ``last``, then again from the oldest on. At least one."""
    wanted = min(len(buckets), max(1, ceil(len(buckets) * share)))
    first = next((i for i, b in enumerate(buckets) if last and (b.end is None or b.end > last)), 0)
    return [buckets[(first + i) % len(buckets)] for i in range(wanted)]


def agrees(theirs: Tally, ours: Tally) -> bool:
    """Same number, same newest stamp. A CRM may cut a stamp to milliseconds; so is ours, then."""
    return theirs.count == ours.count and _ms(theirs.newest) == _ms(ours.newest)


def proof_of(object_name: str, tallies: Iterable[Tally]) -> str:
    """A short hash over bucket edges, counts and newest stamps: equal for CRM and mirror where they agree."""
    return sha256("\n".join(_lines(object_name, tallies)).encode()).hexdigest()[:PROOF_DIGITS]


def joint_proof(proofs: Iterable[str]) -> str:
    """One short hash for several objects."""
    return sha256("\n".join(proofs).encode()).hexdigest()[:PROOF_DIGITS]


def _lines(object_name: str, tallies: Iterable[Tally]) -> Iterator[str]:
    for tally in tallies:
        edges = (tally.bucket.start, tally.bucket.end, tally.newest)
        yield f"{object_name}|{'|'.join(_text(edge) for edge in edges)}|{tally.count}"


def _text(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds") if at else "-"


def _ms(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp() * 1000)
