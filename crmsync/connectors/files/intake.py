"""Registrations, partners and touches from a spreadsheet: every row checked, the bad ones kept with their reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from crmsync.connectors.files.models import KEYS, MODELS, REFERENCE_COLUMNS, required_columns
from crmsync.connectors.files.reading import IGNORED_PREFIX, RawRow, format_of, read_raw
from crmsync.diagnostics import did_you_mean
from crmsync.errors import UsageError
from crmsync.records import REFERENCES, Value

Lookup: TypeAlias = Callable[[str], Sequence[str]]
"""Record ids that a reference may mean: a name, a domain, an e-mail or an id. One is right, more is ambiguous."""


@dataclass(frozen=True, slots=True)
class IntakeRow:
    """A row that is good by itself. ``values`` holds only what was written; an empty cell never clears a field.

    ``references`` maps canonical reference fields (``partner_id``) to what the row says (a name, a domain, an id).
    """

    line: int
    values: Mapping[str, Value]
    references: Mapping[str, str]
    raw: Mapping[str, Any]

    @property
    def partner_ref(self) -> str | None:
        return self.references.get("partner_id")

    @property
    def account_ref(self) -> str | None:
        return self.references.get("account_id")

    @property
    def deal_ref(self) -> str | None:
        return self.references.get("deal_id")


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A problem of one row. ``column`` is the file's word, ``field`` the canonical one; both empty for a whole row."""

    line: int
    column: str
    field: str
    value_excerpt: str
    reason: str
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class IntakeResult:
    kind: str
    columns: tuple[str, ...]
    rows: tuple[IntakeRow, ...]
    rejects: tuple[RejectedRow, ...]


def read_rows(path: Path, kind: str, *, format: str | None = None, timezone: tzinfo = UTC) -> IntakeResult:  # noqa: A002
    """Rows of one kind (``registration``, ``partner``, ``touch``; the plural will do) from a CSV or JSONL file.

    ``timezone`` is the zone of points in time that are written without an offset.

    :raises UsageError: for an unknown kind or format.
    :raises ConfigError: if the file cannot be read or its header does not fit.
    """
    kind = _kind(kind)
    known = tuple(MODELS[kind].model_fields)
    raw = read_raw(path, format_of(path, format), known=known, required=required_columns(kind))
    rows, rejects = [], []
    for row in raw.rows:
        good, bad = _check(kind, row, timezone)
        rejects += bad
        rows += [good] if good else []
    unique, doubles = _without_doubles(kind, rows)
    ordered = sorted(rejects + doubles, key=lambda r: r.line)
    return IntakeResult(kind, raw.columns, tuple(unique), tuple(ordered))


def _kind(word: str) -> str:
    kind = word.removesuffix("es") if word == "touches" else word.removesuffix("s")
    if kind not in MODELS:
        near = did_you_mean(word, MODELS) or f"wanted one of {', '.join(MODELS)}"
        raise UsageError(f"'{word}' cannot be read from a file", hint=near)
    return kind


def _check(kind: str, row: RawRow, timezone: tzinfo) -> tuple[IntakeRow | None, list[RejectedRow]]:
    if row.problem:
        return None, [RejectedRow(row.line, "", "", "", row.problem, row.values)]
    given = {name: value for name, value in row.values.items() if not _is_blank(name, value)}
    try:
        model = MODELS[kind].model_validate(given, context={"timezone": timezone})
    except ValidationError as error:
        return None, [_reject(kind, row, problem) for problem in error.errors(include_url=False)]
    written = model.model_dump(exclude_unset=True)
    columns = REFERENCE_COLUMNS[kind]
    references = {columns[name]: str(written.pop(name)) for name in columns if name in written}
    return IntakeRow(row.line, written, references, row.values), []


def _is_blank(name: str, value: Any) -> bool:
    return name.startswith(IGNORED_PREFIX) or value is None or (isinstance(value, str) and not value.strip())


def _reject(kind: str, row: RawRow, error: Any) -> RejectedRow:
    column = str((error.get("ctx") or {}).get("column") or next(iter(error["loc"]), ""))
    field = REFERENCE_COLUMNS[kind].get(column, column)
    return RejectedRow(
        row.line, column, field, _excerpt(row.values.get(column)), _reason(kind, column, error), row.values
    )


def _reason(kind: str, column: str, error: Any) -> str:
    if error["type"] == "missing":
        return f"{column} is empty"
    if error["type"] == "extra_forbidden":
        return f"unknown field '{column}'; {did_you_mean(column, MODELS[kind].model_fields) or 'leave it out'}"
    return str(error["msg"])


def _excerpt(value: Any) -> str:
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def _without_doubles(kind: str, rows: Sequence[IntakeRow]) -> tuple[list[IntakeRow], list[RejectedRow]]:
    first_line: dict[tuple[str, ...], int] = {}
    unique: list[IntakeRow] = []
    doubles: list[RejectedRow] = []
    for row in rows:
        key = tuple(str(row.values.get(column) or "").casefold() for column in KEYS[kind])
        earlier = first_line.setdefault(key, row.line) if key[0] else row.line
        if earlier == row.line:
            unique.append(row)
            continue
        column = KEYS[kind][0]
        reason = f"this {column} is already on line {earlier}"
        doubles.append(RejectedRow(row.line, column, column, _excerpt(row.values[column]), reason, row.raw))
    return unique, doubles


def resolve(result: IntakeResult, lookups: Mapping[str, Lookup]) -> IntakeResult:
    """Fill reference fields with record ids; a row whose reference is unknown or ambiguous joins the rejects.

    ``lookups`` goes by the kind that is pointed to (``partner``, ``account``, ``deal``, ``user``).
    """
    rows: list[IntakeRow] = []
    rejects = list(result.rejects)
    for row in result.rows:
        found, bad = _resolved(result.kind, row, lookups)
        rejects += bad
        if not bad:
            rows.append(replace(row, values={**row.values, **found}))
    return replace(result, rows=tuple(rows), rejects=tuple(sorted(rejects, key=lambda r: r.line)))


def _resolved(kind: str, row: IntakeRow, lookups: Mapping[str, Lookup]) -> tuple[dict[str, Value], list[RejectedRow]]:
    columns = {field: column for column, field in REFERENCE_COLUMNS[kind].items()}
    found: dict[str, Value] = {}
    bad: list[RejectedRow] = []
    for field, text in row.references.items():
        target = REFERENCES[kind, field]
        ids = tuple(dict.fromkeys(lookups[target](text)))
        if len(ids) == 1:
            found[field] = ids[0]
            continue
        reason = (
            f"no {target} with this name, domain or id"
            if not ids
            else f"{len(ids)} {target}s fit: {', '.join(ids[:5])}"
        )
        bad.append(RejectedRow(row.line, columns[field], field, _excerpt(text), reason, row.raw))
    return found, bad


def build_lookup(entries: Iterable[tuple[str, Iterable[str | None]]]) -> Lookup:
    """A lookup over ``(record id, its names and domains)``; the id wins over a name, letter case does not matter."""
    by_id: set[str] = set()
    by_name: dict[str, list[str]] = {}
    for record_id, names in entries:
        by_id.add(record_id)
        for name in {_fold(n) for n in names if n}:
            by_name.setdefault(name, []).append(record_id)

    def look_up(text: str) -> Sequence[str]:
        return (text,) if text in by_id else by_name.get(_fold(text), ())

    return look_up


def _fold(text: str) -> str:
    folded = " ".join(text.casefold().split())
    return folded.removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")
