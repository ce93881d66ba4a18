"""The project's own limits of API calls: so many a run, so many a day (UTC), counted over runs in the store."""

from __future__ import annotations

from datetime import datetime

from crmsync.errors import QuotaExhausted
from crmsync.project import Connection
from crmsync.store import Store

_KEY = "api_calls:"


def most_calls(store: Store, connection: Connection, now: datetime) -> int | None:
    """Calls that the run may make; ``None`` is no limit.

    :raises QuotaExhausted: when the day's are used up: nothing is asked, not even a sign-in.
    """
    limits = [] if connection.calls_per_run is None else [connection.calls_per_run]
    if connection.calls_per_day is not None:
        left = connection.calls_per_day - calls_of_day(store, now)
        if left <= 0:
            raise QuotaExhausted(
                f"the {connection.calls_per_day} API calls of today that limits.per_day allows are made",
                system=connection.system,
                hint="the next run after midnight UTC goes on, or raise limits.per_day in crmsync.yaml",
            )
        limits.append(left)
    return min(limits, default=None)


def calls_of_day(store: Store, now: datetime) -> int:
    return int(store.get_meta(f"{_KEY}{now:%F}") or 0)


def note_calls(store: Store, now: datetime, used: int) -> None:
    """Count a run's calls into its day."""
    if used:
        store.set_meta(f"{_KEY}{now:%F}", str(calls_of_day(store, now) + used))
