"""Intake: registrations, touches and partner facts that people keep in files land in the CRM as records.

A row is a record's birth, not its life: one whose key the CRM has, or once had, is left alone, and a partner file fills
only what is empty. Bad rows come back in a rejects file with line, column and reason; good rows go on without them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

import orjson

from crmsync.connectors.files import (
    IntakeResult,
    IntakeRow,
    Lookup,
    RejectedRow,
    build_lookup,
    read_rows,
    resolve,
    write_rejects,
)
from crmsync.errors import UsageError
from crmsync.mappings import ValueProblem
from crmsync.project import Intake
from crmsync.records import Record, RegistrationState, Value, kind_of
from crmsync.sync.diff import label_of
from crmsync.sync.plan import Change, FieldChange
from crmsync.sync.planner import build_plan
from crmsync.sync.push import push_plan
from crmsync.sync.raw import is_blank
from crmsync.sync.report import RunReport
from crmsync.sync.session import Session

REFERENCED = ("partner", "account", "deal", "user")
KEYS: Mapping[str, str] = {"registration": "number", "touch": "key"}
"""The canonical field that makes a record of a kind unique for ever."""


def plan_intake(session: Session, report: RunReport, *, writes_rejects: bool = False) -> list[Change]:
    """What the project's intake files would create or fill.

    :raises UsageError: when the mapping cannot create such records.
    """
    changes: list[Change] = []
    for source in session.project.intake:
        planned = _plan_file(session, source)
        bad_lines = {reject.line for reject in planned.result.rejects}
        report.rejects += len(bad_lines)
        if writes_rejects and source.rejects is not None:
            write_rejects(source.rejects, planned.result)
        elif bad_lines:
            _tell_rejects(session, source, planned.result)
        changes += planned.changes
    return changes


def land_rows(session: Session, report: RunReport, changes: Sequence[Change]) -> None:
    """Write the intake rows and read them back, so that the same run decides them."""
    created = push_plan(session, report, build_plan(session, changes), decided=False)
    specs = {spec.object: spec for spec in session.mapping.objects()}
    for name in sorted({name for name, _ in created}):
        ids = [record_id for other, record_id in created if other == name]
        rows = session.connector.read(name, ids, specs[name].fields)
        with session.store.transaction():
            for record_id in ids:
                session.store.update_mirror(name, record_id, rows[record_id].fields if record_id in rows else {})
            session.store.mark_pending([(name, record_id) for record_id in ids])


def _tell_rejects(session: Session, source: Intake, result: IntakeResult) -> None:
    for reject in result.rejects:
        column = f" {reject.column}" if reject.column else ""
        session.progress.note(f"{source.file.name}:{reject.line}{column}: {reject.reason}")


# ------------------------------------------------------------------ one file


@dataclass(slots=True)
class _Planned:
    result: IntakeResult
    changes: list[Change] = field(default_factory=list)

    def reject(self, row: IntakeRow, column: str, value: str, reason: str) -> None:
        bad = RejectedRow(row.line, column, column, value, reason, row.raw)
        ordered = sorted((*self.result.rejects, bad), key=lambda reject: reject.line)
        self.result = replace(self.result, rejects=tuple(ordered))


def _plan_file(session: Session, source: Intake) -> _Planned:
    result = read_rows(source.file, source.kind, timezone=session.policy.timezone)
    planned = _Planned(resolve(result, {kind: _LazyLookup(session, kind) for kind in REFERENCED}))
    if source.kind == "partner":
        _plan_partners(session, source, planned)
    else:
        _plan_births(session, source, planned)
    return planned


class _LazyLookup:
    """Names, domains and ids of one kind, read from the mirror when first asked for."""

    def __init__(self, session: Session, kind: str) -> None:
        self._session = session
        self._kind = kind
        self._lookup: Lookup | None = None

    def __call__(self, text: str) -> tuple[str, ...]:
        if self._lookup is None:
            self._lookup = build_lookup((r.id, _names(r)) for r in _records(self._session, self._kind))
        return tuple(self._lookup(text))


def _names(record: Record) -> list[str | None]:
    return [getattr(record, name, None) for name in ("name", "number", "domain", "email")]


def _records(session: Session, kind: str, *, deleted: bool = False) -> Iterator[Record]:
    if kind not in session.mapping.kinds:
        return
    name = session.mapping.object_of(kind)
    for row in session.store.rows(name, include_deleted=deleted):
        read = session.mapping.read(name, replace(row, deleted=False))
        yield from (record for record in read.records if kind_of(record) == kind)


# ------------------------------------------------------------------ registrations and touches


def _plan_births(session: Session, source: Intake, planned: _Planned) -> None:
    """Rows whose key is new. The mirror may lag, so the CRM itself is asked before anything is created."""
    kind = source.kind
    known = {_folded(getattr(record, KEYS[kind])) for record in _records(session, kind, deleted=True)}
    fresh = {key: row for row in planned.result.rows if _folded(key := _key(kind, row)) not in known}
    if not fresh:
        return
    key_field = _key_field(session, kind)
    there = session.connector.find(session.mapping.object_of(kind), key_field, sorted(fresh))
    for key, row in fresh.items():
        if key not in there and (change := _birth(session, source, planned, row, key)):
            planned.changes.append(change)


def _key_field(session: Session, kind: str) -> str:
    key_field = session.mapping.key_field(kind)
    if not key_field:
        raise UsageError(
            f"the mapping names no key of '{kind}', so rows of an intake file could be created twice",
            hint=f"map '{kind}.{KEYS[kind]}' and write `key: {KEYS[kind]}` beside its fields",
        )
    return key_field


def _folded(key: str | None) -> str:
    return (key or "").strip().casefold()


def _key(kind: str, row: IntakeRow) -> str:
    """The number, or what the row says in short: the same row is the same record wherever it stands in the file."""
    if kind == "registration":
        return str(row.values["number"])
    said = {**row.values, **row.references}
    text = orjson.dumps({name: str(value) for name, value in said.items()}, option=orjson.OPT_SORT_KEYS)
    return f"{kind}-{blake2b(text, digest_size=10).hexdigest()}"


def _birth(session: Session, source: Intake, planned: _Planned, row: IntakeRow, key: str) -> Change | None:
    kind, title = source.kind, session.mapping.title_field(source.kind)
    values = {**_defaults(session, source, row), **row.values, KEYS[kind]: key}
    fields = _field_changes(session, source, planned, row, values)
    if fields is None:
        return None
    where = f"{source.file.name}:{row.line}"
    named = [FieldChange(title, title, None, key, "The record's name.", "intake", where)] if title else []
    return Change(
        op="upsert",
        kind=kind,
        object=session.mapping.object_of(kind),
        label=str(values.get("name") or key),
        fields=(*fields, *named),
        key_field=session.mapping.key_field(kind),
        key=key,
    )


def _defaults(session: Session, source: Intake, row: IntakeRow) -> dict[str, Value]:
    if source.kind == "registration":
        return {"state": RegistrationState.SUBMITTED, "submitted_at": session.now, "intake_channel": "import"}
    return {"logged_at": session.now, "name": f"{row.values['type']} of {row.partner_ref}"}


def _field_changes(
    session: Session, source: Intake, planned: _Planned, row: IntakeRow, values: Mapping[str, Value]
) -> tuple[FieldChange, ...] | None:
    """The row in the CRM's words; a row with a value that the CRM's field cannot hold is rejected."""
    where, kind = f"{source.file.name}:{row.line}", source.kind
    changes = []
    for name, value in sorted(values.items()):
        target = session.mapping.field(kind, name)
        if target is None or value in (None, ()):
            continue
        try:
            raw = session.mapping.to_remote(kind, name, value)
        except ValueProblem as problem:
            planned.reject(row, name, str(value), problem.message)
            return None
        reason = f"Read from {source.file.name}, line {row.line}."
        changes.append(FieldChange(name, target.remote_field, None, raw, reason, "intake", where))
    return tuple(changes)


# ------------------------------------------------------------------ partners


def _plan_partners(session: Session, source: Intake, planned: _Planned) -> None:
    """Partner facts for companies that the CRM knows as partners: only what is empty there is filled."""
    find = _LazyLookup(session, "account")
    partners = {record.id: record for record in _records(session, "partner")}
    for row in planned.result.rows:
        name = str(row.values["name"])
        ids = find(str(row.values.get("domain") or "")) or find(name)
        if problem := _partner_problem(session, ids, partners):
            planned.reject(row, "name", name, problem)
            continue
        change = _partner_change(session, source, planned, row, partners[ids[0]])
        if change is not None:
            planned.changes.append(change)


def _partner_problem(session: Session, ids: Sequence[str], partners: Mapping[str, Record]) -> str:
    if not ids:
        return "no company in the CRM has this name or domain"
    if len(ids) > 1:
        return f"{len(ids)} companies fit: {', '.join(ids[:5])}"
    if ids[0] not in partners:
        where = session.mapping.kind_mappings["partner"].where
        field_name = f" (field {where.field})" if where else ""
        return f"the company {ids[0]} is not marked as a partner in the CRM{field_name}"
    return ""


def _partner_change(
    session: Session, source: Intake, planned: _Planned, row: IntakeRow, partner: Record
) -> Change | None:
    facts = {n: value for n, value in row.values.items() if n not in ("name", "domain", "country")}
    fields = _field_changes(session, source, planned, row, facts)
    name = session.mapping.object_of("partner")
    stored = session.store.row(name, partner.id)
    raw = stored.fields if stored else {}
    empty = tuple(change for change in fields or () if is_blank(raw.get(change.remote_field)))
    return Change("update", "partner", name, label_of(partner), empty, id=partner.id) if empty else None
