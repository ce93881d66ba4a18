"""The closures that conditions are made of. None of them raises: what cannot be answered is blank, or false."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from crmsync.rules.expressions.scope import Reader, Scope

MISHAPS = (ArithmeticError, TypeError, ValueError)
"""What a comparison can raise on values that are not of their declared type."""


def always(value: Any) -> Reader:
    return lambda _scope: value


def both(left: Reader, right: Reader) -> Reader:
    return lambda scope: left(scope) and right(scope)


def either(left: Reader, right: Reader) -> Reader:
    return lambda scope: left(scope) or right(scope)


def reckon(operation: Callable[[Any, Any], Decimal], left: Reader, right: Reader) -> Reader:
    def run(scope: Scope) -> Decimal | None:
        a, b = left(scope), right(scope)
        if a is None or b is None:
            return None
        try:
            result = operation(a, b)
        except MISHAPS:
            return None
        return result if result.is_finite() else None

    return run


def compare(order: Callable[[Any, Any], Any], read: Reader, other: Reader, *, constant: bool) -> Reader:
    """``constant``: the right side is the same for every record and is read once."""
    if constant:
        fixed = other(Scope())

        def against_constant(scope: Scope) -> bool:
            value = read(scope)
            if value is None:
                return False
            try:
                return bool(order(value, fixed))
            except MISHAPS:
                return False

        return against_constant

    def against_value(scope: Scope) -> bool:
        a, b = read(scope), other(scope)
        if a is None or b is None:
            return False
        try:
            return bool(order(a, b))
        except MISHAPS:
            return False

    return against_value


def in_constants(read: Reader, constants: frozenset[Any]) -> Reader:
    def run(scope: Scope) -> bool:
        try:
            return read(scope) in constants
        except MISHAPS:
            return False

    return run


def in_list(read: Reader, items: Reader) -> Reader:
    def run(scope: Scope) -> bool:
        value = read(scope)
        return value is not None and value in (items(scope) or ())

    return run
