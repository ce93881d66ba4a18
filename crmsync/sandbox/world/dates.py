"""The world's own time, counted back from the first moment of ``today``: nothing that happened lies in the future."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class Calendar:
    today: date

    @property
    def midnight(self) -> datetime:
        """00:00 UTC of today: the latest instant the world holds."""
        return datetime.combine(self.today, time(), UTC)

    def day(self, days_ago: int) -> date:
        """The date so many days ago; negative numbers lie ahead."""
        return self.today - timedelta(days=days_ago)

    def at(self, days_ago: int, clock: str = "10:00") -> datetime:
        """The instant at ``clock`` (UTC) so many days ago."""
        return datetime.combine(self.day(days_ago), time.fromisoformat(clock), UTC)

    def past(self, moment: datetime) -> datetime:
        """``moment``, or midnight of today where it would lie after that."""
        return min(moment, self.midnight)


SEED = 1
"""Another number gives another world of the same kind."""


def chance(*parts: object) -> float:
    """A number in [0, 1) that depends on ``parts`` alone: adding a record to the world moves no other."""
    return (zlib.crc32("|".join(map(str, (SEED, *parts))).encode()) % 1_000_003) / 1_000_003


def spread(low: int, high: int, *parts: object) -> int:
    """A whole number in [low, high] that depends on ``parts`` alone."""
    return low + int(chance(*parts) * (high - low + 1))


def office_hour(day: date, *parts: object) -> datetime:
    """An instant of a working day, to the whole second (all that Salesforce keeps)."""
    seconds = spread(8 * 3600, 17 * 3600, "hour", *parts)
    return datetime.combine(day, time(), UTC) + timedelta(seconds=seconds)
