"""``now``, asked only in ways that remember when the answer will change.

Every comparison with the present goes through here. What has not happened yet is noted, so the earliest noted instant
is the first at which any answer, and with it a decision, can differ.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crmsync.rules.expressions import Expression, Scope
from crmsync.rules.policy.programme import Length

_LAST_DAY = date(9990, 1, 1)
_FIRST_DAY = date(10, 1, 1)


class Timeline:
    """One instant in one zone, with a memory for boundaries."""

    def __init__(self, now: datetime, zone: ZoneInfo) -> None:
        self.now = now.astimezone(UTC)
        self.zone = zone
        self.today = self.day_of(self.now)
        self._next: datetime | None = None

    @property
    def next_due_at(self) -> datetime | None:
        return self._next

    def passed(self, at: datetime) -> bool:
        """Whether that instant has come."""
        if at <= self.now:
            return True
        if self._next is None or at < self._next:
            self._next = at
        return False

    def started(self, day: date) -> bool:
        """Whether that day has begun."""
        return day < self.today or self.passed(self.start_of(day))

    def over(self, day: date) -> bool:
        """Whether that day lies behind."""
        return self.started(add_days(day, 1))

    def start_of(self, day: date) -> datetime:
        """The first instant of a day; days that no calendar reaches are moved to its edge."""
        bounded = min(max(day, _FIRST_DAY), _LAST_DAY)
        return datetime.combine(bounded, time(), self.zone).astimezone(UTC)

    def end_of(self, day: date) -> datetime:
        """The first instant after a day."""
        return self.start_of(add_days(day, 1))

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def holds(self, expression: Expression, scope: Scope) -> bool:
        """Evaluate a condition; one that asks for today is asked again at midnight."""
        if expression.uses_today:
            scope.today = self.today
            self.started(add_days(scope.today, 1))
        return expression.holds(scope)

    def shown(self, at: datetime) -> str:
        """An instant as people read it."""
        return at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")


def add_days(day: date, days: int) -> date:
    """Calendar arithmetic that stays inside the calendar."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return _LAST_DAY if days > 0 else _FIRST_DAY


def add_length(day: date, length: Length) -> date:
    """The day that lies a length later; a month ends on the same day of the month, or on its last."""
    if length.unit == "days":
        return add_days(day, length.value)
    months = day.year * 12 + day.month - 1 + length.value
    year, month = divmod(months, 12)
    if year > _LAST_DAY.year:
        return _LAST_DAY
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def shift(at: datetime | None, days: int) -> datetime:
    """An instant moved by days, inside the calendar; ``None`` is its beginning."""
    first = datetime.combine(_FIRST_DAY, time(), UTC)
    if at is None:
        return first
    try:
        return at + timedelta(days=days)
    except OverflowError:
        return first if days < 0 else datetime.combine(_LAST_DAY, time(), UTC)
