"""From tree to closures, types checked on the way. What comes out never raises and always ends."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Context, Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from crmsync.rules.expressions.closures import (
    always,
    blank,
    both,
    calls,
    calls_with_blanks,
    compare,
    either,
    in_constants,
    in_list,
    reckon,
)
from crmsync.rules.expressions.functions import FUNCTIONS, Function
from crmsync.rules.expressions.lexer import ExpressionError
from crmsync.rules.expressions.parser import Binary, Call, Items, Literal, Logic, Name, Node, Unary, parse, suggest
from crmsync.rules.expressions.scope import Names, Reader, Scope, type_name

_CALM = Context(prec=34, traps=[])
"""Decimal arithmetic that answers NaN instead of raising."""

_ORDERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: Mapping[str, Callable[[Any, Any], Decimal]] = {
    "+": _CALM.add,
    "-": _CALM.subtract,
    "*": _CALM.multiply,
    "/": _CALM.divide,
}
_WORDS = {"bool": "yes or no", "instant": "a time", "date": "a date", "list": "a list", "number": "a number"}


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked condition, ready to run. ``uses_today``: its answer can change at midnight."""

    text: str
    holds: Callable[[Scope], bool]
    uses_today: bool
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Typed:
    type: str
    read: Reader
    node: Node
    options: tuple[str, ...] = ()
    literal: bool = False


def compile_expression(text: str, names: Names, zone: ZoneInfo) -> Expression:
    """Check and compile one condition.

    :raises ExpressionError: with the offsets of what is wrong.
    """
    compiler = _Compiler(names, zone)
    root = compiler.visit(parse(text))
    read = compiler.condition(root).read

    def holds(scope: Scope) -> bool:
        return bool(read(scope))

    return Expression(text, holds, "today" in compiler.used, frozenset(compiler.used))


