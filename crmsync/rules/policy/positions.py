"""From offsets in an expression to the place in the YAML file where it is written."""

from __future__ import annotations

from crmsync.diagnostics import Diagnostic, Span
from crmsync.rules.expressions import ExpressionError
from crmsync.yamlpos import Document, YamlPath


def diagnose(error: ExpressionError, document: Document, path: YamlPath, text: str) -> Diagnostic:
    """The problem at its exact column, whatever YAML style the expression is written in."""
    span = locate(document, path, text, error.start, error.end)
    return Diagnostic(error.code, error.message, span, error.hint)


def locate(document: Document, path: YamlPath, text: str, start: int, end: int) -> Span:
    """Where ``text[start:end]`` stands, given that ``text`` is the scalar at ``path``.

    Quotes, folding and indentation put characters between those of the value; both run over the same visible
    characters, so they are walked side by side.
    """
    line, column, _, _ = document.values.get(path, (0, 0, 0, 0))
    places = _places(document, text, line, column)
    first = places[min(start, len(places) - 1)]
    last = places[min(max(end - 1, start), len(places) - 1)]
    source = document.lines[first[0]] if first[0] < len(document.lines) else ""
    return Span(document.path, first[0] + 1, first[1] + 1, last[0] + 1, last[1] + 2, source)


def _places(document: Document, text: str, line: int, column: int) -> list[tuple[int, int]]:
    """Line and column (from 0) of every character of ``text``, and of its end."""
    places: list[tuple[int, int]] = []
    at = (line, column)
    for char in text:
        if not char.isspace():
            at = _next(document, at, char)
        places.append(at)
        at = (at[0], at[1] + 1)
    return [*places, at]


def _next(document: Document, at: tuple[int, int], char: str) -> tuple[int, int]:
    """The next place at or after ``at`` that holds ``char``."""
    for number in range(at[0], len(document.lines)):
        found = document.lines[number].find(char, at[1] if number == at[0] else 0)
        if found >= 0:
            return (number, found)
    return at
