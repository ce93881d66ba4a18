"""From text to tokens. Offsets count characters from 0, so that they can be mapped into a YAML line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

MAX_CHARACTERS = 2000


class ExpressionError(Exception):
    """A problem in an expression, with the stretch of text that it is about."""

    def __init__(self, message: str, start: int, end: int, *, hint: str = "", code: str = "E212") -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = max(end, start + 1)
        self.hint = hint
        self.code = code


@dataclass(frozen=True, slots=True)
class Token:
    """``kind`` is *number*, *text*, *name*, *end*, or the operator or keyword itself."""

    kind: str
    value: str | int | Decimal
    start: int
    end: int


KEYWORDS = frozenset({"and", "or", "not", "in"})

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
      | (?P<text>"[^"\\]*"|'[^'\\]*')
      | (?P<op>==|!=|<=|>=|<|>|\+|-|\*|/|\(|\)|\[|\]|,)
    """,
    re.VERBOSE,
)

_FOREIGN = {
    "=": "use '==' to compare",
    "<>": "write '!='",
    "&&": "write 'and'",
    "||": "write 'or'",
    "!": "write 'not', or '!=' to compare",
    "&": "write 'and'",
    "|": "write 'or'",
    ";": "one condition only; join two with 'and'",
}


def tokenize(text: str) -> list[Token]:
    """All tokens, the last one of kind *end*.

    :raises ExpressionError: at the first character that starts no token.
    """
    if len(text) > MAX_CHARACTERS:
        message = f"the expression has {len(text)} characters, at most {MAX_CHARACTERS} are read"
        raise ExpressionError(message, 0, 1, hint="split it into two rules", code="E214")
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unknown(text, position)
        position = match.end()
        if match.lastgroup != "space":
            tokens.append(_token(match))
    tokens.append(Token("end", "", len(text), len(text)))
    return tokens


def _token(match: re.Match[str]) -> Token:
    kind, found = str(match.lastgroup), match.group()
    start, end = match.span()
    if kind == "number":
        return Token(kind, Decimal(found) if "." in found else int(found), start, end)
    if kind == "text":
        return Token(kind, found[1:-1], start, end)
    if kind == "op" or found in KEYWORDS:
        return Token(found, found, start, end)
    return Token(kind, found, start, end)


def _unknown(text: str, position: int) -> ExpressionError:
    found = text[position]
    if found in "\"'":
        closing = "text may hold no backslash" if "\\" in text[position:] else "close the quote"
        return ExpressionError("the text that starts here is not closed", position, len(text), hint=closing)
    for foreign in sorted(_FOREIGN, key=len, reverse=True):
        if text.startswith(foreign, position):
            hint = _FOREIGN[foreign]
            return ExpressionError(f"found '{foreign}'", position, position + len(foreign), hint=hint)
    hint = "put text in quotes"
    return ExpressionError(f"found '{found}', which means nothing here", position, position + 1, hint=hint)
