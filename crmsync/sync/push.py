"""Push: a plan into the CRM, batch by batch, every record with an outcome.

Before a batch leaves, its records are read again: a field that no longer holds the plan's old value was changed by
somebody and is left alone (*drifted*); one that already holds the new value needs nothing. The journal row is durable
before the request leaves. An answer that was lost makes the outcome *unknown*, which is settled by reading back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice

from crmsync.remote import Outcome, RemoteRecord, Scalar, Write, WriteLink
from crmsync.store import JournalRow, WriteStatus
from crmsync.sync.plan import Change, Plan
from crmsync.sync.planner import remember_task
from crmsync.sync.report import RunReport, WriteFailure
from crmsync.sync.session import Session


def push_plan(session: Session, report: RunReport, plan: Plan) -> None:
    """Write every change of the plan. Failures of records are reported, not raised."""
    pusher = Pusher(session, report)
    done = 0
    for batch in _batches(plan.changes, session.connector.batch_size):
        pusher.push(batch)
        done += len(batch)
        session.progress.step("push", done, len(plan.changes))


def _batches(changes: Iterable[Change], size: int) -> Iterator[list[Change]]:
    for _, group in groupby(changes, key=lambda change: (change.op, change.object)):
        while batch := list(islice(group, size)):
            yield batch


class Pusher:
    """Writes batches for one run and keeps the books."""

    def __init__(self, session: Session, report: RunReport) -> None:
        self._session = session
        self._report = report

    def push(self, batch: Sequence[Change]) -> None:
        """Write one batch: records of one object, all updates or all upserts."""
        if batch[0].op == "update":
            batch = self._still_wanted(batch)
        if not batch:
            return
        refs = [f"{self._report.run_id}/{change.object}/{change.id or change.key}" for change in batch]
        self._session.store.journal_intents(
            [row for ref, change in zip(refs, batch, strict=True) for row in self._journal_rows(ref, change)]
        )
        outcomes = self._session.connector.push([_write(ref, c) for ref, c in zip(refs, batch, strict=True)])
        outcomes = [self._settle(change, outcome) for change, outcome in zip(batch, outcomes, strict=True)]
        with self._session.store.transaction():
            for change, outcome in zip(batch, outcomes, strict=True):
                self._book(change, outcome)

    # -------------------------------------------------------------- before the write

    def _still_wanted(self, batch: Sequence[Change]) -> list[Change]:
        """The changes whose fields still hold what the plan saw."""
        ids = [change.id for change in batch if change.id]
        names = sorted({field.remote_field for change in batch for field in change.fields})
        current = self._session.connector.read(batch[0].object, ids, names)
        return [change for change in batch if self._is_wanted(change, current.get(change.id or ""))]

    def _is_wanted(self, change: Change, row: RemoteRecord | None) -> bool:
        if row is None:
            self._fail(change, "failed", "GONE", "the record no longer exists in the CRM")
            return False
        if all(_equal(row.fields.get(f.remote_field), f.new) for f in change.fields if not _is_stamp(f.field)):
            self._settled(change)
            return False
        drifted = [f.remote_field for f in change.fields if not _equal(row.fields.get(f.remote_field), f.old)]
        if drifted:
            message = f"changed in the CRM since the plan was made: {', '.join(drifted)}"
            self._fail(change, "drifted", "DRIFTED", message)
            self._report.skipped += 1
        return not drifted

    def _settled(self, change: Change) -> None:
        store = self._session.store
        with store.transaction():
            store.update_mirror(change.object, change.id or "", _new_values(change))
            store.clear_pending([(change.object, change.id or "")])

    # -------------------------------------------------------------- after the write

    def _settle(self, change: Change, outcome: Outcome) -> Outcome:
        """An unknown outcome becomes a known one by reading back."""
        if outcome.status != "unknown":
            return outcome
        found = self._read_back(change)
        if found:
            return Outcome(outcome.ref, "ok", id=found, created=change.op == "upsert", request_id=outcome.request_id)
        return Outcome(
            outcome.ref,
            "failed",
            id=change.id,
            code=outcome.code or "NOT_APPLIED",
            message=outcome.message or "the answer was lost and the CRM shows no effect",
            retriable=True,
            request_id=outcome.request_id,
        )

    def _read_back(self, change: Change) -> str | None:
        connector = self._session.connector
        if change.op == "upsert":
            return connector.find(change.object, change.key_field, [change.key]).get(change.key)
        names = [field.remote_field for field in change.fields]
        row = connector.read(change.object, [change.id or ""], names).get(change.id or "")
        if row and all(_equal(row.fields.get(field.remote_field), field.new) for field in change.fields):
            return change.id
        return None

    def _book(self, change: Change, outcome: Outcome) -> None:
        store, report = self._session.store, self._report
        store.journal_outcome(
            outcome.ref,
            outcome.status,
            id=outcome.id,
            code=outcome.code,
            message=outcome.message,
            request_id=outcome.request_id,
            at=self._session.now,
        )
        if outcome.status != "ok":
            self._fail(change, "failed", outcome.code, outcome.message)
            return
        report.written += 1
        report.created += outcome.created
        if change.kind == "task":
            report.tasks += 1
            remember_task(self._session, change.key, outcome.id or "")
        elif change.id:
            store.update_mirror(change.object, change.id, _new_values(change))
            store.clear_pending([(change.object, change.id)])

    def _fail(self, change: Change, status: str, code: str, message: str) -> None:
        failure = WriteFailure(
            object=change.object,
            record_id=change.id or change.key,
            label=change.label,
            status="drifted" if status == "drifted" else "failed",
            code=code,
            message=message,
            where=change.fields[0].where if change.fields else "",
        )
        self._report.failures.append(failure)
        self._report.failed += status != "drifted"

    def _journal_rows(self, ref: str, change: Change) -> list[JournalRow]:
        return [
            JournalRow(
                run_id=self._report.run_id,
                ref=ref,
                op=change.op,
                object=change.object,
                record_id=change.id or "",
                key_field=change.key_field,
                key=change.key,
                kind=change.kind,
                label=change.label,
                field=field.field,
                remote_field=field.remote_field,
                old=field.old,
                new=field.new,
                rule=field.rule,
                where=field.where,
                reason=field.reason,
            )
            for field in change.fields
        ]


def settle_unfinished(session: Session) -> None:
    """What an earlier run sent without learning the outcome: read it back before anything else is done."""
    store = session.store
    for ref, rows in groupby(store.unresolved(), key=lambda row: row.ref):
        entries = list(rows)
        record_id = _find_again(session, entries)
        status: WriteStatus = "ok" if record_id else "failed"
        with store.transaction():
            store.journal_outcome(
                ref,
                status,
                id=record_id,
                code="" if record_id else "NOT_APPLIED",
                message="found by reading back after an interrupted run" if record_id else "the CRM shows no effect",
                request_id="",
                at=session.now,
            )
            if record_id and entries[0].kind == "task":
                remember_task(session, entries[0].key, record_id)
        session.progress.note(f"settled after an interrupted run: {entries[0].label} ({status})")


def _find_again(session: Session, entries: Sequence[JournalRow]) -> str | None:
    first = entries[0]
    if first.op == "upsert":
        return session.connector.find(first.object, first.key_field, [first.key]).get(first.key)
    names = [entry.remote_field for entry in entries]
    row = session.connector.read(first.object, [first.record_id], names).get(first.record_id)
    if row and all(_equal(row.fields.get(entry.remote_field), entry.new) for entry in entries):
        return first.record_id
    return None


def _write(ref: str, change: Change) -> Write:
    return Write(
        ref=ref,
        op=change.op,
        object=change.object,
        fields=_new_values(change),
        id=change.id,
        key_field=change.key_field,
        key=change.key,
        links=tuple(WriteLink(*link) for link in change.links),
    )


def _new_values(change: Change) -> dict[str, Scalar]:
    return {field.remote_field: field.new for field in change.fields}


def _is_stamp(name: str) -> bool:
    return name == "synced_at"


def _equal(one: Scalar, other: Scalar) -> bool:
    """Equal as far as the CRM tells: blank is blank, and a list of picks has no order."""
    if one in (None, "") or other in (None, ""):
        return one in (None, "") and other in (None, "")
    if one == other:
        return True
    return isinstance(one, str) and isinstance(other, str) and _same_text(one, other)


def _same_text(one: str, other: str) -> bool:
    if ";" in one or ";" in other:
        return sorted(one.split(";")) == sorted(other.split(";"))
    return False
