"""CSV and JSONL as raw rows with the line each starts on. A problem of the whole file is a :class:`ConfigError`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import orjson

from crmsync.diagnostics import Diagnostic, Span, did_you_mean
from crmsync.errors import ConfigError, UsageError

Format: TypeAlias = Literal["csv", "jsonl"]

MAX_BYTES = 64 * 1024 * 1024
IGNORED_PREFIX = "x-"
"""A column whose header starts so is for people only."""
REJECT_COLUMNS = ("line", "column", "reason")
"""What stands before the row's own columns in a rejects file."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet take a cell for a formula, full-width forms included (OWASP, "CSV Injection")."""

_SUFFIXES: Mapping[str, Format] = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as written: column to value, or ``problem`` where it could not even be split into columns."""

    line: int
    values: Mapping[str, Any]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RawFile:
    columns: tuple[str, ...]
    rows: tuple[RawRow, ...]


def format_of(path: Path, named: str | None = None) -> Format:
    if named in ("csv", "jsonl"):
        return named  # type: ignore[return-value]
    if named is None and (found := _SUFFIXES.get(path.suffix.lower())):
        return found
    shown = named or path.suffix or path.name
    raise UsageError(f"'{shown}' is not a format of intake files", hint="wanted csv or jsonl; say --format csv")


def read_raw(path: Path, file_format: Format, *, known: Sequence[str], required: Sequence[str]) -> RawFile:
    """All rows of the file.

    :raises ConfigError: if the file cannot be read or its header does not fit; every problem of the header is named.
    """
    text = _text(path)
    if file_format == "jsonl":
        return RawFile(tuple(known), tuple(_json_rows(text)))
    return _csv_file(path, text, known, required)


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise _file_error(path, "E150", f"cannot read the file: {error.strerror}") from error
    if size > MAX_BYTES:
        raise _file_error(
            path, "E150", f"the file has {size // 2**20} MB, at most {MAX_BYTES // 2**20} are read", "split it"
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _file_error(path, "E151", "the file is UTF-16", "save it as 'CSV UTF-8'")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _file_error(
            path, "E151", f"byte {data[error.start]:#04x} is not UTF-8", "save it as 'CSV UTF-8'", line
        ) from error


def _file_error(path: Path, code: str, message: str, hint: str = "", line: int = 1) -> ConfigError:
    return ConfigError([Diagnostic(code, message, Span(str(path), line, 1, line, 1), hint)])


# ------------------------------------------------------------------ CSV


def _csv_file(path: Path, text: str, known: Sequence[str], required: Sequence[str]) -> RawFile:
    header_line = text.partition("\n")[0].rstrip("\r")
    if not header_line.strip():
        raise _file_error(path, "E152", "the first line is empty, wanted the column names", _example(required))
    delimiter = max(_DELIMITERS, key=header_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(reader)
    except csv.Error as error:
        raise _file_error(path, "E152", f"the header cannot be split into columns: {error}") from error
    columns = [normal_column(cell) for cell in header]
    returned = tuple(columns[: len(REJECT_COLUMNS)]) == REJECT_COLUMNS
    problems = _header_problems(
        path, header_line, header, columns, (*known, *REJECT_COLUMNS) if returned else known, required
    )
    if problems:
        raise ConfigError(problems)
    rows = _csv_rows(reader, columns)
    return RawFile(tuple(columns), tuple(map(_returned, rows) if returned else rows))


def _returned(row: RawRow) -> RawRow:
    """A row of a mended rejects file, without what was put there for people and for spreadsheets."""
    values = {name: _without_guard(cell) for name, cell in row.values.items() if name not in REJECT_COLUMNS}
    return RawRow(row.line, values, row.problem)


def _without_guard(cell: str) -> str:
    lines = [cell[1:], *(line.lstrip().lstrip("\u200b\u2060\ufeff") for line in cell[1:].splitlines())]
    guarded = cell.startswith("'") and any(line.startswith(FORMULA_STARTS) for line in lines)
    return cell[1:] if guarded else cell


def normal_column(cell: str) -> str:
    """``Account Name`` and ``account-name`` are ``account_name``; ``x-…`` columns keep their prefix."""
    word = cell.strip().lower()
    return word if word.startswith(IGNORED_PREFIX) else "_".join(word.replace("-", " ").replace("_", " ").split())


def _example(required: Sequence[str]) -> str:
    return f"at least: {','.join(required)}"


def _header_problems(
    path: Path,
    source: str,
    header: Sequence[str],
    columns: Sequence[str],
    known: Sequence[str],
    required: Sequence[str],
) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    start = 0
    for number, (cell, column) in enumerate(zip(header, columns, strict=True)):
        start = max(source.find(cell, start), 0)
        span = Span(str(path), 1, start + 1, 1, start + 1 + max(len(cell), 1), source)
        found += _column_problems(cell, column, columns[:number], known, span)
        start += len(cell)
    missing = [name for name in required if name not in columns]
    if missing:
        names = ", ".join(missing)
        span = Span(str(path), 1, 1, 1, len(source) + 1, source)
        found.append(Diagnostic("E152", f"missing column{'s' if len(missing) > 1 else ''} {names}", span))
    return found


def _column_problems(
    cell: str, column: str, before: Sequence[str], known: Sequence[str], span: Span
) -> Iterator[Diagnostic]:
    if column.startswith(IGNORED_PREFIX):
        return
    if not column:
        yield Diagnostic("E153", "a column has no name", span, "name it, or delete it")
    elif column not in known:
        near = did_you_mean(column, known)
        hint = near or f"known columns: {', '.join(known)}; call it 'x-{cell.strip()}' to have it ignored"
        yield Diagnostic("E153", f"unknown column '{cell.strip()}'", span, hint)
    elif column in before:
        yield Diagnostic("E154", f"column '{cell.strip()}' is there twice", span, "delete one of them")


def _csv_rows(reader: Any, columns: Sequence[str]) -> Iterator[RawRow]:
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield RawRow(line, {}, f"cannot be split into columns: {error}")
            return
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield _csv_row(line, cells, columns)


def _csv_row(line: int, cells: Sequence[str], columns: Sequence[str]) -> RawRow:
    values = dict(zip(columns, cells, strict=False))
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        return RawRow(
            line, values, f"has {len(cells)} cells, the header has {len(columns)}; quote cells that hold commas"
        )
    return RawRow(line, values)


# ------------------------------------------------------------------ JSONL


def _json_rows(text: str) -> Iterator[RawRow]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _json_row(number, line)


def _json_row(number: int, line: str) -> RawRow:
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return RawRow(number, {}, f"is not JSON: {error.msg} at column {error.colno}")
    if not isinstance(data, dict):
        return RawRow(number, {}, "is not a JSON object")
    return RawRow(number, {normal_column(key): value for key, value in data.items()})
