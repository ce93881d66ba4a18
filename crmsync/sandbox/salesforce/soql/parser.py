"""From text to :mod:`ast`. Parsed statements are kept: a sync asks the same few again and again."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedEOF, UnexpectedToken
from lark.exceptions import UnexpectedInput

from crmsync.sandbox.salesforce.errors import SalesforceError
from crmsync.sandbox.salesforce.soql.ast import (
    AllOf,
    AnyOf,
    ChildQuery,
    Comparison,
    Condition,
    FieldRef,
    Function,
    InList,
    InQuery,
    Item,
    Literal,
    MultiSelect,
    Not,
    Operand,
    OrderItem,
    Query,
)
from crmsync.sandbox.salesforce.soql.problems import query_error

MAX_LENGTH = 100_000
_LARGEST = 2**63 - 1
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "\\": "\\", "'": "'", '"': '"'}


class _Clause:
    """A named clause on its way up the tree."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: Any) -> None:
        self.name, self.value = name, value


class _Build(Transformer[Token, Any]):
    """Called by the parser for each rule as it is recognised."""

    def field(self, children: list[Any]) -> FieldRef:
        return FieldRef(children[0])

    def function(self, children: list[Any]) -> Function:
        return Function(children[0], tuple(child for child in children[1:] if child is not None))

    def plain_item(self, children: list[Any]) -> Item:
        return Item(children[0], children[1])

    def child_query(self, children: list[Any]) -> ChildQuery:
        return ChildQuery(children[0])

    def select_list(self, children: list[Any]) -> list[Any]:
        return children

    def source(self, children: list[Any]) -> tuple[Token, str]:
        names = [child for child in children if child is not None]
        return names[0], str(names[1]) if len(names) > 1 else ""

    def where(self, children: list[Any]) -> _Clause:
        return _Clause("where", children[0])

    def having(self, children: list[Any]) -> _Clause:
        return _Clause("having", children[0])

    def group(self, children: list[Any]) -> _Clause:
        return _Clause("group", tuple(children))

    def order(self, children: list[Any]) -> _Clause:
        return _Clause("order", tuple(children))

    def order_item(self, children: list[Any]) -> OrderItem:
        kinds = {child.type for child in children[1:] if child is not None}
        return OrderItem(children[0], "DESC" in kinds, "LAST" in kinds)

    def limit(self, children: list[Any]) -> _Clause:
        return _Clause("limit", _whole(children[0]))

    def offset(self, children: list[Any]) -> _Clause:
        return _Clause("offset", _whole(children[0]))

    def use(self, children: list[Any]) -> _Clause:
        return _Clause("all_rows", True) if not children else _Clause("extra", {"for": str(children[0])})

    def scope(self, children: list[Any]) -> _Clause:
        return _Clause("extra", {"scope": str(children[0])})

    def with_(self, children: list[Any]) -> _Clause:
        return _Clause("extra", {"with": str(children[0])})

    def all_of(self, children: list[Any]) -> AllOf:
        return AllOf(tuple(children))

    def any_of(self, children: list[Any]) -> AnyOf:
        return AnyOf(tuple(children))

    def negation(self, children: list[Condition]) -> Not:
        return Not(children[0])

    def comparison(self, children: list[Any]) -> Comparison:
        operator = str(children[1]).upper()
        return Comparison(children[0], "!=" if operator == "<>" else operator, children[2])

    def in_list(self, children: list[Any]) -> InList:
        return InList(children[0], children[2], negated=False)

    def not_in_list(self, children: list[Any]) -> InList:
        return InList(children[0], children[2], negated=True)

    def in_query(self, children: list[Any]) -> InQuery:
        return InQuery(children[0], children[2], negated=False)

    def not_in_query(self, children: list[Any]) -> InQuery:
        return InQuery(children[0], children[2], negated=True)

    def multi(self, children: list[Any]) -> MultiSelect:
        return MultiSelect(children[0], children[2], excludes=children[1].type == "EXCLUDES")

    def value_list(self, children: list[Literal]) -> tuple[Literal, ...]:
        return tuple(children)

    def value(self, children: list[Token]) -> Literal:
        return Literal(children[0].type, children[0])

    def query(self, children: list[Any]) -> Query:
        items, (source, alias), *clauses = children
        built = Query(tuple(items), source, alias)
        for clause in clauses:
            if isinstance(clause, _Clause) and clause.name == "extra":
                built.extra.update(clause.value)
            elif isinstance(clause, _Clause):
                setattr(built, clause.name, clause.value)
        return built


