"""Intake: registrations, touches and partner facts that people keep in files land in the CRM as records.

A row is a record's birth, not its life: a registration whose number the CRM already has is left alone, and a partner
file fills only what is empty. Bad rows come back in a rejects file with line, column and reason; good rows go on
without them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from crmsync.connectors.files import IntakeResult, IntakeRow, Lookup, build_lookup, read_rows, resolve, write_rejects
from crmsync.mappings import ValueProblem
from crmsync.project import Intake
from crmsync.records import Record, RegistrationState, Value, kind_of
from crmsync.sync.diff import label_of
from crmsync.sync.plan import Change, FieldChange, Plan
from crmsync.sync.planner import build_plan
from crmsync.sync.pull import pull_object
from crmsync.sync.push import push_plan
from crmsync.sync.report import RunReport
from crmsync.sync.session import Session

REFERENCED = ("partner", "account", "deal", "user")


def plan_intake(session: Session, report: RunReport, *, write_rejects_file: bool = False) -> list[Change]:
    """What the project's intake files would create or fill."""
    changes: list[Change] = []
    for source in session.project.intake:
        result = _read(session, source)
        report.rejects += len({reject.line for reject in result.rejects})
        if write_rejects_file and source.rejects is not None:
            write_rejects(source.rejects, result)
        changes += _changes(session, source, result)
    return changes


def land_intake(session: Session, report: RunReport, check: Callable[[Plan], None]) -> None:
    """Write the intake rows and read them back, so that the same run decides them."""
    changes = plan_intake(session, report, write_rejects_file=True)
    if not changes:
        return
    plan = build_plan(session, changes)
    check(plan)
    push_plan(session, report, plan)
    touched = {change.object for change in changes}
    for spec in session.mapping.objects():
        if spec.object in touched:
            pull_object(session, report, spec)


def _read(session: Session, source: Intake) -> IntakeResult:
    result = read_rows(source.file, source.kind, timezone=session.policy.timezone)
    return resolve(result, {kind: _LazyLookup(session, kind) for kind in REFERENCED})


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


def _records(session: Session, kind: str) -> Iterator[Record]:
    if kind not in session.mapping.kinds:
        return
    name = session.mapping.object_of(kind)
    for row in session.store.rows(name):
        yield from (record for record in session.mapping.read(name, row).records if kind_of(record) == kind)


def _changes(session: Session, source: Intake, result: IntakeResult) -> Iterator[Change]:
    if result.kind == "partner":
        yield from _partner_changes(session, source, result)
        return
    known = {_key(result.kind, record) for record in _records(session, result.kind)}
    for row in result.rows:
        key = str(row.values.get(_KEY_FIELDS[result.kind]) or f"{source.file.name}:{row.line}")
        if key not in known:
            yield _creation(session, source, result.kind, row, key)


_KEY_FIELDS: Mapping[str, str] = {"registration": "number", "touch": "name"}


def _key(kind: str, record: Record) -> str | None:
    key = getattr(record, _KEY_FIELDS[kind])
    return str(key) if key else None


def _creation(session: Session, source: Intake, kind: str, row: IntakeRow, key: str) -> Change:
    values = {**_defaults(session, kind), **row.values, _KEY_FIELDS[kind]: key}
    fields = _field_changes(session, source, kind, row.line, values)
    return Change(
        op="upsert",
        kind=kind,
        object=session.mapping.object_of(kind),
        label=key,
        fields=(*fields, *_title(session, source, kind, row.line, key)),
        key_field=session.mapping.key_field(kind),
        key=key,
    )


def _title(session: Session, source: Intake, kind: str, line: int, key: str) -> list[FieldChange]:
    """The field that the CRM itself calls the record by (Salesforce: ``Name``), where it is not mapped anyway."""
    title = session.mapping.title_field(kind)
    where = f"{source.file.name}:{line}"
    return [FieldChange(title, title, None, key, "The record's name.", "intake", where)] if title else []


def _defaults(session: Session, kind: str) -> dict[str, Value]:
    if kind == "registration":
        return {"state": RegistrationState.SUBMITTED, "submitted_at": session.now, "intake_channel": "import"}
    return {"logged_at": session.now}


def _field_changes(
    session: Session, source: Intake, kind: str, line: int, values: Mapping[str, Value]
) -> tuple[FieldChange, ...]:
    where = f"{source.file.name}:{line}"
    changes = []
    for name, value in sorted(values.items()):
        target = session.mapping.field(kind, name)
        if target is None or value in (None, ()):
            continue
        try:
            raw = session.mapping.to_remote(kind, name, value)
        except ValueProblem as problem:
            session.progress.note(f"{where}: {name} left out: {problem.message}")
            continue
        reason = f"Read from {source.file.name}, line {line}."
        changes.append(FieldChange(name, target.remote_field, None, raw, reason, "intake", where))
    return tuple(changes)


def _partner_changes(session: Session, source: Intake, result: IntakeResult) -> Iterator[Change]:
    """Partner facts for companies that the CRM knows: only what is empty there is filled."""
    known = {record.id: record for record in _records(session, "account")}
    lookup = build_lookup((record.id, _names(record)) for record in known.values())
    partners = {record.id: record for record in _records(session, "partner")}
    for row in result.rows:
        ids = lookup(str(row.values.get("domain") or "")) or lookup(str(row.values["name"]))
        if len(ids) != 1:
            session.progress.note(f"{source.file.name}:{row.line}: no single company for '{row.values['name']}'")
            continue
        current = partners.get(ids[0])
        missing = {n: v for n, v in row.values.items() if getattr(current, n, None) in (None, ())}
        missing = {n: v for n, v in missing.items() if n not in ("name", "domain", "country")}
        fields = _field_changes(session, source, "partner", row.line, missing)
        if fields:
            name = session.mapping.object_of("partner")
            old = session.store.row(name, ids[0])
            raw = old.fields if old else {}
            fields = tuple(replace(change, old=raw.get(change.remote_field)) for change in fields)
            yield Change("update", "partner", name, label_of(known[ids[0]]), fields, id=ids[0])
