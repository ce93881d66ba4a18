"""The functions of the expression language: one table, with the types that each takes and gives."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from crmsync.rules.names import is_blank, registrable_domain

ANY = ("text", "number", "bool", "date", "instant", "list")
DAYS = ("date", "instant")


@dataclass(frozen=True, slots=True)
class Function:
    """``takes`` lists the types that each argument may have; ``many`` repeats the last one.

    ``run`` gets blank arguments only where ``sees_blank``, and the zone first where ``needs_zone``. It gives ``None``
    for what has no answer.
    """

    takes: tuple[tuple[str, ...], ...]
    gives: str
    run: Callable[..., Any]
    example: str
    many: bool = False
    sees_blank: bool = False
    needs_zone: bool = False


def _starts_with(text: str, start: str) -> bool:
    return text.lower().startswith(start.lower())


def _ends_with(text: str, end: str) -> bool:
    return text.lower().endswith(end.lower())


def _contains(text: str, part: str) -> bool:
    return part.lower() in text.lower()


def _like(text: str, pattern: str) -> bool:
    """``*`` stands for anything, ``?`` for one character. Two pointers, so that no pattern is slow."""
    text, pattern = text.lower(), pattern.lower()
    at, place, star, resume = 0, 0, -1, 0
    while at < len(text):
        if place < len(pattern) and pattern[place] == "*":
            star, resume = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in ("?", text[at]):
            at, place = at + 1, place + 1
        elif star >= 0:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return all(char == "*" for char in pattern[place:])


def _domain(text: str) -> str | None:
    return registrable_domain(text)


def _lower(text: str) -> str:
    return text.lower()


def _len(value: str | tuple[str, ...]) -> int:
    return len(value)


def _is_blank(value: object) -> bool:
    return is_blank(value)


def _coalesce(*values: object) -> object:
    return next((value for value in values if not is_blank(value)), None)


def _any_of(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    return not set(some).isdisjoint(others)


def _day(zone: ZoneInfo, value: date | datetime) -> date:
    return value.astimezone(zone).date() if isinstance(value, datetime) else value


def _days_between(zone: ZoneInfo, start: date | datetime, end: date | datetime) -> int:
    return (_day(zone, end) - _day(zone, start)).days


def _add_days(zone: ZoneInfo, start: date | datetime, count: Decimal | int) -> date | None:
    try:
        return _day(zone, start) + timedelta(days=int(count))
    except OverflowError:
        return None


def _add_months(zone: ZoneInfo, start: date | datetime, count: Decimal | int) -> date | None:
    """On the same day of the month, or on its last."""
    day = _day(zone, start)
    year, month = divmod(day.year * 12 + day.month - 1 + int(count), 12)
    if not date.min.year <= year <= date.max.year:
        return None
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _hours_between(start: datetime, end: datetime) -> Decimal:
    return Decimal((end - start) // timedelta(seconds=1)) / 3600


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "starts_with": Function((("text",), ("text",)), "bool", _starts_with, 'starts_with(name, "Pilot")'),
        "ends_with": Function((("text",), ("text",)), "bool", _ends_with, 'ends_with(account.domain, ".example")'),
        "contains": Function((("text",), ("text",)), "bool", _contains, 'contains(name, "renewal")'),
        "like": Function((("text",), ("text",)), "bool", _like, 'like(name, "*20?? renewal*")'),
        "domain": Function((("text",),), "text", _domain, 'domain(account.domain) == "acme.example"'),
        "lower": Function((("text",),), "text", _lower, 'lower(lead_source) == "partner"'),
        "len": Function((("text", "list"),), "number", _len, "len(products) > 1"),
        "is_blank": Function((ANY,), "bool", _is_blank, "is_blank(close_date)", sees_blank=True),
        "coalesce": Function((ANY,), "same", _coalesce, "coalesce(amount, 0) > 0", many=True, sees_blank=True),
        "any_of": Function((("list",), ("list",)), "bool", _any_of, 'any_of(products, ["GTX Pro", "MG Special"])'),
        "day": Function((DAYS,), "date", _day, 'day(created_at) >= "2026-01-01"', needs_zone=True),
        "days_between": Function(
            (DAYS, DAYS), "number", _days_between, "days_between(created_at, today) > 90", needs_zone=True
        ),
        "hours_between": Function(
            (("instant",), ("instant",)), "number", _hours_between, "hours_between(created_at, closed_at) < 72"
        ),
        "add_days": Function(
            (DAYS, ("number",)), "date", _add_days, "add_days(created_at, 14) >= today", needs_zone=True
        ),
        "add_months": Function(
            (DAYS, ("number",)), "date", _add_months, "add_months(account.last_contact_on, 6) <= today", needs_zone=True
        ),
    }
)
