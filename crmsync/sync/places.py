"""Where a rule stands, said the same on every machine: relative to the project, so that equal plans are equal bytes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from crmsync.diagnostics import Span


def place_of(span: Span | None, directory: Path) -> str:
    """``policies/baseline.yaml:9``; the whole path for a file outside the project, "" for what no file says."""
    if span is None:
        return ""
    inside = _relative(span.path, directory)
    return span.brief if inside is None else f"{inside}:{span.line}"


@lru_cache(maxsize=256)
def _relative(path: str, directory: Path) -> Path | None:
    """Remembered: a run asks for every field it decides, of a handful of files, and each answer walks the disk."""
    try:
        return Path(path).resolve().relative_to(directory.resolve())
    except ValueError:
        return None
