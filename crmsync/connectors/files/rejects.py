"""The file that goes back to whoever filled in the spreadsheet; mended, it can be read in as it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from crmsync.connectors.files.intake import IntakeResult, RejectedRow
from crmsync.connectors.files.reading import FORMULA_STARTS, REJECT_COLUMNS
from crmsync.drafts import replacing
from crmsync.errors import UsageError


def write_rejects(path: Path, result: IntakeResult) -> int:
    """One line per bad row: line, column, reason, the row as it was written. Returns how many; replaces the file whole.

    :raises UsageError: if the file cannot be written.
    """
    extra = dict.fromkeys(column for reject in result.rejects for column in reject.raw)
    columns = [column for column in dict.fromkeys((*result.columns, *extra)) if column not in REJECT_COLUMNS]
    lines = [
        [line, *_said(list(problems)), *(raw.get(column) for column in columns)]
        for line, raw, problems in _by_row(result)
    ]
    try:
        _write(path, [[*REJECT_COLUMNS, *columns], *lines])
    except OSError as error:
        hint = "correct 'rejects' of the intake in crmsync.yaml"
        raise UsageError(f"cannot write the rejects file {path}: {error.strerror}", hint=hint) from error
    return len(lines)


def _by_row(result: IntakeResult) -> Iterator[tuple[int, Mapping[str, Any], Iterable[RejectedRow]]]:
    for line, problems in groupby(result.rejects, key=lambda reject: reject.line):
        found = list(problems)
        yield line, found[0].raw, found


def _said(problems: Sequence[RejectedRow]) -> tuple[str, str]:
    """Columns and reasons of one row; several reasons each name their column."""
    if len(problems) == 1:
        return problems[0].column, problems[0].reason
    return "; ".join(p.column for p in problems), "; ".join(f"{p.column}: {p.reason}" for p in problems)


def _write(path: Path, lines: Iterable[Iterable[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([[safe_cell(cell) for cell in line] for line in lines])


def safe_cell(value: Any) -> str:
    """The cell as text that no spreadsheet will execute: an apostrophe in front makes it text."""
    text = "" if value is None else "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"'{text}" if _is_formula(text) and not _is_number(text) else text


def _is_formula(text: str) -> bool:
    """In any of its lines, behind any white space: some spreadsheets strip more than blanks, or split at the lines."""
    lines = [text, *(line.lstrip().lstrip("\u200b\u2060\ufeff") for line in text.splitlines())]
    return any(line.startswith(FORMULA_STARTS) for line in lines)


def _is_number(text: str) -> bool:
    """``-12.5`` is a number and no formula."""
    body = text.strip().lstrip("-+")
    return body.replace(".", "", 1).isdigit() and body.isascii()
