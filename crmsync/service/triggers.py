"""When a sync is due: a cron line or an interval, as APScheduler's triggers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from crmsync.cron import EXAMPLE, cron_fields
from crmsync.errors import UsageError
from crmsync.project import Schedule


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
    try:
        return CronTrigger(**cron_fields(line), timezone=zone, jitter=jitter)
    except ValueError as error:
        raise UsageError(f"'{line}' is not a cron line: {error}", hint=EXAMPLE) from None