class _Compiler:
    def __init__(self, names: Names, zone: ZoneInfo) -> None:
        self.names = names
        self.zone = zone
        self.used: set[str] = set()

    def visit(self, node: Node) -> _Typed:
        match node:
            case Literal():
                return _constant(node, node.value)
            case Items():
                return _Typed("list", always(tuple(item.value for item in node.values)), node, literal=True)
            case Name():
                return self.name(node)
            case Call():
                return self.call(node)
            case Unary():
                return self.unary(node)
            case Logic():
                return self.logic(node)
            case Binary(operator="in" | "not in"):
                return self.membership(node)
            case Binary(operator="+" | "-" | "*" | "/"):
                return self.arithmetic(node)
            case Binary():
                return self.comparison(node)

    def condition(self, typed: _Typed) -> _Typed:
        if typed.type != "bool":
            message = f"wanted a condition, found {_shown(typed)}"
            raise _error(typed.node, message, "compare it with something")
        return typed

    # ------------------------------------------------------------ names and calls

    def name(self, node: Name) -> _Typed:
        kind = self.names.types.get(node.path)
        if node.path in self.names.hidden:
            raise _error(
                node,
                f"'{node.path}' is decided by crmsync, this rule comes before it",
                "ask for a field that people fill",
                "E210",
            )
        if kind is None:
            hint = suggest(node.path, list(self.names.types), "put text in quotes")
            message = f"unknown field '{node.path}' in a condition on a {self.names.root}"
            raise _error(node, message, hint, "E210")
        self.used.add(node.path)
        return _Typed(type_name(kind), self.names.readers[node.path], node, kind.options)

    def call(self, node: Call) -> _Typed:
        function = FUNCTIONS.get(node.function)
        if function is None:
            hint = suggest(node.function, list(FUNCTIONS), f"functions: {', '.join(FUNCTIONS)}")
            message = f"unknown function '{node.function}'"
            raise ExpressionError(message, node.start, node.start + len(node.function), hint=hint, code="E210")
        arguments = [self.visit(argument) for argument in node.arguments]
        takes = _arguments_of(function, node, len(arguments))
        for argument, types in zip(arguments, takes, strict=True):
            if argument.type not in types:
                wanted = " or ".join(_WORDS.get(name, name) for name in types)
                raise _error(argument.node, f"found {_shown(argument)}, wanted {wanted}", _example(function))
        if node.function == "is_blank":
            return _Typed("bool", blank(arguments[0].read, arguments[0].type), node)
        gives = function.gives
        if gives == "same":
            gives = self.same_type(arguments)
        return _Typed(gives, self.calling(function, [argument.read for argument in arguments]), node)

    def same_type(self, arguments: list[_Typed]) -> str:
        for argument in arguments[1:]:
            if argument.type != arguments[0].type:
                message = f"found {_shown(argument)} beside {_shown(arguments[0])}"
                raise _error(argument.node, message, "give values of one type")
        return arguments[0].type

    def calling(self, function: Function, readers: list[Reader]) -> Reader:
        run, sees_blank = function.run, function.sees_blank
        if function.needs_zone:
            run = partial(run, self.zone)

        return calls_with_blanks(run, readers) if sees_blank else calls(run, readers)

    # ------------------------------------------------------------ logic

    def unary(self, node: Unary) -> _Typed:
        operand = self.visit(node.operand)
        read = operand.read
        if node.operator == "not":
            self.condition(operand)
            return _Typed("bool", lambda scope: not read(scope), node)
        if operand.type != "number":
            raise _error(node.operand, f"found {_shown(operand)}, wanted a number", "remove the '-'")
        return _Typed("number", reckon(_ARITHMETIC["-"], always(0), read), node)

    def logic(self, node: Logic) -> _Typed:
        readers = [self.condition(self.visit(operand)).read for operand in node.operands]
        return _Typed("bool", both(readers) if node.operator == "and" else either(readers), node)

    # ------------------------------------------------------------ values

    def arithmetic(self, node: Binary) -> _Typed:
        sides = (self.visit(node.left), self.visit(node.right))
        for side in sides:
            if side.type != "number":
                hint = (
                    "use days_between(a, b)"
                    if side.type in ("date", "instant")
                    else "only numbers can be reckoned with"
                )
                raise _error(side.node, f"found {_shown(side)}, wanted a number", hint)
        return _Typed("number", reckon(_ARITHMETIC[node.operator], sides[0].read, sides[1].read), node)

    def comparison(self, node: Binary) -> _Typed:
        left, right = self.agree(self.visit(node.left), self.visit(node.right))
        if left.type != right.type:
            hint = _mixed_hint(left, right)
            raise _error(node, f"cannot compare {_shown(left)} with {_shown(right)}", hint)
        if left.type == "list":
            raise _error(node, "lists cannot be compared", 'use any_of(a, b), or "x" in a')
        if node.operator not in ("==", "!=") and left.type in ("text", "bool"):
            raise _error(node, f"{_shown(left)} has no order", "use '==', '!=' or 'in [...]'")
        self.check_options(left, right)
        self.check_options(right, left)
        return _Typed("bool", compare(_ORDERS[node.operator], left.read, right.read, constant=right.literal), node)

    def agree(self, left: _Typed, right: _Typed) -> tuple[_Typed, _Typed]:
        """A text literal beside a date or a time is one."""
        if right.literal and right.type == "text" and left.type in ("date", "instant"):
            return left, self.dated(right, left.type)
        if left.literal and left.type == "text" and right.type in ("date", "instant"):
            return self.dated(left, right.type), right
        return left, right

    def dated(self, typed: _Typed, kind: str) -> _Typed:
        text = str(typed.node.value) if isinstance(typed.node, Literal) else ""
        try:
            day = date.fromisoformat(text) if len(text) == 10 else None
            if kind == "date" and day is None:
                raise ValueError
            moment = datetime.combine(day, time(), self.zone) if day else datetime.fromisoformat(text)
        except ValueError:
            wanted = 'a date such as "2026-01-31"' + ("" if kind == "date" else " or a time with its zone")
            raise _error(typed.node, f"found '{text}', wanted {wanted}", "year-month-day") from None
        if moment.tzinfo is None:
            raise _error(typed.node, f"the time '{text}' has no zone", "end it with Z or +01:00")
        return _Typed(kind, always(day if kind == "date" else moment), typed.node, literal=True)

    def membership(self, node: Binary) -> _Typed:
        left, right = self.visit(node.left), self.visit(node.right)
        if right.type != "list":
            hint = "use contains(text, part)" if right.type == "text" else 'write in ["a", "b"]'
            raise _error(node.right, f"found {_shown(right)} after '{node.operator}', wanted a list", hint)
        if isinstance(right.node, Items):
            self.check_items(left, right.node)
            found = in_constants(left.read, frozenset(item.value for item in right.node.values))
        elif left.type != "text":
            raise _error(node.left, f"found {_shown(left)}, wanted text", "lists of a record hold text")
        else:
            found = in_list(left.read, right.read)
        if node.operator == "in":
            return _Typed("bool", found, node)
        read = left.read
        return _Typed("bool", lambda scope: read(scope) is not None and not found(scope), node)

    def check_items(self, left: _Typed, items: Items) -> None:
        for item in items.values:
            typed = _constant(item, item.value)
            if typed.type != left.type:
                raise _error(item, f"cannot compare {_shown(left)} with {_shown(typed)}", _mixed_hint(left, typed))
            self.check_options(left, typed)

    def check_options(self, subject: _Typed, value: _Typed) -> None:
        """A literal beside an enum field must be one of its values."""
        if not subject.options or not isinstance(value.node, Literal):
            return
        found = str(value.node.value)
        if found not in subject.options:
            hint = suggest(found, list(subject.options), f"one of: {', '.join(subject.options)}")
            name = subject.node.path if isinstance(subject.node, Name) else "this field"
            raise _error(value.node, f"'{name}' is never '{found}'", hint, "E213")


def _error(node: Node, message: str, hint: str, code: str = "E211") -> ExpressionError:
    return ExpressionError(message, node.start, node.end, hint=hint, code=code)


def _constant(node: Node, value: Any) -> _Typed:
    kind = "bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
    return _Typed(kind, always(value), node, literal=True)


def _shown(typed: _Typed) -> str:
    words = _WORDS.get(typed.type, typed.type)
    return f"'{typed.node.path}' ({words})" if isinstance(typed.node, Name) else words


def _mixed_hint(left: _Typed, right: _Typed) -> str:
    types = {left.type, right.type}
    if types == {"text", "number"}:
        return "put the text in quotes, or remove the quotes of the number"
    if types == {"date", "instant"}:
        return "write day(...) around the time"
    return "compare values of one type"


def _example(function: Function) -> str:
    return f"for example: {function.example}"


def _arguments_of(function: Function, node: Call, count: int) -> list[tuple[str, ...]]:
    takes = list(function.takes)
    if function.many:
        takes += [takes[-1]] * (count - len(takes))
    if len(takes) != count:
        message = f"{node.function}() takes {len(takes)} values, found {count}"
        raise _error(node, message, _example(function))
    return takes
