"""The closures that conditions are made of. None of them raises: what cannot be answered is blank, or false."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from crmsync.rules.expressions.scope import Reader, Scope

MISHAPS = (ArithmeticError, TypeError, ValueError)
"""What a comparison can raise on values that are not of their declared type."""


def always(value: Any) -> Reader:
    return lambda _scope: value


def both(readers: Sequence[Reader]) -> Reader:
    """Two at once: a chain of pairs would call itself through."""
    if len(readers) == 2:
        first, second = readers
        return lambda scope: first(scope) and second(scope)
    if len(readers) == 3:
        first, second, third = readers
        return lambda scope: first(scope) and second(scope) and third(scope)
    head, tail = readers[:2], both(readers[2:])
    first, second = head
    return lambda scope: first(scope) and second(scope) and tail(scope)


def either(readers: Sequence[Reader]) -> Reader:
    if len(readers) == 2:
        first, second = readers
        return lambda scope: first(scope) or second(scope)
    first, tail = readers[0], either(readers[1:])
    return lambda scope: first(scope) or tail(scope)


def blank(read: Reader, kind: str) -> Reader:
    """Whether a value is blank: numbers, dates and yes/no only by not being there."""
    if kind in ("text", "list"):
        return lambda scope: not read(scope)
    return lambda scope: read(scope) is None


def calls(run: Callable[..., Any], readers: Sequence[Reader]) -> Reader:
    """A function of values that are all there; blank where one is not."""
    if len(readers) == 1:
        (only,) = readers

        def call_one(scope: Scope) -> Any:
            value = only(scope)
            if value is None:
                return None
            try:
                return run(value)
            except (*MISHAPS, AttributeError):
                return None

        return call_one
    if len(readers) == 2:
        first, second = readers

        def call_two(scope: Scope) -> Any:
            a, b = first(scope), second(scope)
            if a is None or b is None:
                return None
            try:
                return run(a, b)
            except (*MISHAPS, AttributeError):
                return None

        return call_two

    def call(scope: Scope) -> Any:
        values = [read(scope) for read in readers]
        if None in values:
            return None
        try:
            return run(*values)
        except (*MISHAPS, AttributeError):
            return None

    return call


def calls_with_blanks(run: Callable[..., Any], readers: Sequence[Reader]) -> Reader:
    """A function that also takes blank values."""

    def call(scope: Scope) -> Any:
        try:
            return run(*[read(scope) for read in readers])
        except (*MISHAPS, AttributeError):
            return None

    return call


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


def _plain(value: Any) -> Any:
    """A whole number as such: it compares faster than a decimal, and alike."""
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value


def compare(order: Callable[[Any, Any], Any], read: Reader, other: Reader, *, constant: bool) -> Reader:
    """``constant``: the right side is the same for every record and is read once."""
    if constant:
        fixed = _plain(other(Scope()))

        def against_constant(scope: Scope) -> bool:
            value = read(scope)
            if value is None:
                return False
            try:
                return order(value, fixed)  # type: ignore[no-any-return]
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
