"""One property value: from what a client may send to the string that is kept, or the reason why not.

Values arrive as strings, numbers, booleans or ``null``; they are kept and answered as strings. Codes and wording follow
recorded answers where there are any (``INVALID_LONG``: meeting_error) and HubSpot's error guide elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from crmsync.sandbox.hubspot.definitions.properties import Definition, is_multiple
from crmsync.sandbox.hubspot.stamps import DAY_MS, parse_ms, wire, wire_date

MAX_TEXT = 65_536
MAX_EXPONENT = 308
"""HubSpot keeps numbers as doubles."""
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?\s*\Z", re.ASCII)
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s.,;<>]+\Z")
_BOOLEANS = {"true": "true", "false": "false", "1": "true", "0": "false", "yes": "true", "no": "false"}


class BadValue(ValueError):
    """``code`` is the machine-readable half of HubSpot's complaint."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def normalise(
    value: Any,
    definition: Definition,
    *,
    where: str,
    options: Collection[str] | None,
    old: str | None = None,
) -> str | None:
    """``None`` clears. ``options`` are the allowed internal values, or ``None`` where anything goes.

    ``where`` is the tail of the recorded INVALID_LONG message ("Portal 1, object type 0-47").
    """
    if isinstance(value, dict | list):
        raise BadValue("INVALID_STRING", f'Property "{definition["name"]}" must be a string, number or boolean')
    text = as_text(value)
    if text == "":
        return None
    kind = definition["type"]
    if kind == "enumeration":
        return _enumeration(text, definition, options, old)
    if kind in {"datetime", "date"}:
        return _datetime(text, where) if kind == "datetime" else _date(text, where)
    if kind == "number":
        return _number(text)
    if kind == "bool":
        return _boolean(text)
    return _string(text, definition["name"])


def _string(text: str, name: str) -> str:
    if len(text) > MAX_TEXT:
        raise BadValue("INVALID_STRING_LENGTH", f"{name} was too long: {len(text)} characters, at most {MAX_TEXT}")
    if name == "email" and not _EMAIL.match(text):
        raise BadValue("INVALID_EMAIL", f"Email address {text} is invalid")
    return text.lower() if name == "email" else text


def _number(text: str) -> str:
    if not _NUMBER.match(text) or abs(Decimal(text).adjusted()) > MAX_EXPONENT:
        raise BadValue("INVALID_INTEGER", f"{text[:100]} was not a valid number.")
    return text.strip()


def _boolean(text: str) -> str:
    found = _BOOLEANS.get(text.lower())
    if found is None:
        raise BadValue("INVALID_OPTION", f"{text} was not one of the allowed options: [true, false]")
    return found


def _datetime(text: str, where: str) -> str:
    try:
        return wire(parse_ms(text))
    except (ValueError, OverflowError):
        raise BadValue("INVALID_LONG", f"{text} was not a valid long. {where}") from None


def _date(text: str, where: str) -> str:
    try:
        ms = parse_ms(text)
        day, at = wire_date(ms), wire(ms)
    except (ValueError, OverflowError):
        raise BadValue("INVALID_LONG", f"{text} was not a valid long. {where}") from None
    if ms % DAY_MS:
        raise BadValue("INVALID_DATE", f"{text} is at {at[11:].rstrip('Z')} UTC, not midnight!")
    return day


def _enumeration(text: str, definition: Definition, options: Collection[str] | None, old: str | None) -> str:
    if not is_multiple(definition):
        _check_options([text], options)
        return text
    chosen = [part for part in text.split(";") if part]
    _check_options(chosen, options)
    if text.startswith(";") and old:  # a leading semicolon appends to what is there
        chosen = [*old.split(";"), *chosen]
    return ";".join(dict.fromkeys(chosen))


def _check_options(chosen: Collection[str], options: Collection[str] | None) -> None:
    if options is None:
        return
    for value in chosen:
        if value not in options:
            listed = ", ".join(list(options)[:50])
            raise BadValue("INVALID_OPTION", f"{value} was not one of the allowed options: [{listed}]")


def option_values(definition: Mapping[str, Any]) -> list[str] | None:
    return [option["value"] for option in definition["options"]] or None
