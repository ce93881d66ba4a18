"""Instants as HubSpot writes them: UTC, milliseconds, but no fraction on a whole second (recorded: tasks)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from crmsync.sandbox.hubspot.wholes import is_whole

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
DAY_MS = 86_400_000


def to_ms(instant: datetime) -> int:
    return (instant - _EPOCH) // _MILLISECOND


@lru_cache(maxsize=65_536)
def wire(ms: int) -> str:
    """Remembered, since a page of records says the same few hundred instants again and again."""
    text = (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")
    return text[:-10] + "Z" if text.endswith(".000+00:00") else text[:-6] + "Z"


@lru_cache(maxsize=65_536)
def parse_ms(text: str) -> int:
    """Epoch milliseconds or ISO 8601; ``ValueError`` for anything else. Without an offset the text is UTC."""
    if is_whole(text.removeprefix("-")):
        return int(text)
    instant = datetime.fromisoformat(text)
    return to_ms(instant if instant.tzinfo else instant.replace(tzinfo=UTC))


def wire_date(ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=ms)).date().isoformat()
