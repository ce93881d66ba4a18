"""Working days by country: Monday to Friday without public holidays."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from crmsync.rules.policy.programme import Calendar
from crmsync.rules.timeline import add_days


@lru_cache(maxsize=64)
def _public_holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))


def is_workday(day: date, calendar: Calendar | None) -> bool:
    if day.weekday() >= 5:
        return False
    if calendar is None:
        return True
    if day in calendar.closed:
        return False
    country = calendar.country
    return country is None or day not in _public_holidays(country, calendar.subdivision, day.year)


def add_workdays(at: datetime, count: int, calendar: Calendar | None, zone: ZoneInfo) -> datetime:
    """The same time of day, ``count`` working days later."""
    local = at.astimezone(zone)
    day, left = local.date(), count
    while left:
        day = add_days(day, 1)
        left -= is_workday(day, calendar)
    return datetime.combine(day, local.time(), zone).astimezone(at.tzinfo)


def count_workdays(start: datetime, end: datetime, calendar: Calendar | None, zone: ZoneInfo) -> int:
    """Working days after the day of ``start``, that of ``end`` included; at most some ten years of them."""
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    days = (add_days(day, n) for n in range(1, min((last - day).days, 3660) + 1))
    return sum(is_workday(one, calendar) for one in days)


def add_hours(at: datetime, hours: int) -> datetime:
    return at + timedelta(hours=hours)
