"""Where a rule stands, said the same on every machine: relative to the project, so that equal plans are equal bytes."""

from __future__ import annotations

from pathlib import Path

from crmsync.diagnostics import Span


def place_of(span: Span | None, directory: Path) -> str:
    """``policies/baseline.yaml:9``; the whole path for a file outside the project, "" for what no file says."""
    if span is None:
        return ""
    path = Path(span.path)
    try:
        return f"{path.resolve().relative_to(directory.resolve())}:{span.line}"
    except ValueError:
        return span.brief
