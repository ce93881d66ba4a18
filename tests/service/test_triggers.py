from datetime import UTC, datetime, timedelta

import pytest

from crmsync.errors import UsageError
from crmsync.project import Schedule
from crmsync.service import build_trigger

SATURDAY = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def schedule(cron: str = "", every_s: int | None = None, timezone: str = "UTC") -> Schedule:
    return Schedule(cron=cron, every_s=every_s, timezone=timezone, jitter_s=0)


def next_run(cron: str, timezone: str = "UTC") -> datetime:
    return build_trigger(schedule(cron, timezone=timezone)).get_next_fire_time(None, SATURDAY)


@pytest.mark.parametrize(
    ("line", "runs_at"),
    [
        ("*/15 * * * *", "2026-11-21T12:00"),
        ("30 6 * * *", "2026-11-22T06:30"),
        ("0 6 * * 0", "2026-11-22T06:00"),
        ("0 6 * * 7", "2026-11-22T06:00"),
        ("0 6 * * 1", "2026-11-23T06:00"),
        ("0 6 * * 1-5", "2026-11-23T06:00"),
        ("0 6 * * mon-fri", "2026-11-23T06:00"),
        ("0 6 * * 2,4", "2026-11-24T06:00"),
        ("0 6 1 * *", "2026-12-01T06:00"),
    ],
)
def test_a_cron_line_means_what_cron_means_by_it(line: str, runs_at: str) -> None:
    assert next_run(line) == datetime.fromisoformat(runs_at).replace(tzinfo=UTC)


def test_hours_are_those_of_the_zone() -> None:
    assert next_run("0 6 * * *", "Europe/Berlin").astimezone(UTC).hour == 5


@pytest.mark.parametrize("line", ["", "* * * *", "61 * * * *", "* * * * 8", "* * * * x", "* * * * 1/0"])
def test_what_is_no_cron_line_is_said(line: str) -> None:
    with pytest.raises(UsageError) as caught:
        next_run(line)
    assert f"'{line}'" in caught.value.message
    assert "*/15 * * * *" in caught.value.hint


def test_an_interval_counts_on() -> None:
    trigger = build_trigger(schedule(every_s=900))
    assert trigger.get_next_fire_time(SATURDAY, SATURDAY) == SATURDAY + timedelta(minutes=15)
