"""Settle: writes whose answer nobody heard become done or not done, by reading back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from crmsync.connectors.base import Connector
from crmsync.errors import Permanent
from crmsync.remote import Outcome, RemoteRecord, Write, WriteLink
from crmsync.store import JournalRow
from crmsync.sync.bases import remember
from crmsync.sync.plan import LINK
from crmsync.sync.planner import remember_task
from crmsync.sync.raw import is_same
from crmsync.sync.session import Session


def settle(connector: Connector, writes: Sequence[Write]) -> list[Outcome]:
    """One outcome per write, in order: ``ok`` where the CRM shows it, else ``failed`` and to be planned anew.

    A record that was created but may lack its ties gets them now; asking for a tie again changes nothing.
    """
    outcomes: dict[str, Outcome] = {}
    for _, group in groupby(sorted(writes, key=_exchange), key=_exchange):
        alike = list(group)
        try:
            found = _find(connector, alike)
        except Permanent as error:  # the object or a field is gone: so is the question
            outcomes |= {write.ref: _not_done(write, error.vendor_code or error.code, error.message) for write in alike}
            continue
        outcomes |= {write.ref: _outcome(write, found.get(write.ref)) for write in alike}
        outcomes |= _tie(connector, [write for write in alike if write.links and write.ref in found])
    return [outcomes[write.ref] for write in writes]


def _exchange(write: Write) -> tuple[str, str, str]:
    return (write.object, write.op, write.key_field)


def _find(connector: Connector, writes: Sequence[Write]) -> dict[str, str]:
    """Record ids by ref, of those writes of one object and op whose effect the CRM shows."""
    first = writes[0]
    if first.op == "upsert":
        ids = connector.find(first.object, first.key_field, [write.key for write in writes])
        return {write.ref: ids[write.key] for write in writes if write.key in ids}
    names = sorted({name for write in writes for name in write.fields})
    if first.op == "delete":
        there = connector.read(first.object, [write.id for write in writes if write.id], names)
        return {write.ref: write.id for write in writes if write.id and write.id not in there}
    rows = connector.read(first.object, [write.id for write in writes if write.id], names)
    return {write.ref: write.id for write in writes if write.id and _holds(rows.get(write.id), write)}


def _holds(row: RemoteRecord | None, write: Write) -> bool:
    return row is not None and all(is_same(row.fields.get(name), new) for name, new in write.fields.items())


def _outcome(write: Write, record_id: str | None) -> Outcome:
    if record_id:
        return Outcome(write.ref, "ok", id=record_id, created=write.op == "upsert")
    return _not_done(write, "NOT_APPLIED", "the answer was lost and the CRM shows no effect")


def _not_done(write: Write, code: str, message: str) -> Outcome:
    return Outcome(write.ref, "failed", id=write.id, code=code, message=message, retriable=True)


def _tie(connector: Connector, writes: Sequence[Write]) -> dict[str, Outcome]:
    bare = [replace(write, fields={}) for write in writes]
    outcomes: dict[str, Outcome] = {}
    for start in range(0, len(bare), connector.batch_size):
        outcomes |= {o.ref: o for o in connector.push(bare[start : start + connector.batch_size])}
    return outcomes


def settle_unfinished(session: Session) -> None:
    """What an earlier run sent without learning the outcome: read it back before anything else is done."""
    entries: dict[str, list[JournalRow]] = {}
    for row in session.store.unresolved():
        entries.setdefault(row.ref, []).append(row)
    writes = [_sent(ref, rows) for ref, rows in entries.items()]
    for outcome in settle(session.connector, writes):
        _book(session, entries[outcome.ref], outcome)


def _sent(ref: str, rows: Sequence[JournalRow]) -> Write:
    first = rows[0]
    return Write(
        ref=ref,
        op=first.op,
        object=first.object,
        fields={row.remote_field: row.new for row in rows if row.field != LINK},
        id=first.record_id or None,
        key_field=first.key_field,
        key=first.key,
        links=tuple(_links(rows)),
    )


def _links(rows: Iterable[JournalRow]) -> Iterable[WriteLink]:
    for row in rows:
        if row.field == LINK:
            to_object, _, label = row.remote_field.partition(" ")
            yield WriteLink(to_object, str(row.new), label)


def _book(session: Session, rows: Sequence[JournalRow], outcome: Outcome) -> None:
    first = rows[0]
    with session.store.transaction():
        session.store.journal_outcome(
            outcome.ref,
            outcome.status,
            id=outcome.id,
            code=outcome.code,
            message=outcome.message or "found by reading back after an interrupted run",
            request_id=outcome.request_id,
            created=outcome.created,
            at=session.now,
        )
        if outcome.status == "ok" and outcome.id:
            values = {row.remote_field: row.new for row in rows if row.field != LINK}
            remember(session, first.run_id, first.object, outcome.id, values)
        if outcome.status == "ok" and first.kind == "task":
            remember_task(session, first.key, outcome.id or "")
    session.progress.note(f"settled after an interrupted run: {first.label} ({outcome.status})")
