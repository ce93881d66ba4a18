"""Raw CRM values to canonical ones and back, by type. Reading accepts what both CRMs send; writing speaks one dialect.

Salesforce sends JSON types, and datetimes as ``2020-10-22T21:03:23.000+0000`` (recorded: every query answer). HubSpot
sends strings only: ``"true"``, ``"12.5"``, ISO or epoch-millisecond instants and dates (developers.hubspot.com,
"Properties"). None of the readers ever sees a blank. Results are cached where parsing costs: a CRM repeats itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from crmsync.records import Value
from crmsync.remote import Scalar

if TYPE_CHECKING:
    from crmsync.mappings.fields import ReadValue, WriteValue

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CACHE = 65_536
_SHOWN = 40
_MAX_DIGITS = 30
"""More digits than any CRM keeps; a guard against ``1e999999``."""


def as_text(raw: Scalar) -> str:
    """A raw value as the text that value maps and conditions are written in."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return "" if raw is None else str(raw)


def _shown(raw: Scalar) -> str:
    text = as_text(raw)
    return f"'{text}'" if len(text) <= _SHOWN else f"'{text[:_SHOWN]}…'"


# ------------------------------------------------------------------ reading


def read_text(raw: Scalar) -> str | None:
    return (raw if isinstance(raw, str) else as_text(raw)).strip() or None


def read_bool(raw: Scalar) -> bool:
    if isinstance(raw, bool):
        return raw
    word = as_text(raw).strip().lower()
    if word not in ("true", "false"):
        raise ValueError(f"found {_shown(raw)}, wanted true or false")
    return word == "true"


def read_decimal(raw: Scalar) -> Decimal:
    if isinstance(raw, bool):
        raise ValueError("found a yes/no value, wanted a number")
    return _decimal(raw if isinstance(raw, str) else repr(raw))


@lru_cache(maxsize=_CACHE)
def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(f"found {_shown(text)}, wanted a number") from None
    if not number.is_finite() or number.adjusted() > _MAX_DIGITS:
        raise ValueError(f"found {_shown(text)}, wanted a number of at most {_MAX_DIGITS} digits")
    return _shortest(number)


def _shortest(number: Decimal) -> Decimal:
    """One number, one form: without trailing zeros, an exponent, or a minus before zero."""
    return Decimal(int(number)) if number == number.to_integral_value() else number.normalize()


def read_int(raw: Scalar) -> int:
    number = read_decimal(raw)
    if number != number.to_integral_value():
        raise ValueError(f"found {_shown(raw)}, wanted a whole number")
    return int(number)


def read_date(raw: Scalar) -> date:
    """A date; an instant gives its date in UTC, which is what HubSpot means by a date property."""
    return _date(raw if isinstance(raw, str) else as_text(raw))


@lru_cache(maxsize=_CACHE)
def _date(text: str) -> date:
    text = text.strip()
    if len(text) == 10 and text[4] == "-":
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ValueError(f"found {_shown(text)}, wanted a date such as 2026-01-31") from None
    return _instant(text).date()


def read_instant(raw: Scalar) -> datetime:
    """An aware UTC instant; text without a zone is taken as UTC."""
    return _instant(raw if isinstance(raw, str) else as_text(raw))


@lru_cache(maxsize=_CACHE)
def _instant(text: str) -> datetime:
    text = text.strip()
    if text.removeprefix("-").isdecimal() and len(text) != 8:  # eight digits are a date to ISO 8601, not milliseconds
        return _from_milliseconds(text)
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"found {_shown(text)}, wanted a time such as 2026-01-31T09:00:00Z") from None


def _from_milliseconds(text: str) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=int(text))
    except (ValueError, OverflowError):
        raise ValueError(f"found {_shown(text)}, wanted milliseconds since 1970") from None


def list_reader(separator: str) -> ReadValue:
    """Reads a list as a set: sorted, without doubles or blanks, because the CRMs keep their own order."""
    mark = separator.strip() or separator

    @lru_cache(maxsize=_CACHE)
    def split(text: str) -> tuple[str, ...]:
        return tuple(sorted({item.strip() for item in text.split(mark)} - {""}))

    return lambda raw: split(raw if isinstance(raw, str) else as_text(raw))


READERS: Mapping[str, ReadValue] = MappingProxyType(
    {
        "text": read_text,
        "int": read_int,
        "bool": read_bool,
        "decimal": read_decimal,
        "date": read_date,
        "instant": read_instant,
    }
)
"""By canonical type; lists need their separator."""


