"""The mirror counted by modified date, from an index alone: what the reconciliation compares with the CRM."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

from crmsync.remote import Bucket, Tally
from crmsync.store.codec import from_stamp, to_stamp
from crmsync.store.database import Tables

_LIVE = "FROM mirror INDEXED BY mirror_census WHERE object = ? AND NOT deleted"
_CHUNK = 10_000


class Census(Tables):
    def live_days(self, object: str) -> list[tuple[date, int]]:
        """Days in UTC on which live rows were last modified, and how many; rows without a date are left out."""
        sql = (
            f"SELECT substr(modified_at, 1, 10) AS day, count(*) {_LIVE} AND modified_at > '' GROUP BY day ORDER BY day"
        )
        return [(date.fromisoformat(row[0]), row[1]) for row in self._rows(sql, (object,))]

    def tally(self, object: str, bucket: Bucket) -> Tally:
        """Live rows of a bucket; rows without a modified date are in none that has an edge."""
        where, values = _bounds(bucket)
        row = self._one(f"SELECT count(*), max(modified_at) {_LIVE}{where}", (object, *values))
        number, newest = row or (0, None)
        return Tally(bucket, number, from_stamp(newest))

    def middle(self, object: str, bucket: Bucket) -> datetime | None:
        """A stamp that halves the rows of a bucket; ``None`` where all of them have the same one."""
        where, values = _bounds(bucket)
        stamps = f"SELECT modified_at {_LIVE}{where}"
        half = self._one(f"SELECT count(*) / 2, min(modified_at) {_LIVE}{where}", (object, *values))
        if not half or half[1] is None:
            return None
        found = self._one(f"{stamps} ORDER BY modified_at LIMIT 1 OFFSET ?", (object, *values, half[0]))
        if found and found[0] == half[1]:
            found = self._one(
                f"SELECT min(modified_at) FROM ({stamps} AND modified_at > ?)", (object, *values, half[1])
            )
        return from_stamp(found[0]) if found else None

    def stamps(self, object: str, bucket: Bucket) -> Iterator[tuple[str, datetime | None]]:
        """Ids and modified dates of the live rows in a bucket, oldest first."""
        where, values = _bounds(bucket)
        after: tuple[str, str] = ("", "")
        later = f"{where} AND (modified_at, id) > (?, ?)"
        sql = f"SELECT id, modified_at {_LIVE}{later} ORDER BY modified_at, id LIMIT {_CHUNK}"
        while rows := self._rows(sql, (object, *values, *after)):
            after = (rows[-1][1], rows[-1][0])
            yield from ((row[0], from_stamp(row[1])) for row in rows)

    def ids_after(self, object: str, after: str, limit: int) -> list[str]:
        """The next live ids in order: for a walk that goes on where the last run stopped."""
        sql = "SELECT id FROM mirror WHERE object = ? AND id > ? AND NOT deleted ORDER BY id LIMIT ?"
        return [row[0] for row in self._rows(sql, (object, after, limit))]


def _bounds(bucket: Bucket) -> tuple[str, Sequence[str | None]]:
    edges = (
        ("modified_at >= ?", bucket.start and to_stamp(bucket.start.astimezone(UTC))),
        ("modified_at < ?", bucket.end and to_stamp(bucket.end.astimezone(UTC))),
    )
    used = [(sql, value) for sql, value in edges if value]
    return "".join(f" AND {sql}" for sql, _ in used), [value for _, value in used]
