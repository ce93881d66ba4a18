"""SOQL errors with the drawing that points at the place."""

from __future__ import annotations

from lark import Token

from crmsync.sandbox.salesforce.errors import SalesforceError

_BEFORE, _AFTER = 50, 40


def query_error(text: str, code: str, message: str, place: Token | int) -> SalesforceError:
    """The recorded form: a piece of the statement, a caret under the word, row and column, then the message."""
    position = (place.start_pos or 0) if isinstance(place, Token) else place
    row_start = text.rfind("\n", 0, position) + 1
    row_end = text.find("\n", position)
    line = text[row_start : row_end if row_end >= 0 else len(text)]
    column = position - row_start
    piece, caret = _window(line, column)
    where = f"ERROR at Row:{text.count(chr(10), 0, position) + 1}:Column:{column + 1}"
    return SalesforceError(code, f"\n{piece}\n{' ' * caret}^\n{where}\n{message}")


def _window(line: str, column: int) -> tuple[str, int]:
    """At most 50 characters before the place and 40 after it, cut between words (as in recorded errors)."""
    start, end = 0, len(line)
    if column > _BEFORE:
        start = line.find(" ", column - _BEFORE) + 1
        start = start if 0 < start <= column else column
    if end - column > _AFTER:
        cut = line.rfind(" ", column, column + _AFTER)
        end = cut if cut > column else column + _AFTER
    return line[start:end], column - start
