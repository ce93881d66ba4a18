"""Conditions, lengths and lists in words. What has no plain words stays code, in backticks."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from crmsync.rules.expressions.lexer import ExpressionError
from crmsync.rules.expressions.parser import Binary, Call, Items, Literal, Logic, Name, Node, Unary, parse
from crmsync.rules.policy import Length

_COMPARED = {
    "==": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
}


def condition(text: str) -> str:
    """``stage == "proposal" and not is_blank(partner_id)``: stage is proposal and partner is filled."""
    try:
        words = _words(parse(text))
    except ExpressionError:
        words = None
    return words or f"`{text}`"


def _words(node: Node) -> str | None:
    match node:
        case Logic():
            return _logic(node)
        case Unary(operator="not", operand=Call(function="is_blank", arguments=(Name(path=path),))):
            return f"{field(path)} is filled"
        case Call(function="is_blank", arguments=(Name(path=path),)):
            return f"{field(path)} is blank"
        case Unary(operator="not", operand=Name(path=path)):
            return f"{field(path)} does not hold"
        case Name(path=path):
            return f"{field(path)} holds"
        case Unary(operator="not", operand=Call(function="contains", arguments=(inner, Literal() as value))):
            return _joined_to(inner, "does not contain", _value(value))
        case Call(function="contains", arguments=(inner, Literal() as value)):
            return _joined_to(inner, "contains", _value(value))
        case Call(function="any_of", arguments=(inner, Items(values=values))):
            return _joined_to(inner, "include", alternatives(map(_value, values)))
        case Binary(operator="in" | "not in" as operator, left=Literal() as value, right=inner):
            return _joined_to(inner, f"{'do not ' * operator.startswith('not')}include", _value(value))
        case Binary(operator="in" | "not in" as operator, left=inner, right=Items(values=values)):
            verb = "is not" if operator.startswith("not") else "is"
            return _joined_to(inner, verb, alternatives(map(_value, values)))
        case Binary(operator=operator, left=inner, right=other) if operator in _COMPARED:
            return _joined_to(inner, _COMPARED[operator], _object(other))
    return None


def _joined_to(subject: Node, verb: str, words: str | None) -> str | None:
    name = _subject(subject)
    return f"{name} {verb} {words}" if name and words else None


def _object(node: Node) -> str | None:
    return _value(node) if isinstance(node, Literal) else _subject(node)


def _subject(node: Node) -> str | None:
    """A field, also where only its spelling or its day is looked at."""
    match node:
        case Name(path=path):
            return field(path)
        case Call(function="lower" | "trim", arguments=(inner,)):
            return _subject(inner)
        case Call(function="day", arguments=(inner,)):
            name = _subject(inner)
            return name and f"the day of {name}"
        case Call(function="coalesce", arguments=(inner, Literal(value=""))):
            return _subject(inner)
    return None


def _logic(node: Logic) -> str | None:
    parts = [_words(operand) for operand in node.operands]
    if None in parts:
        return None
    told = [
        f"({part})" if isinstance(operand, Logic) else str(part)
        for part, operand in zip(parts, node.operands, strict=True)
    ]
    return f" {node.operator} ".join(told)


def _value(value: Literal) -> str:
    if isinstance(value.value, bool):
        return "yes" if value.value else "no"
    return number(value.value) if isinstance(value.value, int | Decimal) else plain(value.value)


def field(path: str) -> str:
    """``partner.type``: the partner's type."""
    *owners, name = path.split(".")
    words = _NAMES.get(name) or name.removesuffix("_id").removeprefix("is_").replace("_", " ")
    return f"the {owners[0]}'s {words}" if owners else f"the {words}"


_NAMES = {
    "amount_corporate": "amount in corporate currency",
    "units": "number of units",
}


def percent(share: Decimal) -> str:
    return f"{share.normalize():f} %"


def plain(text: str) -> str:
    """An enum's value as people say it."""
    return text.replace("_", " ")


def number(value: int | Decimal) -> str:
    return f"{value:,}"


def amount_of(value: int, unit: str) -> str:
    """``1 month``, ``90 days``."""
    name = plain(unit).removesuffix("s") if value == 1 else plain(unit)
    return f"{value:,} {name}"


def length(given: Length | None) -> str:
    return "without end" if given is None else amount_of(given.value, given.unit)


def alternatives(items: Iterable[str]) -> str:
    """``a, b or c``"""
    return _joined(items, "or")


def listed(items: Iterable[str]) -> str:
    """``a, b and c``"""
    return _joined(items, "and")


def _joined(items: Iterable[str], word: str) -> str:
    *first, last = list(items) or ["nothing"]
    return f"{', '.join(first)} {word} {last}" if first else last


def day_count(days: int) -> str:
    return amount_of(days, "days")
