"""Fields of the admin's own, typed as the mapping types them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError

from crmsync.cases.model import RECORDS, Day, Instant
from crmsync.diagnostics import Diagnostic, did_you_mean
from crmsync.records import FieldType
from crmsync.yamlmodel import describe_value
from crmsync.yamlpos import Document, YamlPath

ExtraTypes = Mapping[str, Mapping[str, FieldType]]

_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {
    "text": TypeAdapter(str),
    "int": TypeAdapter(int),
    "bool": TypeAdapter(bool),
    "decimal": TypeAdapter(Decimal),
    "date": TypeAdapter(Day),
    "instant": TypeAdapter(Instant),
    "list": TypeAdapter(tuple[str, ...]),
}


def typed_extras(rows: Mapping[str, Any], types: ExtraTypes) -> Mapping[str, Any]:
    """The rows with every known ``extra`` as its type; what does not fit stays, see :func:`extra_problems`."""
    return {
        kind: {i: _typed_row(row, types.get(kind, {})) for i, row in given.items()} if kind in RECORDS else given
        for kind, given in rows.items()
    }


def _typed_row(row: Any, types: Mapping[str, FieldType]) -> Any:
    if not row or not row.get("extra"):
        return row
    return {**row, "extra": {name: _typed(value, types.get(name)) for name, value in row["extra"].items()}}


def _typed(value: Any, field_type: FieldType | None) -> Any:
    if value is None or field_type is None:
        return tuple(value) if isinstance(value, list) else value
    try:
        return _ADAPTERS[field_type.base].validate_python(value)
    except ValidationError:
        return value


def extra_problems(
    document: Document, path: YamlPath, rows: Mapping[str, Any], types: ExtraTypes
) -> Iterator[Diagnostic]:
    """Extra fields that the mapping does not have, or whose values are of another type."""
    for kind in RECORDS.keys() & rows.keys() & types.keys():
        for record_id, row in rows[kind].items():
            for name, value in ((row or {}).get("extra") or {}).items():
                place = (*path, kind, record_id, "extra", name)
                if name not in types[kind]:
                    hint = did_you_mean(name, types[kind]) or "the mapping lists them under 'extra'"
                    span = document.key_span(place)
                    yield Diagnostic("E102", f"the mapping has no extra field '{name}' of a {kind}", span, hint)
                elif not _fits(value, types[kind][name]):
                    message = f"found {describe_value(value)}, wanted {_wanted(types[kind][name])}"
                    yield Diagnostic("E105", message, document.span(place), "change the value")


def _fits(value: Any, field_type: FieldType) -> bool:
    if value is None:
        return True
    try:
        _ADAPTERS[field_type.base].validate_python(value)
    except ValidationError:
        return False
    return True


def _wanted(field_type: FieldType) -> str:
    words = {"bool": "true or false", "date": f"a date such as {date(2026, 1, 31)}", "list": "a list", "text": "text"}
    return words.get(field_type.base, "a time such as 2026-01-31T09:00" if field_type.base == "instant" else "a number")
