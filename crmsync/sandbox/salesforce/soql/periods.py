"""Date literals of SOQL (TODAY, LAST_N_DAYS:30, THIS_QUARTER, …) as half-open ranges of days.

Weeks begin on Sunday, as in an English locale; days are those of the user's time zone, which in the sandbox is UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

_DAY = timedelta(days=1)
Range = tuple[date, date]


def period(literal: str, today: date) -> Range | None:
    """First day and the day after the last; ``None`` if there is no such literal."""
    name, _, number = literal.upper().partition(":")
    count = int(number) if number else None
    if count is None:
        fixed = _FIXED.get(name)
        return fixed(today) if fixed else None
    counted = _COUNTED.get(name)
    return counted(today, count) if counted else None


def _months(start: date, count: int) -> date:
    index = start.year * 12 + start.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)


def _week(today: date, offset: int) -> Range:
    start = today - _DAY * ((today.weekday() + 1) % 7) + timedelta(weeks=offset)
    return start, start + timedelta(weeks=1)


def _month(today: date, offset: int, length: int = 1) -> Range:
    start = _months(today, offset)
    return start, _months(start, length)


def _quarter(today: date, offset: int, count: int = 1) -> Range:
    start = _months(date(today.year, (today.month - 1) // 3 * 3 + 1, 1), 3 * offset)
    return start, _months(start, 3 * count)


def _year(today: date, offset: int, count: int = 1) -> Range:
    return date(today.year + offset, 1, 1), date(today.year + offset + count, 1, 1)


def _days(today: date, offset: int) -> Range:
    day = today + _DAY * offset
    return day, day + _DAY


_FIXED: dict[str, Callable[[date], Range]] = {
    "TODAY": lambda today: _days(today, 0),
    "YESTERDAY": lambda today: _days(today, -1),
    "TOMORROW": lambda today: _days(today, 1),
    "THIS_WEEK": lambda today: _week(today, 0),
    "LAST_WEEK": lambda today: _week(today, -1),
    "NEXT_WEEK": lambda today: _week(today, 1),
    "THIS_MONTH": lambda today: _month(today, 0),
    "LAST_MONTH": lambda today: _month(today, -1),
    "NEXT_MONTH": lambda today: _month(today, 1),
    "LAST_90_DAYS": lambda today: (today - 90 * _DAY, today + _DAY),
    "NEXT_90_DAYS": lambda today: (today + _DAY, today + 91 * _DAY),
}
for _prefix in ("", "FISCAL_"):
    _FIXED |= {
        f"THIS_{_prefix}QUARTER": lambda today: _quarter(today, 0),
        f"LAST_{_prefix}QUARTER": lambda today: _quarter(today, -1),
        f"NEXT_{_prefix}QUARTER": lambda today: _quarter(today, 1),
        f"THIS_{_prefix}YEAR": lambda today: _year(today, 0),
        f"LAST_{_prefix}YEAR": lambda today: _year(today, -1),
        f"NEXT_{_prefix}YEAR": lambda today: _year(today, 1),
    }

_COUNTED: dict[str, Callable[[date, int], Range]] = {
    "LAST_N_DAYS": lambda today, n: (today - n * _DAY, today + _DAY),
    "NEXT_N_DAYS": lambda today, n: (today + _DAY, today + (n + 1) * _DAY),
    "N_DAYS_AGO": lambda today, n: _days(today, -n),
    "LAST_N_WEEKS": lambda today, n: (_week(today, -n)[0], _week(today, 0)[0]),
    "NEXT_N_WEEKS": lambda today, n: (_week(today, 1)[0], _week(today, n)[1]),
    "N_WEEKS_AGO": lambda today, n: _week(today, -n),
    "LAST_N_MONTHS": lambda today, n: _month(today, -n, n),
    "NEXT_N_MONTHS": lambda today, n: _month(today, 1, n),
    "N_MONTHS_AGO": lambda today, n: _month(today, -n),
}
for _prefix in ("", "FISCAL_"):
    _COUNTED |= {
        f"LAST_N_{_prefix}QUARTERS": lambda today, n: _quarter(today, -n, n),
        f"NEXT_N_{_prefix}QUARTERS": lambda today, n: _quarter(today, 1, n),
        f"N_{_prefix}QUARTERS_AGO": lambda today, n: _quarter(today, -n),
        f"LAST_N_{_prefix}YEARS": lambda today, n: _year(today, -n, n),
        f"NEXT_N_{_prefix}YEARS": lambda today, n: _year(today, 1, n),
        f"N_{_prefix}YEARS_AGO": lambda today, n: _year(today, -n),
    }
