"""Cron lines as APScheduler's fields. Cron counts weekdays from Sunday = 0 (and 7), APScheduler from Monday = 0."""

from __future__ import annotations

EXAMPLE = "write minute hour day month weekday, such as '*/15 * * * *' or '0 6 * * 1-5'"

_FIELDS = ("minute", "hour", "day", "month", "day_of_week")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def cron_fields(line: str) -> dict[str, str]:
    """What ``CronTrigger`` is built from.

    :raises ValueError: when the line has not five fields, or a weekday that is none.
    """
    parts = line.split()
    if len(parts) != len(_FIELDS):
        raise ValueError(f"it has {len(parts)} fields, a cron line has {len(_FIELDS)}")
    fields = dict(zip(_FIELDS, parts, strict=True))
    return fields | {"day_of_week": _weekday_names(fields["day_of_week"])}


def _weekday_names(field: str) -> str:
    """Names mean the same to both."""
    if not any(char.isdigit() for char in field.split("/")[0]):
        return field
    days = [day for part in field.split(",") for day in _weekdays(part)]
    return ",".join(dict.fromkeys(_WEEKDAYS[day % 7] for day in days))


def _weekdays(part: str) -> range:
    span, _, step = part.partition("/")
    first, _, last = span.partition("-")
    numbers = (first, last or first, step or "1")
    if not all(number.isdecimal() for number in numbers):
        raise ValueError(f"'{part}' is no weekday")
    start, end, stride = map(int, numbers)
    if not (0 <= start <= end <= 7 and stride > 0):
        raise ValueError(f"weekday '{part}' is out of range 0-7")
    return range(start, end + 1, stride)
