"""Push: a plan into the CRM, batch by batch, every record with an outcome.

Before a batch leaves, its records are read again: a field that no longer holds the plan's old value was changed by
somebody and is left alone (*drifted*); one that already holds the new value needs nothing. Where a field is contended,
the write itself is conditional on the modified date just read. The journal row is durable before the request leaves.
An answer that was lost makes the outcome *unknown*, which is settled by reading back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby, islice

from crmsync.connectors.refusals import find_refusal
from crmsync.remote import Outcome, RemoteRecord, Scalar, Write, WriteLink
from crmsync.sync.allowed import check_allowed
from crmsync.sync.bases import remember
from crmsync.sync.booking import journal_rows
from crmsync.sync.plan import FINGERPRINT, Change, Plan
from crmsync.sync.planner import remember_task
from crmsync.sync.raw import is_same
from crmsync.sync.readback import ReadBack
from crmsync.sync.rejects import RejectBook
from crmsync.sync.report import RunReport, WriteFailure
from crmsync.sync.session import Session
from crmsync.sync.settle import settle


def push_plan(session: Session, report: RunReport, plan: Plan, *, decided: bool = True) -> list[tuple[str, str]]:
    """Write every change of the plan; the records that were created, as ``(object, id)``.

    Failures of records are reported, not raised. ``decided`` says that the decisions behind the plan are in the store,
    so that a record which now agrees with them awaits nothing more; without, what was written is decided anew.
    """
    check_allowed(session.mapping, plan.changes)
    pusher = Pusher(session, report, plan, decided=decided)
    changes: Sequence[Change] = plan.changes
    if report.mode == "sync":
        changes, waiting = pusher.rejects.due(plan.changes)
        report.waiting += len(waiting)
    done = 0
    for batch in _batches(changes, session.connector.batch_size):
        pusher.push(batch)
        done += len(batch)
        session.progress.step("push", done, len(changes))
    return pusher.created


def _batches(changes: Iterable[Change], size: int) -> Iterator[list[Change]]:
    for _, group in groupby(changes, key=lambda change: (change.op, change.object)):
        while batch := list(islice(group, size)):
            yield batch


class Pusher:
    """Writes batches for one run and keeps the books."""

    def __init__(self, session: Session, report: RunReport, plan: Plan, *, decided: bool) -> None:
        self._session = session
        self._report = report
        self._decided = decided
        self._owed = Counter(change.place for change in plan.changes)
        self._read_at: dict[str, datetime | None] = {}
        """By id, the modified date of each record of the batch at hand as it was read just now."""
        self.rejects = RejectBook(session, report.run_id)
        self._reader = ReadBack(session, report)
        self._round = f"~{report.rounds}" if report.rounds else ""
        self.created: list[tuple[str, str]] = []

    def push(self, batch: Sequence[Change]) -> None:
        """Write one batch: records of one object, all updates or all upserts.

        What is known is booked before anything unknown is read back: that reading may fail, too.
        """
        if batch[0].op == "update":
            batch = self._still_wanted(batch)
        if not batch:
            return
        doubtful = self._send(batch, self._round)
        if doubtful:
            self._send(doubtful, f"{self._round}~again", is_last=True)

    def _send(self, batch: Sequence[Change], mark: str, *, is_last: bool = False) -> list[Change]:
        """Journal, write and book a batch.

        :return: what was refused as bad data by the side of others: one more try in the same run tells an accident
            from a fact, because after that it waits until something changes. Not booked as failures yet.
        """
        run = self._report.run_id
        by_ref = {f"{run}{mark}/{change.object}/{change.id or change.key}": change for change in batch}
        writes = {ref: self._write(ref, change) for ref, change in by_ref.items()}
        self._session.store.journal_intents(
            [row for ref, change in by_ref.items() for row in journal_rows(self._report.run_id, ref, change)]
        )
        outcomes = self._session.connector.push(list(writes.values()))
        outcomes = self._reader.checked(by_ref, writes, outcomes)
        doubtful = [] if is_last else [by_ref[outcome.ref] for outcome in outcomes if _is_doubtful(outcome)]
        self._book_all(by_ref, [outcome for outcome in outcomes if outcome.status != "unknown"], doubtful)
        unsure = [outcome for outcome in outcomes if outcome.status == "unknown"]
        if unsure:
            settled = settle(self._session.connector, [writes[outcome.ref] for outcome in unsure])
            self._book_all(by_ref, [_told(one, other) for one, other in zip(settled, unsure, strict=True)])
        return doubtful

    # -------------------------------------------------------------- before the write

    def _still_wanted(self, batch: Sequence[Change]) -> list[Change]:
        """The changes whose fields still hold what the plan saw."""
        ids = [change.id for change in batch if change.id]
        names = sorted({field.remote_field for change in batch for field in change.fields})
        current = self._session.connector.read(batch[0].object, ids, names)
        self._read_at = {row.id: row.modified_at for row in current.values()}
        return [change for change in batch if self._is_wanted(change, current.get(change.id or ""))]

    def _is_wanted(self, change: Change, row: RemoteRecord | None) -> bool:
        if row is None:
            self._fail(change, "failed", "GONE", "the record no longer exists in the CRM")
            return False
        if all(is_same(row.fields.get(f.remote_field), f.new) for f in change.fields if not _is_stamp(f.field)):
            names = [field.remote_field for field in change.fields if field.field != FINGERPRINT]
            held = {name: row.fields.get(name) for name in names}
            with self._session.store.transaction():
                self._agree(change, held)
            return False
        drifted = [f.remote_field for f in change.fields if not is_same(row.fields.get(f.remote_field), f.old)]
        if drifted:
            message = f"changed in the CRM since the plan was made: {', '.join(drifted)}"
            self._fail(change, "drifted", "DRIFTED", message)
            self._remember_seen(change, drifted)
        return not drifted

    def _remember_seen(self, change: Change, drifted: Collection[str]) -> None:
        """At the first contact with a field, what the plan saw is all there is to know an edit by."""
        known = self._session.store.bases(change.object, [change.id or ""])
        seen = {f.remote_field: f.old for f in change.fields if f.remote_field in drifted and f.field != FINGERPRINT}
        fresh = {name: old for name, old in seen.items() if (change.id or "", name) not in known}
        remember(self._session, self._report.run_id, change.object, change.id or "", fresh)

    def _write(self, ref: str, change: Change) -> Write:
        """Conditional where a contended field is touched; a connector whose CRM cannot do that ignores it."""
        write = _write(ref, change)
        if change.op != "update" or not self._session.mapping.is_contended(change.object, write.fields):
            return write
        return replace(write, unless_since=self._read_at.get(change.id or ""))

    # -------------------------------------------------------------- after the write

    def _book_all(
        self, by_ref: dict[str, Change], outcomes: Iterable[Outcome], doubtful: Sequence[Change] = ()
    ) -> None:
        with self._session.store.transaction():
            for outcome in outcomes:
                change = by_ref[outcome.ref]
                self._note(outcome)
                if change not in doubtful:
                    self._book(change, outcome)

    def _note(self, outcome: Outcome) -> None:
        self._session.store.journal_outcome(
            outcome.ref,
            outcome.status,
            id=outcome.id,
            code=outcome.code,
            message=outcome.message,
            request_id=outcome.request_id,
            created=outcome.created,
            at=self._session.now,
        )

    def _book(self, change: Change, outcome: Outcome) -> None:
        report = self._report
        if outcome.status != "ok":
            self._fail(change, outcome.status, outcome.code, outcome.message)
            if outcome.status == "failed":
                self.rejects.refused(change, outcome)
            return
        report.written += 1
        report.created += outcome.created
        if change.kind == "task":
            report.tasks += 1
            remember_task(self._session, change.key, outcome.id or "")
        elif change.op == "upsert" and outcome.id:
            self.created.append((change.object, outcome.id))
            remember(self._session, self._report.run_id, change.object, outcome.id, _new_values(change))
        self._agree(change, _new_values(change))
        self._reader.correct(change, outcome.ref)

    def _agree(self, change: Change, held: dict[str, Scalar]) -> None:
        """The CRM holds what was decided: the mirror knows it, and the record waits only for what else it is owed."""
        store, place = self._session.store, change.place
        self.rejects.done(change)
        self._owed[place] -= 1
        if change.id:
            store.update_mirror(change.object, change.id, held)
            remember(self._session, self._report.run_id, change.object, change.id, held)
        if place is None:
            return
        if not self._decided:
            store.mark_pending([place])
        elif self._owed[place] <= 0:
            store.clear_pending([place])

    def _fail(self, change: Change, status: str, code: str, message: str) -> None:
        failure = WriteFailure(
            object=change.object,
            record_id=change.id or change.key,
            label=change.label,
            status="drifted" if status == "drifted" else "unknown" if status == "unknown" else "failed",
            code=code,
            message=message,
            where=change.fields[0].where,
        )
        self._report.failures.append(failure)
        self._report.failed += status != "drifted"
        self._report.skipped += status == "drifted"


def _is_doubtful(outcome: Outcome) -> bool:
    if outcome.status != "failed" or outcome.retriable or outcome.isolated:
        return False
    return find_refusal(outcome.code, retriable=False).reject_class == "data"


def _told(settled: Outcome, asked: Outcome) -> Outcome:
    """What reading back gave, with what the CRM had said about the write."""
    if settled.status == "ok":
        return replace(settled, request_id=asked.request_id)
    code, message = asked.code or settled.code, asked.message or settled.message
    return replace(settled, code=code, message=message, request_id=asked.request_id)


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
    return name in ("synced_at", FINGERPRINT)
