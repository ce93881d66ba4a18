"""Record ids: 15 case-sensitive characters, or 18 with a suffix that makes them safe where case is lost."""

from __future__ import annotations

import re

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
_POD = "Bx"
"""Two characters after the key prefix that tell one org's ids from another's."""


def checksum(id15: str) -> str:
    """The three check characters: per five characters, which of them are capitals, as a base-32 digit."""
    chunks = (id15[start : start + 5] for start in (0, 5, 10))
    return "".join(_SUFFIX[sum(1 << bit for bit, char in enumerate(chunk) if "A" <= char <= "Z")] for chunk in chunks)


def to_18(record_id: str) -> str | None:
    """The 18-character form, or ``None`` if it is no id (wrong alphabet, length or suffix)."""
    if not _ID.fullmatch(record_id):
        return None
    if len(record_id) == 15:
        return record_id + checksum(record_id)
    return record_id if checksum(record_id[:15]) == record_id[15:].upper() else None


def is_id_shaped(text: str) -> bool:
    """The form alone, whatever the check characters say."""
    return _ID.fullmatch(text) is not None


def make_id(prefix: str, number: int) -> str:
    body = ""
    while number:
        number, digit = divmod(number, 62)
        body = _DIGITS[digit] + body
    id15 = f"{prefix}{_POD}0{body:0>9}"
    return id15 + checksum(id15)


def custom_prefix(number: int) -> str:
    """Key prefix of the n-th custom object: a00, a01, …"""
    high, low = divmod(number, 62)
    return f"a{_DIGITS[high]}{_DIGITS[low]}"
