"""Problems in YAML, with their exact place, and how they look on a terminal.

config/mappings/deal.yaml:6:5: error[E102]: unknown key 'directon' in a field
  |
6 |     directon: read
  |     ^^^^^^^^
  = did you mean 'direction'?
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a file. Lines and columns count from 1; the end is exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    source_line: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"

    @property
    def brief(self) -> str:
        """``file:line``, for plans and explanations."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem. ``severity`` *warning* never stops a run."""

    code: str
    message: str
    span: Span | None = None
    hint: str = ""
    severity: Literal["error", "warning"] = "error"

    @property
    def where(self) -> str:
        return str(self.span) if self.span else "project"

    def render(self) -> str:
        """The text form: position, message, the line itself with carets, the hint."""
        lines = [f"{self.where}: {self.severity}[{self.code}]: {self.message}"]
        if self.span and self.span.source_line:
            lines += _excerpt(self.span)
        if self.hint:
            lines.append(f"  = {self.hint}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        span = self.span
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "hint": self.hint,
            "file": span.path if span else None,
            "line": span.line if span else None,
            "column": span.column if span else None,
        }


def _excerpt(span: Span) -> list[str]:
    number = str(span.line)
    gutter = " " * len(number)
    one_line = span.end_line == span.line and span.end_column > span.column
    width = span.end_column - span.column if one_line else len(span.source_line) - span.column + 1
    carets = " " * (span.column - 1) + "^" * max(width, 1)
    return [f"{gutter} |", f"{number} | {span.source_line}", f"{gutter} | {carets}"]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?``, or an empty string when nothing is near."""
    candidates = list(known)
    lowered = {c.lower(): c for c in reversed(candidates)}
    near = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return f"did you mean '{lowered[near[0]]}'?" if near else ""


def render_all(diagnostics: Sequence[Diagnostic], *, limit: int = 20) -> str:
    """All problems sorted by place, at most ``limit`` of them, then how many more there are."""
    ordered = sorted(diagnostics, key=_place)
    shown = [d.render() for d in ordered[:limit]]
    if len(ordered) > limit:
        shown.append(f"and {len(ordered) - limit} more")
    return "\n".join(shown)


def _place(diagnostic: Diagnostic) -> tuple[str, int, int, str]:
    span = diagnostic.span
    return (span.path, span.line, span.column, diagnostic.code) if span else ("", 0, 0, diagnostic.code)
