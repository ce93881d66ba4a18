"""Whole numbers as they come in paths and bodies: ids, limits, cursors."""

from __future__ import annotations

MAX_DIGITS = 18
"""What SQLite holds, with room to spare; HubSpot's own ids have twelve."""


def is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
