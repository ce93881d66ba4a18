"""The file that goes back to whoever filled in the spreadsheet."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from crmsync.connectors.files.intake import IntakeResult

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a cell for a formula, full-width forms included (OWASP, "CSV Injection")."""


def write_rejects(path: Path, result: IntakeResult) -> int:
    """One line per problem: line, column, reason, the row as it was written. Says how many; replaces the file at once."""
    extra = dict.fromkeys(column for reject in result.rejects for column in reject.raw)
    columns = list(dict.fromkeys((*result.columns, *extra)))
    lines = (
        [reject.line, reject.column, reject.reason, *(reject.raw.get(column) for column in columns)]
        for reject in result.rejects
    )
    _write(path, [["line", "column", "reason", *columns], *lines])
    return len(result.rejects)


def _write(path: Path, lines: Iterable[Iterable[Any]]) -> None:
    draft = path.with_name(f".{path.name}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8-sig", newline="") as file:  # noqa: PTH123 - a descriptor, not a path
        csv.writer(file).writerows([[safe_cell(cell) for cell in line] for line in lines])
    draft.replace(path)


def safe_cell(value: Any) -> str:
    """The cell as text that no spreadsheet will execute: an apostrophe in front makes it text."""
    text = "" if value is None else "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    """``-12.5`` is a number and no formula."""
    body = text.strip().lstrip("-+")
    return body.replace(".", "", 1).isdigit() and body.isascii()
