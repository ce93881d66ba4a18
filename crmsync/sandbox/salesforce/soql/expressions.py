"""Operands to SQL: fields, aggregates, date parts, toLabel and convertCurrency."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crmsync.sandbox.salesforce.schema import NUMBER_TYPES, Field
from crmsync.sandbox.salesforce.soql.ast import FieldRef, Function, Operand
from crmsync.sandbox.salesforce.soql.scope import Column, Scope
from crmsync.sandbox.salesforce.store import quote

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
_DATE_PARTS = {
    "CALENDAR_YEAR": "CAST(STRFTIME('%Y', {x}) AS INTEGER)",
    "CALENDAR_QUARTER": "(CAST(STRFTIME('%m', {x}) AS INTEGER) + 2) / 3",
    "CALENDAR_MONTH": "CAST(STRFTIME('%m', {x}) AS INTEGER)",
    "DAY_IN_MONTH": "CAST(STRFTIME('%d', {x}) AS INTEGER)",
    "DAY_IN_WEEK": "CAST(STRFTIME('%w', {x}) AS INTEGER) + 1",
    "DAY_IN_YEAR": "CAST(STRFTIME('%j', {x}) AS INTEGER)",
    "WEEK_IN_YEAR": "(CAST(STRFTIME('%j', {x}) AS INTEGER) + 6) / 7",
    "HOUR_IN_DAY": "CAST(STRFTIME('%H', {x}) AS INTEGER)",
    "DAY_ONLY": "{x}",
}
_DATE_PARTS |= {f"FISCAL_{part}": _DATE_PARTS[f"CALENDAR_{part}"] for part in ("YEAR", "QUARTER", "MONTH")}
_DATE_PARTS["WEEK_IN_MONTH"] = "(CAST(STRFTIME('%d', {x}) AS INTEGER) + 6) / 7"
DATE_FUNCTIONS = frozenset(_DATE_PARTS)


@dataclass(frozen=True, slots=True)
class Expression:
    """``key`` is the name under which it comes back; ``convert`` turns what SQLite gives into JSON."""

    sql: str
    type: str
    key: str
    column: Column | None = None
    aggregate: bool = False
    convert: Callable[[Any], Any] | None = None

    @property
    def field(self) -> Field | None:
        """The field, where the operand is a plain field (or its label)."""
        return self.column.field if self.column else None


def compile_operand(scope: Scope, operand: Operand) -> Expression:
    if isinstance(operand, FieldRef):
        column = scope.column(operand.path)
        return Expression(column.sql, column.field.type, column.field.name, column)
    name = operand.name.upper()
    if name in AGGREGATES:
        return _aggregate(scope, operand, name)
    if name in _DATE_PARTS:
        return _date_part(scope, operand, name)
    if name in ("TOLABEL", "CONVERTCURRENCY", "CONVERTTIMEZONE"):
        return _wrapper(scope, operand, name)
    raise scope.context.problem("MALFORMED_QUERY", f"unexpected token: '{operand.name}'", operand.name)


def _argument(scope: Scope, function: Function) -> Operand:
    if len(function.args) != 1:
        raise scope.context.problem("MALFORMED_QUERY", f"{function.name} takes one field", function.name)
    return function.args[0]


def _aggregate(scope: Scope, function: Function, name: str) -> Expression:
    if name == "COUNT" and not function.args:
        return Expression("COUNT(*)", "int", "", aggregate=True)
    inner = compile_operand(scope, _argument(scope, function))
    if inner.aggregate:
        raise scope.context.problem("MALFORMED_QUERY", "Aggregates do not nest", function.name)
    countable = name == "COUNT" and inner.type != "address"
    if inner.field is not None and not inner.field.describe["aggregatable"] and not countable:
        message = f"field {inner.field.name} does not support aggregate operator {name}"
        raise scope.context.problem("MALFORMED_QUERY", message, function.name)
    if name in ("SUM", "AVG") and inner.type not in NUMBER_TYPES:
        message = f"field {inner.key} does not support aggregate operator {name}"
        raise scope.context.problem("MALFORMED_QUERY", message, function.name)
    sql = f"COUNT(DISTINCT {inner.sql})" if name == "COUNT_DISTINCT" else f"{name}({inner.sql})"
    type_ = "int" if name.startswith("COUNT") else "double" if name == "AVG" else inner.type
    return Expression(sql, type_, "", aggregate=True, convert=bool if type_ == "boolean" else None)


def _date_part(scope: Scope, function: Function, name: str) -> Expression:
    inner = compile_operand(scope, _argument(scope, function))
    if inner.type not in ("date", "datetime"):
        message = f"field {inner.key} does not support date function {name}"
        raise scope.context.problem("MALFORMED_QUERY", message, function.name)
    day = f"SUBSTR({inner.sql}, 1, 19)" if name == "HOUR_IN_DAY" else f"SUBSTR({inner.sql}, 1, 10)"
    return Expression(_DATE_PARTS[name].format(x=day), "date" if name == "DAY_ONLY" else "int", "")


def _wrapper(scope: Scope, function: Function, name: str) -> Expression:
    inner = compile_operand(scope, _argument(scope, function))
    if inner.type == "address":
        raise scope.context.problem("MALFORMED_QUERY", f"field {inner.key} does not support {name}", function.name)
    if name == "CONVERTTIMEZONE" or inner.column is None:
        return inner
    if name == "TOLABEL":
        return Expression(_label_sql(inner), inner.type, inner.key, inner.column)
    if not inner.column.sobject.has("CurrencyIsoCode"):
        return inner
    code = f"{inner.column.table}.{quote('CurrencyIsoCode')}"
    rate = f'(SELECT "ConversionRate" FROM "CurrencyType" WHERE "IsoCode" = {code})'
    return Expression(f"{inner.sql} / COALESCE({rate}, 1)", inner.type, inner.key, inner.column)


def _label_sql(inner: Expression) -> str:
    """The value's label where the picklist has one; several values of a multi-select stay as they are."""
    options = inner.column.field.describe["picklistValues"] if inner.column else []
    renamed = [option for option in options if option["label"] != option["value"]]
    if not renamed:
        return inner.sql
    whens = " ".join(f"WHEN {_text(option['value'])} THEN {_text(option['label'])}" for option in renamed)
    return f"CASE {inner.sql} {whens} ELSE {inner.sql} END"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
