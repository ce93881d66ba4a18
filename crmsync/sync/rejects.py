"""Rejects: refused writes are sent again when something changed that they wait for, and not before.

Without that a record with a bad value would cost a request in every run, for ever. What can change: the record itself
or what is to be written, the mapping, the description of the fields (which shows the schema and the permissions of our
user), or, where the CRM was merely busy, the time. An operator can ask for another try: ``crmsync rejects retry``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from crmsync.connectors.refusals import find_refusal
from crmsync.remote import Outcome
from crmsync.store import RejectRow
from crmsync.sync.plan import Change, FieldChange
from crmsync.sync.session import Session

FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=6)
STAMPS = ("synced_at", "policy_version", "fingerprint")
Target = tuple[str, str]


def next_try(attempts: int, now: datetime) -> datetime:
    """When a transient failure is tried again: by the next run, then after 5, 10, 20 minutes …, at most 6 hours."""
    if attempts < 2:
        return now
    doublings = min(attempts - 2, 12)
    wait: timedelta = FIRST_WAIT * (1 << doublings)
    return now + min(wait, LONGEST_WAIT)


def target_of(change: Change) -> Target:
    return (change.object, change.id or change.key)


@dataclass(slots=True)
class RejectBook:
    """The rejects of one connection, for one run."""

    session: Session
    run_id: str
    _rows: dict[Target, RejectRow] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rows = {(row.object, row.target): row for row in self.session.store.rejects()}

    def due(self, changes: Iterable[Change]) -> tuple[list[Change], list[Change]]:
        """What may be sent, and what still waits."""
        sent: list[Change] = []
        waiting: list[Change] = []
        for change in changes:
            row = self._rows.get(target_of(change))
            (sent if row is None or self.why_due(row, change) else waiting).append(change)
        return sent, waiting

    def why_due(self, row: RejectRow, change: Change) -> str:
        """What changed since the refusal; ``""``: nothing that this write waits for."""
        if row.is_released:
            return "asked for"
        if row.next_at is not None:
            return "time" if self.session.now >= row.next_at else ""
        if row.row_hash != self._row_hash(change):
            return "record"
        if row.mapping_hash != self.session.mapping.fingerprint:
            return "mapping"
        return "schema or permission" if row.schema_hash != self._schema_hash(change) else ""

    def refused(self, change: Change, outcome: Outcome) -> None:
        """Keep a refusal, with what it waits for."""
        refusal = find_refusal(outcome.code, retriable=outcome.retriable)
        known = self._rows.get(target_of(change))
        now, attempts = self.session.now, known.attempts + 1 if known else 1
        culprit = _culprit(change, outcome.message)
        object_name, target = target_of(change)
        row = RejectRow(
            object=object_name,
            target=target,
            kind=change.kind,
            label=change.label,
            reject_class=refusal.reject_class,
            code=outcome.code,
            message=outcome.message,
            reason=refusal.reason,
            fix=refusal.fix,
            rule=culprit.rule,
            where=culprit.where,
            fields=tuple(f.remote_field for f in _wanted(change)),
            attempts=attempts,
            first_at=known.first_at if known else now,
            last_at=now,
            next_at=next_try(attempts, now) if refusal.reject_class == "transient" else None,
            row_hash=self._row_hash(change),
            mapping_hash=self.session.mapping.fingerprint,
            schema_hash=self._schema_hash(change),
            run_id=self.run_id,
            request_id=outcome.request_id,
        )
        self._rows[object_name, target] = row
        self.session.store.save_reject(row)

    def done(self, change: Change) -> None:
        """The CRM holds what was wanted."""
        if self._rows.pop(target_of(change), None):
            self.session.store.drop_rejects([target_of(change)])

    def drop_unwanted(self, changes: Iterable[Change]) -> None:
        """Forget refusals of what no plan of the run asks for any more."""
        gone = self._rows.keys() - {target_of(change) for change in changes}
        self.session.store.drop_rejects(sorted(gone))
        for target in gone:
            del self._rows[target]

    # -------------------------------------------------------------- what has to change

    def _row_hash(self, change: Change) -> str:
        row = self.session.store.row(change.object, change.id) if change.id else None
        theirs = (sorted(row.fields.items()), row.modified_at) if row else ()
        ours = sorted((f.remote_field, repr(f.new)) for f in _wanted(change))
        return _hash(theirs, ours)

    def _schema_hash(self, change: Change) -> str:
        info = self.session.connector.describe(change.object)
        names = sorted(f.remote_field for f in change.fields)
        return _hash([repr(info.fields.get(name)) for name in names] if info else ())


def _hash(*parts: object) -> str:
    return sha256(repr(parts).encode()).hexdigest()[:16]


def _wanted(change: Change) -> list[FieldChange]:
    """Without the stamps, which are new in every run."""
    return [f for f in change.fields if f.field not in STAMPS]


def _culprit(change: Change, message: str) -> FieldChange:
    """The field that the CRM's message names, else the first."""
    fields = _wanted(change) or list(change.fields)
    return next((f for f in fields if f.remote_field in message), fields[0])
