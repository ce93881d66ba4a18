"""WHERE and HAVING to SQL. SOQL knows true and false only, so nothing may come out as SQL's unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from crmsync.sandbox.salesforce.ids import is_id_shaped, to_18
from crmsync.sandbox.salesforce.schema import NUMBER_TYPES
from crmsync.sandbox.salesforce.soql.ast import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    FieldRef,
    InList,
    InQuery,
    Literal,
    MultiSelect,
    Not,
    Operand,
)
from crmsync.sandbox.salesforce.soql.expressions import Expression
from crmsync.sandbox.salesforce.soql.parser import operand_text, string_value
from crmsync.sandbox.salesforce.soql.periods import period
from crmsync.sandbox.salesforce.soql.scope import Context, Scope
from crmsync.sandbox.salesforce.values import parse_datetime, stamp

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.soql.ast import Query

Compiled = tuple[str, list[Any]]
_RANGES = {"=": "({x} >= ? AND {x} < ?)", "!=": "({x} IS NULL OR {x} < ? OR {x} >= ?)"}
_EDGES = {"<": ("<", 0), "<=": ("<", 1), ">": (">=", 1), ">=": (">=", 0)}


@dataclass(slots=True)
class Conditions:
    """Compiles conditions within one scope. ``inner`` compiles the query of a semi-join."""

    scope: Scope
    expression: Callable[[Operand], Expression]
    inner: Callable[[Query], Compiled]
    aggregates: bool = False
    wrap: bool = field(default=False)
    """Inside NOT every comparison is made two-valued; outside, SQL's unknown already filters as false."""

    @property
    def context(self) -> Context:
        return self.scope.context

    def compile(self, condition: Condition) -> Compiled:
        if isinstance(condition, (AllOf, AnyOf)):
            word = " AND " if isinstance(condition, AllOf) else " OR "
            parts = [self.compile(part) for part in condition.parts]
            return _balanced([sql for sql, _ in parts], word), [value for _, values in parts for value in values]
        if isinstance(condition, Not):
            sql, values = replace(self, wrap=True).compile(condition.part)
            return f"NOT {sql}", values
        sql, values = self._leaf(condition)
        return (f"COALESCE({sql}, 0)" if self.wrap else f"({sql})"), values

    def _leaf(self, condition: Comparison | InList | InQuery | MultiSelect) -> Compiled:
        expression = self.expression(condition.operand)
        self._check_filterable(condition.operand, expression)
        if isinstance(condition, Comparison):
            return self._comparison(condition, expression)
        if isinstance(condition, InList):
            return self._in_list(condition, expression)
        if isinstance(condition, InQuery):
            sql, values = self.inner(condition.query)
            negated = f"{expression.sql} IS NULL OR {expression.sql} NOT" if condition.negated else expression.sql
            return f"{negated} IN ({sql})", values
        return self._multi(condition, expression)

    def _check_filterable(self, operand: Operand, expression: Expression) -> None:
        if expression.aggregate and not self.aggregates:
            raise self.context.problem("MALFORMED_QUERY", "Aggregates are for HAVING, not for WHERE", operand.place)
        item = expression.field
        if isinstance(operand, FieldRef) and item and (item.type == "address" or not item.describe["filterable"]):
            message = f"field '{item.name}' can not be filtered in a query call"
            raise self.context.problem("INVALID_FIELD", message, operand.place)

    # ---------------------------------------------------------------- comparisons

    def _comparison(self, condition: Comparison, expression: Expression) -> Compiled:
        x, operator, literal = expression.sql, condition.operator, condition.value
        if literal.kind == "PERIOD":
            return self._period(condition, expression)
        if operator == "LIKE":
            return self._like(condition, expression)
        value = self._value(literal, condition.operand, expression)
        if expression.type == "boolean":
            x = f"COALESCE({x}, 0)"
        if isinstance(value, str):
            x, value = self._folded(expression, value)
        if operator == "=":
            return f"{x} IS ?", [value]
        if operator == "!=":
            return f"{x} IS NOT ?", [value]
        if expression.type == "boolean" or value is None:
            raise self._bad_operator(condition.operand, "invalid operator on this field type or null")
        return f"{x} {operator} ?", [value]

    def _like(self, condition: Comparison, expression: Expression) -> Compiled:
        if (expression.field is not None and not expression.field.is_text) or condition.value.kind != "STRING":
            raise self._bad_operator(condition.operand, f"invalid operator on {expression.type} field")
        pattern = string_value(self.context.text, condition.value.token, for_like=True)
        x, pattern = self._folded(expression, pattern)
        return f"{x} LIKE ? ESCAPE '\\'", [pattern]

    @staticmethod
    def _folded(expression: Expression, value: str) -> tuple[str, str]:
        """Case means nothing, beyond ASCII too, which SQLite alone does not know."""
        if value.isascii() or (expression.field is not None and expression.field.describe["caseSensitive"]):
            return expression.sql, value
        return f"CASEFOLD({expression.sql})", value.casefold()

    def _period(self, condition: Comparison, expression: Expression) -> Compiled:
        token = condition.value.token
        try:
            found = period(str(token), self.context.now.date())
        except (OverflowError, ValueError):
            message = f"The number in {token} is out of range"
            raise self.context.problem("NUMBER_OUTSIDE_VALID_RANGE", message, token) from None
        if found is None:
            raise self.context.problem("MALFORMED_QUERY", f"unexpected token: '{token}'", token)
        if expression.type not in ("date", "datetime"):
            raise self._wrong_literal(condition.operand, expression)
        edges = [_edge(day, expression.type) for day in found]
        if condition.operator in _RANGES:
            return _RANGES[condition.operator].format(x=expression.sql), edges
        operator, index = _EDGES[condition.operator]
        return f"{expression.sql} {operator} ?", [edges[index]]

    def _in_list(self, condition: InList, expression: Expression) -> Compiled:
        values = [self._value(literal, condition.operand, expression) for literal in condition.values]
        solid = [value for value in values if value is not None]
        has_null = len(solid) < len(values)
        x, marks = expression.sql, ", ".join("?" * len(solid))
        if any(isinstance(value, str) and not value.isascii() for value in solid):
            x, solid = f"CASEFOLD({x})", [str(value).casefold() for value in solid]
        if condition.negated:
            nulls = f"{x} IS NOT NULL AND" if has_null else f"{x} IS NULL OR"
            return f"{nulls} {x} NOT IN ({marks})", solid
        return f"{x} IN ({marks})" + (f" OR {x} IS NULL" if has_null else ""), solid

    def _multi(self, condition: MultiSelect, expression: Expression) -> Compiled:
        if expression.type != "multipicklist":
            raise self._bad_operator(
                condition.operand, "includes or excludes operator only valid on multipicklist field"
            )
        alternatives, values = [], []
        for literal in condition.values:
            wanted = str(self._value(literal, condition.operand, expression) or "").split(";")
            alternatives.append(
                "(" + " AND ".join([f"INSTR(';' || CASEFOLD({expression.sql}) || ';', ?) > 0"] * len(wanted)) + ")"
            )
            values += [f";{one.strip().casefold()};" for one in wanted]
        sql = "(" + " OR ".join(alternatives) + ")"
        return (f"{expression.sql} IS NULL OR NOT {sql}" if condition.excludes else sql), values

    # ---------------------------------------------------------------- literals

    def _value(self, literal: Literal, operand: Operand, expression: Expression) -> Any:
        if literal.kind == "NULL":
            return None
        read = _READERS.get(_family(expression.type))
        value = read(self.context.text, literal) if read else None
        if value is None:
            raise self._wrong_literal(operand, expression)
        if _family(expression.type) == "id":
            return self._id(value, operand)
        return value or None if isinstance(value, str) else value

    def _id(self, value: str, operand: Operand) -> str | None:
        """An id of the right form that cannot exist finds nothing (recorded); one of a wrong form is an error."""
        record_id = to_18(value) if value else None
        if value and record_id is None and not is_id_shaped(value):
            raise self.context.problem("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {value}", operand.place)
        return record_id or value or None

    def _wrong_literal(self, operand: Operand, expression: Expression) -> Exception:
        kind = {"datetime": "dateTime", "currency": "double", "percent": "double"}.get(expression.type, expression.type)
        quoted = (
            "should be enclosed in quotes"
            if _family(expression.type) in ("text", "id")
            else "should not be enclosed in quotes"
        )
        kind = "string" if _family(expression.type) in ("text", "id") else kind
        message = f"value of filter criterion for field '{operand_text(operand)}' must be of type {kind} and {quoted}"
        return self.context.problem("INVALID_FIELD", message, operand.place)

    def _bad_operator(self, operand: Operand, message: str) -> Exception:
        return self.context.problem("INVALID_QUERY_FILTER_OPERATOR", message, operand.place)


