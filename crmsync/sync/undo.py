"""Undo: a plan that takes a run back. A field gets its value from before the run only where it still holds ours; what
somebody changed since is listed and left. An undo is a run like any other, and can be undone itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from crmsync.diagnostics import did_you_mean
from crmsync.errors import UsageError
from crmsync.remote import Edit, RemoteRecord, Scalar
from crmsync.store import JournalRow
from crmsync.sync.holds import hold_undone
from crmsync.sync.plan import FINGERPRINT, LINK, Change, FieldChange, Plan
from crmsync.sync.planner import build_plan
from crmsync.sync.push import push_plan
from crmsync.sync.raw import is_same
from crmsync.sync.removal import remove_created
from crmsync.sync.report import RunReport
from crmsync.sync.session import Session

STAMPS = ("policy_version", "synced_at", FINGERPRINT)
"""Fields that ride along with each write: never a reason to list a record, or to undo it."""

Reason = Literal["edited", "superseded", "gone", "existed", "touched", "kept", "unknown"]

_READ = 1000
"""Records that are read and compared at once: bounds memory, whatever the size of the run."""


@dataclass(frozen=True, slots=True)
class Left:
    """What the undo leaves as it is, and why.

    ``edited``: somebody changed the field since · ``superseded``: a later run of ours did · ``gone``: no record
    · ``touched``: we made the record, and somebody changed it since · ``kept``: we made it, and the guards keep it ·
    ``existed``: what it held before is not known · ``unknown``: nobody knows whether the write was done.
    """

    reason: Reason
    kind: str
    object: str
    record_id: str
    label: str
    field: str = ""
    remote_field: str = ""
    ours: Scalar = None
    """What the run wrote."""
    found: Scalar = None
    """What the CRM holds now."""
    by: str = ""
    """Who changed it, where the CRM tells; the later run for ``superseded``."""
    at: datetime | None = None


@dataclass(slots=True)
class Undo:
    """The plan, and what it leaves."""

    run_id: str
    plan: Plan
    left: list[Left] = field(default_factory=list)


@dataclass(slots=True)
class _Record:
    """What a run did to one record, field by field: the value before its first write, and after its last."""

    first: JournalRow
    rows: dict[str, JournalRow] = field(default_factory=dict)
    ties: list[JournalRow] = field(default_factory=list)

    @property
    def op(self) -> str:
        return "delete" if self.first.op == "delete" else "create" if self.first.created else self.first.op

    def add(self, row: JournalRow) -> None:
        if row.field == LINK:
            self.ties.append(row)
            return
        known = self.rows.get(row.remote_field)
        self.rows[row.remote_field] = replace(row, old=known.old) if known else row


def make_undo(session: Session, run_id: str, *, only: Sequence[str] = (), delete_created: bool = False) -> Undo:
    """Read what the run wrote and plan its reversal. Writes nothing.

    :param only: kinds, fields (canonical or the CRM's) and records (``kind:id``, id, name) to take back; empty: all.
    :param delete_created: remove what the run created, where nobody touched it; else such records are listed.
    :raises UsageError: when there is no such run, it wrote nothing, or ``only`` names nothing of it.
    """
    written = _written(session, run_id)
    undo = Undo(run_id, build_plan(session, []))
    undo.left += [_left("unknown", row) for row in written if row.status == "unknown" or row.status is None]
    records = _by_record(_only([row for row in written if row.status == "ok"], only))
    changes: list[Change] = []
    for batch in _batches(records):
        changes += _undo_batch(session, undo, batch, delete_created=delete_created)
    undo.left = _tell_editors(session, undo.left)
    plan = build_plan(session, changes)
    undo.plan = replace(
        plan, undoes=run_id, changes=_with_old_fingerprints(plan.changes, changes, undo.left, partial=bool(only))
    )
    return undo


def write_undo(session: Session, report: RunReport, plan: Plan) -> None:
    """Write an undo: values back, then records away. What was taken back is held, or the next sync would write it."""
    hold_undone(session, report, plan)
    kept = tuple(change for change in plan.changes if change.op != "delete")
    push_plan(session, report, replace(plan, changes=kept), decided=False)
    remove_created(session, report, [change for change in plan.changes if change.op == "delete"])


def _with_old_fingerprints(
    planned: Iterable[Change], asked: Iterable[Change], left: Iterable[Left], *, partial: bool
) -> tuple[Change, ...]:
    """A record that goes back as a whole gets its old fingerprint, too; one that does not gets a new one, as the plan
    has it: values of ours that stay must be known as ours."""
    partly = {(entry.object, entry.record_id) for entry in left}
    whole = {(c.object, c.id): c for c in asked if c.op == "delete" or not (partial or (c.object, c.id) in partly)}
    return tuple(_with_fingerprint(change, whole.get((change.object, change.id))) for change in planned)


def _with_fingerprint(change: Change, asked: Change | None) -> Change:
    own = next((f for f in asked.fields if f.field == FINGERPRINT), None) if asked else None
    if asked is not None and asked.op == "delete":
        return asked
    if own is None:
        return change
    return replace(change, fields=tuple(own if f.field == FINGERPRINT else f for f in change.fields))


# ------------------------------------------------------------------ what the run did


def _written(session: Session, run_id: str) -> list[JournalRow]:
    if session.store.run(run_id) is None:
        known = [str(run["run_id"]) for run in session.store.runs(50)]
        raise UsageError(f"no run '{run_id}'", hint=did_you_mean(run_id, known) or "crmsync runs")
    rows = [row for row in session.store.run_history(run_id) if row.status != "failed"]
    if not rows:
        raise UsageError(f"run {run_id} wrote nothing", hint="crmsync runs")
    return rows


def _only(rows: list[JournalRow], only: Sequence[str]) -> list[JournalRow]:
    """The rows that are asked for: of any of the kinds and records named, and any of the fields named."""
    records = {word for word in only if any(_names_record(row, word) for row in rows)}
    fields = {word for word in only if any(word in (row.field, row.remote_field) for row in rows)}
    if strange := [word for word in only if word not in records | fields]:
        known = {name for row in rows for name in (row.kind, row.field, row.remote_field, row.label)}
        hint = did_you_mean(strange[0], known) or f"fields of it: {', '.join(sorted({r.field for r in rows})[:12])}"
        raise UsageError(f"the run wrote nothing that '{strange[0]}' names", hint=hint)
    return [
        row
        for row in rows
        if (not records or any(_names_record(row, word) for word in records))
        and (not fields or row.field in fields or row.remote_field in fields or row.field in STAMPS)
    ]


def _names_record(row: JournalRow, word: str) -> bool:
    return (
        word in (row.kind, row.record_id, row.key, f"{row.kind}:{row.record_id}") or word.lower() == row.label.lower()
    )


def _by_record(rows: Iterable[JournalRow]) -> list[_Record]:
    records: dict[tuple[str, str], _Record] = {}
    for row in rows:
        records.setdefault((row.object, row.record_id), _Record(row)).add(row)
    return list(records.values())


def _batches(records: Sequence[_Record]) -> Iterator[list[_Record]]:
    """Records of one object each."""
    by_object: dict[str, list[_Record]] = {}
    for record in records:
        by_object.setdefault(record.first.object, []).append(record)
    for group in by_object.values():
        for start in range(0, len(group), _READ):
            yield group[start : start + _READ]


# ------------------------------------------------------------------ what can be taken back


def _undo_batch(session: Session, undo: Undo, batch: Sequence[_Record], *, delete_created: bool) -> Iterator[Change]:
    names = sorted({name for record in batch for name in record.rows})
    ids = [record.first.record_id for record in batch if record.op != "delete"]
    live = session.connector.read(batch[0].first.object, ids, names) if ids else {}
    for record in batch:
        row = live.get(record.first.record_id)
        match record.op:
            case "delete":
                yield _created_again(undo, record)
            case _ if row is None:
                undo.left.append(_left("gone", record.first))
            case "create":
                yield from _removed(undo, record, row, delete_created=delete_created)
            case "upsert":
                undo.left.append(_left("existed", record.first))
            case _:
                yield from _restored(session, undo, record, row)


def _restored(session: Session, undo: Undo, record: _Record, live: RemoteRecord) -> Iterator[Change]:
    """The fields that still hold what the run wrote go back; where no other does, the stamps stay as well."""
    fields = []
    for name, row in record.rows.items():
        found = live.fields.get(name)
        if is_same(found, row.new):
            fields.append(_back(undo, row))
        elif not is_same(found, row.old) and row.field not in STAMPS:
            undo.left.append(_changed_since(session, row, found))
    if any(change.field not in STAMPS for change in fields):
        yield _change(record, "update", fields, record_id=record.first.record_id)


def _back(undo: Undo, row: JournalRow) -> FieldChange:
    reason = f"The value before run {undo.run_id}."
    return FieldChange(row.field, row.remote_field, row.new, row.old, reason, "undo", row.where)


def _removed(undo: Undo, record: _Record, live: RemoteRecord, *, delete_created: bool) -> Iterator[Change]:
    touched = [row for name, row in record.rows.items() if not is_same(live.fields.get(name), row.new)]
    if touched:
        undo.left += [_left("touched", row, found=live.fields.get(row.remote_field)) for row in touched]
    elif not delete_created:
        undo.left.append(_left("kept", record.first))
    else:
        fields = [_back(undo, replace(row, old=None)) for row in record.rows.values()]
        yield _change(record, "delete", fields, record_id=record.first.record_id)


def _created_again(undo: Undo, record: _Record) -> Change:
    """No API brings a record back from the bin with its id: it is made anew by its key."""
    return _change(record, "upsert", [_back(undo, row) for row in record.rows.values()])


def _change(
    record: _Record,
    op: Literal["update", "upsert", "delete"],
    fields: Sequence[FieldChange],
    *,
    record_id: str | None = None,
) -> Change:
    first = record.first
    return Change(
        op=op,
        kind=first.kind,
        object=first.object,
        label=first.label,
        fields=tuple(sorted(fields, key=lambda change: change.field)),
        id=record_id,
        key_field="" if op == "update" else first.key_field,
        key="" if op == "update" else first.key,
        links=() if op == "update" else tuple(_tie(row) for row in record.ties),
    )


def _tie(row: JournalRow) -> tuple[str, str, str]:
    to_object, _, label = row.remote_field.partition(" ")
    return to_object, str(row.new if row.new is not None else row.old), label


# ------------------------------------------------------------------ what is left


def _changed_since(session: Session, row: JournalRow, found: Scalar) -> Left:
    later = session.store.last_write(row.object, row.record_id, row.remote_field)
    if later is not None and later.run_id != row.run_id and is_same(later.new, found):
        return _left("superseded", row, found=found, by=later.run_id, at=later.at)
    return _left("edited", row, found=found)


def _left(reason: Reason, row: JournalRow, *, found: Scalar = None, by: str = "", at: datetime | None = None) -> Left:
    is_field = reason in ("edited", "superseded", "touched", "unknown")
    return Left(
        reason=reason,
        kind=row.kind,
        object=row.object,
        record_id=row.record_id,
        label=row.label,
        field=row.field if is_field else "",
        remote_field=row.remote_field if is_field else "",
        ours=row.new if is_field else None,
        found=found,
        by=by,
        at=at,
    )


def _tell_editors(session: Session, left: Sequence[Left]) -> list[Left]:
    """The same with who edited and when, as far as the CRM tells; asked only about what was edited."""
    edited = [entry for entry in left if entry.reason in ("edited", "touched")]
    told: dict[tuple[str, str, str], Edit] = {}
    for name in sorted({entry.object for entry in edited}):
        entries = [entry for entry in edited if entry.object == name]
        ids, fields = sorted({e.record_id for e in entries}), sorted({e.remote_field for e in entries})
        for (record_id, field_name), edits in session.connector.edits(name, ids, fields).items():
            if edits:
                told[name, record_id, field_name] = edits[0]
    return [_told(entry, told.get((entry.object, entry.record_id, entry.remote_field))) for entry in left]


def _told(entry: Left, edit: Edit | None) -> Left:
    return entry if edit is None else replace(entry, by=edit.by or edit.by_id, at=edit.at)
