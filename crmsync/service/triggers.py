"""When a sync is due: a cron line or an interval, as APScheduler's triggers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from crmsync.errors import UsageError
from crmsync.project import Schedule

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_EXAMPLE = "write minute hour day month weekday, such as '*/15 * * * *' or '0 6 * * 1-5'"


@dataclass(frozen=True, slots=True)
class NextRun:
    connection: str
    at: datetime | None


def build_trigger(schedule: Schedule) -> BaseTrigger:
    """The project's schedule as a trigger.

    :raises UsageError: when the cron line is none.
    """
    zone = ZoneInfo(schedule.timezone)
    jitter = schedule.jitter_s or None
    if schedule.every_s is not None:
        return IntervalTrigger(seconds=schedule.every_s, timezone=zone, jitter=jitter)
    return _cron_trigger(schedule.cron, zone, jitter)


def _cron_trigger(line: str, zone: ZoneInfo, jitter: int | None) -> CronTrigger:
    parts = line.split()
    if len(parts) != 5:
        raise UsageError(f"'{line}' has {len(parts)} fields, a cron line has 5", hint=_EXAMPLE)
    minute, hour, day, month, weekday = parts
    try:
        return CronTrigger(
            minute=minute,
            hour=hour,
            day=day,
            month=month,
            day_of_week=_weekday_names(weekday),
            timezone=zone,
            jitter=jitter,
        )
    except ValueError as error:
        raise UsageError(f"'{line}' is not a cron line: {error}", hint=_EXAMPLE) from None


def _weekday_names(field: str) -> str:
    """Cron counts weekdays from Sunday = 0 (and 7), APScheduler from Monday = 0: names mean the same to both."""
    if not any(char.isdigit() for char in field.split("/")[0]):
        return field
    days = [day for part in field.split(",") for day in _weekdays(part)]
    return ",".join(dict.fromkeys(_WEEKDAYS[day % 7] for day in days))


def _weekdays(part: str) -> range:
    span, _, step = part.partition("/")
    first, _, last = span.partition("-")
    start, end = int(first), int(last or first)
    if not (0 <= start <= end <= 7 and int(step or 1) > 0):
        raise ValueError(f"weekday '{part}' is out of range 0-7")
    return range(start, end + 1, int(step or 1))
