"""From the JSON a client sends to what is stored: types, lengths, picklists, in the vendor's own words when refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from crmsync.sandbox.salesforce.errors import SalesforceError, json_error
from crmsync.sandbox.salesforce.ids import to_18
from crmsync.sandbox.salesforce.schema import NUMBER_TYPES, Field

_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_EMAIL = re.compile(r"[^@\s,;<>()]+@[^@\s.,;<>()]+(\.[^@\s.,;<>()]+)+")
_JSON_KIND = {str: "VALUE_STRING", bool: "VALUE_TRUE", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT"}
MULTISELECT_SEPARATOR = ";"
ADDRESS_PARTS = ("City", "Country", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode", "State", "Street")


def stamp(instant: datetime) -> str:
    """Whole seconds, UTC, as the REST API writes it (recorded: fractions are always .000)."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def from_stamp(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def parse_datetime(text: str) -> datetime | None:
    """``None`` if it is no datetime as Salesforce reads it: a date with a time; no offset means UTC."""
    if not _DATETIME.fullmatch(text):
        return None
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def to_stored(field: Field, value: Any) -> Any:
    """What a column holds for ``value``; raises the vendor's error where the API would refuse it."""
    if value is None or value == "":
        return 0 if field.type == "boolean" else None
    if field.type == "boolean":
        return _boolean(value)
    if field.type in NUMBER_TYPES:
        return _number(field, value)
    if field.type == "date":
        return _date(value)
    if field.type == "datetime":
        return _datetime(value)
    if field.type in ("reference", "id"):
        return _reference(field, value)
    return _text(field, value)


def _wrong_kind(kind: str, value: Any) -> SalesforceError:
    if isinstance(value, (dict, list)):
        token = "START_OBJECT" if isinstance(value, dict) else "START_ARRAY"
        return json_error(f"Cannot deserialize instance of {kind} from {token} value")
    token = _JSON_KIND[type(value)]
    return json_error(
        f"Cannot deserialize instance of {kind} from {token} value {value} or request may be missing a required field"
    )


def _boolean(value: Any) -> int:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.lower() in ("true", "false", "1", "0"):
        return int(value.lower() in ("true", "1"))
    raise _wrong_kind("boolean", value)


def _number(field: Field, value: Any) -> float | int:
    kind = {"int": "int"}.get(field.type, field.type)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise _wrong_kind(kind, value)
    try:
        number = float(value)
    except ValueError:
        raise _wrong_kind(kind, value) from None
    whole = field.describe["precision"] - field.describe["scale"] or 18
    if not abs(number) < 10**whole:
        message = f"{field.label}: value outside of valid range on numeric field: {value}"
        raise SalesforceError("NUMBER_OUTSIDE_VALID_RANGE", message, fields=[field.name])
    if field.type == "int":
        return round(number)
    return round(number, field.describe["scale"]) if field.custom else number


def _date(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    raise _wrong_kind("date", value)


def _datetime(value: Any) -> str:
    parsed = parse_datetime(value) if isinstance(value, str) else None
    if parsed is None:
        raise _wrong_kind("datetime", value)
    return stamp(parsed)


def _reference(field: Field, value: Any) -> str:
    record_id = to_18(value) if isinstance(value, str) else None
    if record_id is None:
        message = f"{field.label}: id value of incorrect type: {value}"
        raise SalesforceError("MALFORMED_ID", message, fields=[field.name])
    return record_id


def _text(field: Field, value: Any) -> str | None:
    if isinstance(value, (dict, list)):
        raise _wrong_kind("string", value)
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    text = text.strip() if field.type != "textarea" else text
    if field.type == "multipicklist":
        _check_options(field, text.split(MULTISELECT_SEPARATOR))
    elif field.type == "picklist":
        _check_options(field, [text])
    length = field.describe["length"]
    if length and len(text) > length:
        message = f"{field.label}: data value too large: {text} (max length={length})"
        raise SalesforceError("STRING_TOO_LONG", message, fields=[field.name])
    if field.type == "email" and not _EMAIL.fullmatch(text):
        message = f"{field.label}: invalid email address: {text}"
        raise SalesforceError("INVALID_EMAIL_ADDRESS", message, fields=[field.name])
    return (text.lower() if field.type == "email" else text) or None  # recorded: addresses come back in lower case


def _check_options(field: Field, values: list[str]) -> None:
    if not field.describe["restrictedPicklist"]:
        return
    known = {option.lower() for option in field.options}
    for value in values:
        if value.strip().lower() not in known:
            message = f"{field.label}: bad value for restricted picklist field: {value}"
            raise SalesforceError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=[field.name])


def address(row: Mapping[str, Any], prefix: str) -> dict[str, Any] | None:
    """A compound address from its parts; null when all are empty."""
    found = {part[0].lower() + part[1:]: row.get(prefix + part) for part in ADDRESS_PARTS}
    return found if any(value is not None for value in found.values()) else None
