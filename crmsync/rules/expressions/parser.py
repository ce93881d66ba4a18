"""From tokens to a tree. The grammar is on one page: docs/expressions.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from crmsync.diagnostics import did_you_mean
from crmsync.rules.expressions.lexer import ExpressionError, Token, tokenize

MAX_NODES = 200
MAX_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Literal:
    value: str | int | Decimal | bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Name:
    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list in brackets; its items are literals."""

    values: tuple[Literal, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Unary:
    """``not x`` or ``-x``."""

    operator: str
    operand: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, a comparison, or membership (``in``, ``not in``)."""

    operator: str
    left: Node
    right: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Logic:
    """``and`` or ``or`` over two or more conditions."""

    operator: str
    operands: tuple[Node, ...]
    start: int
    end: int


Node: TypeAlias = Literal | Name | Items | Call | Unary | Binary | Logic
_Rule: TypeAlias = Callable[[], Node]

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in")
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False}
_NULLS = ("null", "None", "none", "nil", "NULL")


def parse(text: str) -> Node:
    """The tree of one expression.

    :raises ExpressionError: for anything outside the grammar, or beyond its limits.
    """
    return _Parser(tokenize(text)).parse()


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.nodes = 0
        self.depth = 0

    def parse(self) -> Node:
        if self.now.kind == "end":
            raise ExpressionError("the expression is empty", 0, 1, hint="write a condition, or remove the key")
        node = self.either()
        if self.now.kind != "end":
            raise self.unexpected("the end of the expression")
        return node

    @property
    def now(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.now
        self.position += 1
        return token

    def count(self, token: Token) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            message = f"the expression has more than {MAX_NODES} parts"
            raise ExpressionError(message, token.start, token.end, hint="split it into two rules", code="E214")

    def enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH} levels"
            raise ExpressionError(message, self.now.start, self.now.end, hint="remove brackets", code="E214")

    def unexpected(self, wanted: str) -> ExpressionError:
        token = self.now
        found = "the expression ends" if token.kind == "end" else f"found '{token.value}'"
        hint = "put text in quotes" if token.kind == "name" else "check the operator before it"
        return ExpressionError(f"{found} where {wanted} was expected", token.start, token.end, hint=hint)

    # ------------------------------------------------------------ conditions

    def either(self) -> Node:
        return self.logic("or", self.both)

    def both(self) -> Node:
        return self.logic("and", self.negation)

    def logic(self, operator: str, operand: _Rule) -> Node:
        operands = [operand()]
        while self.now.kind == operator:
            self.count(self.take())
            operands.append(operand())
        if len(operands) == 1:
            return operands[0]
        return Logic(operator, tuple(operands), operands[0].start, operands[-1].end)

    def negation(self) -> Node:
        if self.now.kind != "not":
            return self.comparison()
        token = self.take()
        self.count(token)
        self.enter()
        operand = self.negation()
        self.depth -= 1
        return Unary("not", operand, token.start, operand.end)

    def comparison(self) -> Node:
        left = self.total()
        operator = self.operator()
        if operator is None:
            return left
        right = self.total()
        node = Binary(operator, left, right, left.start, right.end)
        if self.operator() is not None:
            hint = "write 'a < b and b < c'"
            raise ExpressionError("two comparisons in a row", left.start, right.end, hint=hint)
        return node

    def operator(self) -> str | None:
        """Take a comparison operator, if one stands here."""
        kind = self.now.kind
        if kind == "not" and self.tokens[self.position + 1].kind == "in":
            self.take()
            kind = "not in"
        if kind not in _COMPARISONS:
            return None
        self.count(self.take())
        return kind

    # ------------------------------------------------------------ values

    def total(self) -> Node:
        return self.chain(("+", "-"), self.product)

    def product(self) -> Node:
        return self.chain(("*", "/"), self.signed)

    def chain(self, operators: tuple[str, ...], operand: _Rule) -> Node:
        left = operand()
        while self.now.kind in operators:
            token = self.take()
            self.count(token)
            right = operand()
            left = Binary(token.kind, left, right, left.start, right.end)
        return left

    def signed(self) -> Node:
        if self.now.kind != "-":
            return self.value()
        token = self.take()
        self.count(token)
        self.enter()
        operand = self.signed()
        self.depth -= 1
        return Unary("-", operand, token.start, operand.end)

    def value(self) -> Node:
        token = self.now
        self.count(token)
        if token.kind in ("number", "text"):
            self.take()
            return Literal(token.value, token.start, token.end)
        if token.kind == "name":
            return self.named()
        if token.kind == "[":
            return self.items()
        if token.kind == "(":
            return self.group()
        raise self.unexpected("a value")

    def named(self) -> Node:
        token = self.take()
        name = str(token.value)
        if self.now.kind == "(":
            return self.call(token)
        if name in _CONSTANTS:
            return Literal(_CONSTANTS[name], token.start, token.end)
        if name in _NULLS:
            hint = "use 'is_blank(field)' or 'not is_blank(field)'"
            raise ExpressionError(f"'{name}' cannot be compared with", token.start, token.end, hint=hint)
        if name.lower() in ("and", "or", "not", "in"):
            raise ExpressionError(f"found '{name}'", token.start, token.end, hint=f"write '{name.lower()}'")
        return Name(name, token.start, token.end)

    def call(self, name: Token) -> Node:
        self.take()
        self.enter()
        arguments: list[Node] = []
        while self.now.kind != ")":
            arguments.append(self.either())
            if self.now.kind != ")":
                self.expect(",", "',' or ')'")
        self.depth -= 1
        return Call(str(name.value), tuple(arguments), name.start, self.take().end)

    def items(self) -> Node:
        start = self.take().start
        values: list[Literal] = []
        while self.now.kind != "]":
            values.append(self.item())
            if self.now.kind != "]":
                self.expect(",", "',' or ']'")
        end = self.take().end
        if not values:
            raise ExpressionError("the list is empty", start, end, hint="name at least one value")
        return Items(tuple(values), start, end)

    def item(self) -> Literal:
        sign = -1 if self.now.kind == "-" and self.take() else 1
        token = self.now
        self.count(token)
        if token.kind == "number" and not isinstance(token.value, str):
            self.take()
            return Literal(sign * token.value, token.start, token.end)
        if token.kind != "text" or sign < 0:
            raise self.unexpected("a number or a text in quotes")
        self.take()
        return Literal(token.value, token.start, token.end)

    def group(self) -> Node:
        self.take()
        self.enter()
        inner = self.either()
        self.depth -= 1
        self.expect(")", "')'")
        return inner

    def expect(self, kind: str, wanted: str) -> None:
        if self.now.kind != kind:
            raise self.unexpected(wanted)
        self.take()


def suggest(word: str, known: list[str], otherwise: str = "") -> str:
    """A did-you-mean over dotted names: one that ends with the word comes first, then what looks like it."""
    exact = next((name for name in known if name.rpartition(".")[2] == word), None)
    if exact:
        return f"did you mean '{exact}'?"
    return did_you_mean(word, known) or otherwise
