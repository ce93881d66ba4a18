"""How values, numbers and durations read in the output. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crmsync.remote import ApiBudget

SYSTEM_NAMES = {"salesforce": "Salesforce", "hubspot": "HubSpot", "files": "files"}

NOT_CHECKED = {
    "salesforce": "Salesforce validation rules, triggers and flows",
    "hubspot": "HubSpot workflows",
}
"""What no plan can know before it is applied."""


def show_value(value: Any, *, width: int = 40) -> str:
    """A raw or canonical value on one line, cut to ``width``."""
    if value is None or value in ("", []):
        return "(blank)"
    if isinstance(value, list | tuple):
        value = "; ".join(str(item) for item in value)
    if isinstance(value, bool):
        value = "yes" if value else "no"
    return shorten(str(value), width)


def shorten(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def place(where: str) -> str:
    """``file:line``, from here where the file is below, so that it is short and can be opened."""
    path, _, line = where.rpartition(":")
    try:
        return f"{Path(path).relative_to(Path.cwd())}:{line}"
    except ValueError:
        return where


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 record``, ``2,000 records``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def instant(value: datetime | str | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def took(started: datetime | str | None, finished: datetime | str | None) -> str:
    if not started or not finished:
        return "-"
    first, last = (datetime.fromisoformat(t) if isinstance(t, str) else t for t in (started, finished))
    seconds = max((last - first).total_seconds(), 0.0)
    return f"{seconds:.1f} s" if seconds < 90 else f"{seconds / 60:.1f} min"


def api_calls(api: ApiBudget) -> str:
    left = "" if api.remaining is None else f" ({api.remaining:,} left today)"
    return f"API calls: {api.used:,} used{left}"


def size(number: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if number >= factor / 10:
            return f"{number / factor:.1f} {unit}"
    return f"{number / 1e3:.1f} kB"