class _NotWhole(Exception):
    """LIMIT and OFFSET take digits."""


def _whole(token: Token) -> int:
    if not (token.isascii() and token.isdigit()):
        raise _NotWhole(token)
    return min(int(token[:20]), _LARGEST)


setattr(_Build, "with", _Build.with_)  # the rule is named by a Python keyword


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = (files("crmsync.sandbox.salesforce.soql") / "soql.lark").read_text("utf-8")
    return Lark(grammar, start="query", parser="lalr", transformer=_Build(), maybe_placeholders=True)


@lru_cache(maxsize=512)
def parse(text: str) -> Query:
    if len(text) > MAX_LENGTH:
        raise SalesforceError(
            "QUERY_TOO_COMPLICATED", f"SOQL statements cannot be longer than {MAX_LENGTH} characters."
        )
    try:
        return _parser().parse(text)  # type: ignore[return-value]  # the transformer has built it already
    except _NotWhole as problem:
        token = problem.args[0]
        raise query_error(text, "MALFORMED_QUERY", f"unexpected token: '{token}'", token) from None
    except UnexpectedInput as problem:
        raise _malformed(text, problem) from None


def _malformed(text: str, problem: UnexpectedInput) -> SalesforceError:
    at_end = isinstance(problem, UnexpectedEOF) or (
        isinstance(problem, UnexpectedToken) and problem.token.type == "$END"
    )
    if at_end:
        return query_error(text, "MALFORMED_QUERY", "unexpected token: '<EOF>'", len(text))
    position = problem.pos_in_stream or 0
    if isinstance(problem, UnexpectedCharacters):
        found = re.match(r"\w+|.", text[position:], re.DOTALL)
        word = found.group() if found else "<EOF>"
        if word in ("'", "\\"):
            return query_error(
                text,
                "MALFORMED_QUERY",
                f"line {problem.line}:{problem.column} no viable alternative at character '{word}'",
                position,
            )
        return query_error(text, "MALFORMED_QUERY", f"unexpected token: '{word}'", position)
    word = str(problem.token) if isinstance(problem, UnexpectedToken) else "<EOF>"
    return query_error(text, "MALFORMED_QUERY", f"unexpected token: '{word}'", position)


def string_value(text: str, token: Token, *, for_like: bool = False) -> str:
    """The text between the quotes, escapes resolved; in LIKE ``\\_`` and ``\\%`` stay escaped."""

    def replace(match: re.Match[str]) -> str:
        code = match.group(1)
        if len(code) > 1:
            return chr(int(code[1:], 16))
        if code in _ESCAPES:
            return _ESCAPES[code] if not (for_like and code == "\\") else "\\\\"
        if for_like and code in "_%":
            return "\\" + code
        raise illegal(f"\\{code}")

    def illegal(sequence: str) -> SalesforceError:
        message = f"Invalid string literal '{token[1:-1]}'. Illegal character sequence '{sequence}' in string literal."
        return query_error(text, "MALFORMED_QUERY", message, token)

    value = _ESCAPE.sub(replace, token[1:-1])
    if value.isascii():
        return value
    try:
        return value.encode("utf-16", "surrogatepass").decode("utf-16")  # two escapes may make one character
    except UnicodeDecodeError:
        raise illegal("\\u") from None


def operand_text(operand: Operand) -> str:
    """How errors name it."""
    if isinstance(operand, FieldRef):
        return str(operand.path)
    return f"{operand.name}({', '.join(map(operand_text, operand.args))})"