def option_reader(options: tuple[str, ...]) -> ReadValue:
    """Reads an enum that the CRM keeps by its canonical values, whatever their case."""
    known = {option: option for option in options} | {option.casefold(): option for option in options}

    def read_option(raw: Scalar) -> str:
        if isinstance(raw, str) and (found := known.get(raw)) is not None:
            return found
        text = as_text(raw).strip()
        found = known.get(text) or known.get(text.casefold())
        if found is None:
            raise ValueError(f"found {_shown(text)}, wanted one of: {', '.join(options)}")
        return found

    return read_option


_UNKNOWN = object()


def map_reader(
    values: Mapping[str, Value], *, other: Value | object = _UNKNOWN, then: ReadValue | None = None
) -> ReadValue:
    """Reads by a value map. What it does not list is ``other``, or read by ``then``, or refused."""

    def read_mapped(raw: Scalar) -> Value:
        text = raw if isinstance(raw, str) and raw in values else as_text(raw).strip()
        if text in values:
            return values[text]
        if other is not _UNKNOWN:
            return other  # type: ignore[return-value] # a value, once it is not the mark
        if then is not None:
            return then(raw)
        raise ValueError(f"found {_shown(text)}, which has no row under 'values'")

    return read_mapped


# ------------------------------------------------------------------ writing


def write_text(value: Value) -> Scalar:
    return str(value)


def write_native_bool(value: Value) -> Scalar:
    return bool(value)


def write_native_number(value: Value) -> Scalar:
    number = Decimal(str(value))
    return int(number) if number == number.to_integral_value() else float(number)


def write_plain_bool(value: Value) -> Scalar:
    return "true" if value else "false"


def write_plain_number(value: Value) -> Scalar:
    return format(_shortest(Decimal(str(value))), "f")


def write_date(value: Value) -> Scalar:
    if isinstance(value, datetime):
        return value.astimezone(UTC).date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def write_salesforce_instant(value: Value) -> Scalar:
    """As Salesforce will send it back: whole seconds, offset without a colon."""
    return f"{_seconds(value)}.000+0000"


def write_hubspot_instant(value: Value) -> Scalar:
    return f"{_seconds(value)}Z"


def _seconds(value: Value) -> str:
    if not isinstance(value, datetime):
        raise ValueError(f"{_shown(str(value))} is not an instant")
    return value.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()


def list_writer(separator: str) -> WriteValue:
    mark = separator.strip() or separator

    def write_list(value: Value) -> Scalar:
        items = value if isinstance(value, tuple) else (str(value),)
        for item in items:
            if mark in item:
                raise ValueError(f"'{item}' contains '{mark}', which separates the items of this field")
        return separator.join(sorted(set(items)))

    return write_list


WRITERS: Mapping[str, Mapping[str, WriteValue]] = MappingProxyType(
    {
        "salesforce": {
            "text": write_text,
            "int": write_native_number,
            "bool": write_native_bool,
            "decimal": write_native_number,
            "date": write_date,
            "instant": write_salesforce_instant,
        },
        "hubspot": {
            "text": write_text,
            "int": write_plain_number,
            "bool": write_plain_bool,
            "decimal": write_plain_number,
            "date": write_date,
            "instant": write_hubspot_instant,
        },
    }
)
"""By system and canonical type; lists need their separator."""


def map_writer(values: Mapping[Value, str], then: WriteValue | None = None) -> WriteValue:
    """Writes by a value map turned round; without ``then``, a value that no CRM value stands for is refused."""

    def write_mapped(value: Value) -> Scalar:
        if value in values:
            return values[value]
        if then is not None:
            return then(value)
        raise ValueError(f"no CRM value stands for '{value}'")

    return write_mapped


def limit_writer(write: WriteValue, length: int, *, cut: bool) -> WriteValue:
    """Refuses, or cuts, text that is longer than the CRM's field."""

    def write_limited(value: Value) -> Scalar:
        raw = write(value)
        if not isinstance(raw, str) or len(raw) <= length:
            return raw
        if not cut:
            raise ValueError(f"has {len(raw)} characters, the field holds {length}")
        return raw[: length - 1].rstrip() + "…" if length > 1 else raw[:length]

    return write_limited


def chain(first: Callable[[Scalar], Scalar], then: ReadValue) -> ReadValue:
    """``then`` after ``first``; where ``first`` leaves nothing, the value is blank."""

    def read_chained(raw: Scalar) -> Value:
        changed = first(raw)
        return None if changed is None or changed == "" else then(changed)

    return read_chained
