"""What a SOQL statement says. Names keep their place in the text, for the caret in error messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lark import Token


@dataclass(frozen=True, slots=True)
class FieldRef:
    path: Token

    @property
    def place(self) -> Token:
        return self.path


@dataclass(frozen=True, slots=True)
class Function:
    name: Token
    args: tuple[Operand, ...]

    @property
    def place(self) -> Token:
        return self.name


Operand: TypeAlias = FieldRef | Function


@dataclass(frozen=True, slots=True)
class Literal:
    """``kind`` is the terminal's name: STRING, NUMBER, CURRENCY, DATE, DATETIME, PERIOD, TRUE, FALSE, NULL."""

    kind: str
    token: Token


@dataclass(frozen=True, slots=True)
class Comparison:
    operand: Operand
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class InList:
    operand: Operand
    values: tuple[Literal, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class InQuery:
    operand: Operand
    query: Query
    negated: bool


@dataclass(frozen=True, slots=True)
class MultiSelect:
    operand: Operand
    values: tuple[Literal, ...]
    excludes: bool


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


Condition: TypeAlias = Comparison | InList | InQuery | MultiSelect | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Item:
    operand: Operand
    alias: Token | None


@dataclass(frozen=True, slots=True)
class ChildQuery:
    query: Query


@dataclass(frozen=True, slots=True)
class OrderItem:
    operand: Operand
    descending: bool
    nulls_last: bool


@dataclass(slots=True)
class Query:
    items: tuple[Item | ChildQuery, ...]
    source: Token
    alias: str = ""
    where: Condition | None = None
    group: tuple[Operand, ...] = ()
    having: Condition | None = None
    order: tuple[OrderItem, ...] = ()
    limit: int | None = None
    offset: int = 0
    all_rows: bool = False
    extra: dict[str, Any] = field(default_factory=dict)
