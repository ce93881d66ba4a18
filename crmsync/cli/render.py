"""The only place that prints. Results go to stdout, talk to stderr; ``--json`` gives one envelope on stdout.

    {"schema": "crmsync.plan/1", "ok": true, "data": {…}, "diagnostics": []}

Text from a CRM is data: control characters are made visible, and nothing in it is read as markup.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from crmsync.diagnostics import Diagnostic, render_all

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from crmsync.sync.report import Progress

Line: TypeAlias = "str | Text | Rows | Verbatim"
"""One line of a result, or a table, or text for another program."""

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Written byte for byte: a schema, a completion script."""

    text: str


class Rows:
    """A table: aligned columns, with a ruled head on a terminal."""

    def __init__(self, head: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = ()) -> None:
        self.head = list(head)
        self.rows = [[clean(cell) for cell in row] for row in rows]
        self.right = frozenset(right)

    def first(self, number: int) -> Rows:
        """The same table, cut off."""
        return Rows(self.head, self.rows[:number], right=tuple(self.right))

    def lines(self) -> list[str]:
        """The plain form: two spaces between columns, nothing cut."""
        table = [self.head, *self.rows]
        widths = [max(len(row[i]) for row in table) for i in range(len(self.head))]
        return ["  ".join(self._pad(cell, i, widths[i]) for i, cell in enumerate(row)).rstrip() for row in table]

    def _pad(self, cell: str, column: int, width: int) -> str:
        return cell.rjust(width) if column in self.right else cell.ljust(width)


class Renderer:
    def __init__(self, *, as_json: bool = False, quiet: bool = False, color: bool | None = None) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self._color = color

    # ------------------------------------------------------------------ results

    def show(
        self,
        command: str,
        data: Any,
        text: Callable[[], Iterable[Line]],
        *,
        ok: bool = True,
        diagnostics: Sequence[Diagnostic] = (),
    ) -> None:
        """The result of a command, as text or as its envelope."""
        if self.as_json:
            self._envelope(command, data, ok=ok, diagnostics=diagnostics)
        else:
            for line in text():
                self.say(line)
        sys.stdout.flush()  # a command that goes on serving has a reader who waits for this

    def say(self, line: Line) -> None:
        """One line, or a table, of the result."""
        self._print(self._out, line)

    def failure(self, command: str, diagnostics: Sequence[Diagnostic]) -> None:
        """Why there is no result."""
        if self.as_json:
            self._envelope(command, None, ok=False, diagnostics=diagnostics)
            return
        self._diagnostics(diagnostics)

    def _envelope(self, command: str, data: Any, *, ok: bool, diagnostics: Sequence[Diagnostic]) -> None:
        document = {
            "schema": f"crmsync.{command}/1",
            "ok": ok,
            "data": data,
            "diagnostics": [diagnostic.as_json() for diagnostic in diagnostics],
        }
        sys.stdout.write(orjson.dumps(document, default=_plain, option=orjson.OPT_UTC_Z).decode() + "\n")

    # ------------------------------------------------------------------ talk

    def talk(self, line: Line = "") -> None:
        """Something worth knowing that is not the result."""
        if not self.quiet and not self.as_json:
            self._print(self._err, line)

    def warn(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Problems beside a result (which holds them itself when it is JSON)."""
        if diagnostics and not self.as_json:
            self._diagnostics(diagnostics)

    def progress(self, *, logged: bool = False) -> Progress:
        """Where a run says how far it is; close it with ``with``. A log of every page says it already."""
        from crmsync.cli.progress import EventProgress, LineProgress, TerminalProgress
        from crmsync.sync.report import Silent

        if self.quiet or logged:
            return Silent()
        if self.as_json:
            return EventProgress(sys.stderr)
        return TerminalProgress(self._err) if self._err.is_terminal else LineProgress(sys.stderr)

    @property
    def is_terminal(self) -> bool:
        return sys.stdout.isatty()

    # ------------------------------------------------------------------ inside

    @cached_property
    def _out(self) -> Console:
        return self._console(stderr=False)

    @cached_property
    def _err(self) -> Console:
        return self._console(stderr=True)

    def _console(self, *, stderr: bool) -> Console:
        from rich.console import Console

        plain = self._color is False or "NO_COLOR" in os.environ
        return Console(stderr=stderr, no_color=plain, highlight=False, markup=False, emoji=False)

    def _print(self, console: Console, line: Line) -> None:
        if isinstance(line, Verbatim):
            sys.stdout.write(line.text)
            return
        if isinstance(line, Rows):
            self._print_rows(console, line)
            return
        text = clean(line) if isinstance(line, str) else line
        console.print(text, soft_wrap=True)

    def _print_rows(self, console: Console, rows: Rows) -> None:
        from rich.text import Text

        head, *body = rows.lines()
        console.print(Text(head, style="bold"), soft_wrap=True)
        for line in body:
            console.print(Text(line), soft_wrap=True, no_wrap=True, overflow="ignore", crop=False)

    def _diagnostics(self, diagnostics: Sequence[Diagnostic]) -> None:
        for line in render_all([_from_here(diagnostic) for diagnostic in diagnostics]).splitlines():
            self._err.print(_colored(clean(line).removeprefix("project: ")), soft_wrap=True)


def _from_here(diagnostic: Diagnostic) -> Diagnostic:
    """With the file named from the current directory, where it is below: shorter, and can be opened as it stands."""
    span = diagnostic.span
    here = f"{Path.cwd()}/"
    if span is None or not span.path.startswith(here):
        return diagnostic
    return replace(diagnostic, span=replace(span, path=span.path.removeprefix(here)))


def clean(text: str) -> str:
    """Text that cannot steer a terminal: control characters become visible escapes."""
    return _CONTROL.sub(lambda match: match.group().encode("unicode_escape").decode(), text)


def styled(*parts: str | tuple[str, str]) -> Text:
    """A line of text with styled pieces."""
    from rich.text import Text

    return Text.assemble(*((clean(p), "") if isinstance(p, str) else (clean(p[0]), p[1]) for p in parts))


def _colored(line: str) -> Text:
    style = "red" if "error[" in line else "yellow" if "warning[" in line else ""
    if line.lstrip().startswith("^"):
        style = "red"
    if line.startswith("  = "):
        style = "cyan"
    return styled((line, style))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
