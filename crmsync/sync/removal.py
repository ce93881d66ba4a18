"""Removal: records that crmsync made and nobody touched since go into the CRM's recycle bin. Only an undo does this."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice

from crmsync.remote import Outcome, RemoteRecord, Write
from crmsync.sync.booking import journal_rows
from crmsync.sync.plan import Change
from crmsync.sync.raw import is_same
from crmsync.sync.report import RunReport, WriteFailure
from crmsync.sync.session import Session
from crmsync.sync.settle import settle


def remove_created(session: Session, report: RunReport, changes: Iterable[Change]) -> None:
    """Remove records. What the journal does not know as our own making is refused; what changed since is left alone."""
    for object_name, group in groupby(changes, key=lambda change: change.object):
        while batch := list(islice(group, session.connector.batch_size)):
            _remove(session, report, object_name, batch)


def _remove(session: Session, report: RunReport, object_name: str, batch: Sequence[Change]) -> None:
    names = sorted({field.remote_field for change in batch for field in change.fields})
    there = session.connector.read(object_name, [change.id for change in batch if change.id], names)
    wanted = [change for change in batch if _is_wanted(session, report, change, there.get(change.id or ""))]
    by_ref = {f"{report.run_id}/{change.object}/{change.id}": change for change in wanted}
    if not by_ref:
        return
    writes = [Write(ref, "delete", object_name, _held(change), id=change.id) for ref, change in by_ref.items()]
    session.store.journal_intents(
        [row for ref, change in by_ref.items() for row in journal_rows(report.run_id, ref, change)]
    )
    for outcome in _outcomes(session, writes):
        _book(session, report, by_ref[outcome.ref], outcome)


def _held(change: Change) -> dict[str, None]:
    return dict.fromkeys(field.remote_field for field in change.fields)


def _outcomes(session: Session, writes: Sequence[Write]) -> Iterator[Outcome]:
    outcomes = session.connector.push(writes)
    yield from (outcome for outcome in outcomes if outcome.status != "unknown")
    unsure = {outcome.ref for outcome in outcomes if outcome.status == "unknown"}
    if unsure:
        yield from settle(session.connector, [write for write in writes if write.ref in unsure])


def _is_wanted(session: Session, report: RunReport, change: Change, row: RemoteRecord | None) -> bool:
    if not session.store.was_created(change.object, change.id or ""):
        _fail(report, change, "failed", "NOT_OURS", "the journal does not know it as a record that crmsync made")
        return False
    if row is None:
        return False
    touched = [f.remote_field for f in change.fields if not is_same(row.fields.get(f.remote_field), f.old)]
    if touched:
        report.skipped += 1
        _fail(report, change, "drifted", "DRIFTED", f"changed in the CRM since it was made: {', '.join(touched)}")
    return not touched


def _book(session: Session, report: RunReport, change: Change, outcome: Outcome) -> None:
    with session.store.transaction():
        session.store.journal_outcome(
            outcome.ref,
            outcome.status,
            code=outcome.code,
            message=outcome.message,
            request_id=outcome.request_id,
            at=session.now,
        )
        if outcome.status == "ok":
            session.store.mark_deleted(change.object, [change.id or ""])
    if outcome.status == "ok":
        report.deleted += 1
    else:
        _fail(report, change, outcome.status, outcome.code, outcome.message)


def _fail(report: RunReport, change: Change, status: str, code: str, message: str) -> None:
    report.failed += status != "drifted"
    report.failures.append(
        WriteFailure(
            object=change.object,
            record_id=change.id or "",
            label=change.label,
            status="drifted" if status == "drifted" else "unknown" if status == "unknown" else "failed",
            code=code,
            message=message,
        )
    )
