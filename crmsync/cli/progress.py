"""How far long work is: a live line per step on a terminal, a line now and then elsewhere. Always on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

import orjson

from crmsync.cli.render import clean

if TYPE_CHECKING:
    from rich.console import Console

EVERY_S = 10.0


class TerminalProgress:
    """One bar per step, redrawn at most ten times a second."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description:<24}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}", markup=False),
        )
        self._progress = Progress(*columns, console=console, refresh_per_second=10, transient=True)
        self._tasks: dict[str, int] = {}

    def step(self, name: str, done: int, total: int | None = None, *, detail: str = "") -> None:
        total = _bounded(done, total)
        if name not in self._tasks:
            self._tasks[name] = int(self._progress.add_task(clean(name), total=total, detail=detail))
        self._progress.update(self._tasks[name], completed=done, total=total, detail=clean(detail))  # type: ignore[arg-type]

    def note(self, text: str) -> None:
        self._progress.console.print(clean(text), soft_wrap=True)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


class LineProgress:
    """Plain lines: one when a step ends, and one every ten seconds while it lasts."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._said_at = clock()
        self._finished: set[tuple[str, int]] = set()

    def step(self, name: str, done: int, total: int | None = None, *, detail: str = "") -> None:
        total = _bounded(done, total)
        ended = done == total
        if ended and (name, done) in self._finished:
            return
        if ended or self._clock() - self._said_at >= EVERY_S:
            self._said_at = self._clock()
            self._finished.add((name, done if ended else -1))
            self._write(name, done, total, detail)

    def note(self, text: str) -> None:
        print(clean(text), file=self._stream, flush=True)

    def _write(self, name: str, done: int, total: int | None, detail: str) -> None:
        count = f"{done:,}" if total in (None, done) else f"{done:,} of {total:,}"
        print(clean(f"  {name}: {count} {detail}".rstrip()), file=self._stream, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""


def _bounded(done: int, total: int | None) -> int | None:
    """A total that turned out too small was a guess."""
    return None if total is not None and done > total else total


class EventProgress(LineProgress):
    """The same as JSON lines, for ``--json``."""

    def note(self, text: str) -> None:
        self._event({"event": "note", "text": text})

    def _write(self, name: str, done: int, total: int | None, detail: str) -> None:
        self._event({"event": "step", "name": name, "done": done, "total": total, "detail": detail})

    def _event(self, event: dict[str, object]) -> None:
        print(orjson.dumps(event).decode(), file=self._stream, flush=True)