def _balanced(parts: list[str], word: str) -> str:
    """A long chain as a tree: SQLite allows an expression to be 1,000 deep, not 1,000 long."""
    if len(parts) <= 8:
        return f"({word.join(parts)})"
    middle = len(parts) // 2
    return f"({_balanced(parts[:middle], word)}{word}{_balanced(parts[middle:], word)})"


def _edge(day: date, type_: str) -> str:
    return day.isoformat() if type_ == "date" else stamp(datetime.combine(day, time(), UTC))


def _family(type_: str) -> str:
    if type_ in NUMBER_TYPES:
        return "number"
    if type_ in ("id", "reference"):
        return "id"
    return type_ if type_ in ("boolean", "date", "datetime") else "text"


def _read_text(text: str, literal: Literal) -> str | None:
    return string_value(text, literal.token) if literal.kind == "STRING" else None


def _read_number(_: str, literal: Literal) -> float | None:
    if literal.kind == "CURRENCY":
        return float(literal.token[3:])
    return float(literal.token) if literal.kind == "NUMBER" else None


def _read_boolean(_: str, literal: Literal) -> int | None:
    return {"TRUE": 1, "FALSE": 0}.get(literal.kind)


def _read_date(_: str, literal: Literal) -> str | None:
    try:
        return date.fromisoformat(literal.token).isoformat() if literal.kind == "DATE" else None
    except ValueError:
        return None


def _read_datetime(_: str, literal: Literal) -> str | None:
    parsed = parse_datetime(str(literal.token).upper()) if literal.kind == "DATETIME" else None
    return stamp(parsed) if parsed else None


_READERS: dict[str, Callable[[str, Literal], Any]] = {
    "text": _read_text, "id": _read_text, "number": _read_number, "boolean": _read_boolean, "date": _read_date,
    "datetime": _read_datetime,
}  # fmt: skip
