"""How stored values read on a page."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation


def words(value: str) -> str:
    """``under_review`` and ``CONFLICT_PARTNER`` as people say them."""
    return value.replace("_", " ").strip().capitalize()


def parse_instant(text: str) -> datetime | None:
    """An ISO instant as either CRM writes it, or epoch milliseconds."""
    try:
        if text.isdecimal() and len(text) > 10:
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def parse_day(text: str) -> date | None:
    found = parse_instant(text)
    return found.date() if found else None


def instant(text: str) -> str:
    found = parse_instant(text)
    return f"{found:%d %b %Y, %H:%M} UTC" if found else text


def day(text: str) -> str:
    found = parse_day(text)
    return f"{found:%d %b %Y}" if found else text


def number(text: str) -> str:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    return f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,}"


def money(amount: str, currency: str) -> str:
    return f"{currency} {number(amount)}".strip() if amount else ""


def days_between(days: int) -> str:
    """``in 12 days`` or ``3 days ago``."""
    if days == 0:
        return "today"
    unit = "day" if abs(days) == 1 else "days"
    return f"in {days} {unit}" if days > 0 else f"{-days} {unit} ago"
