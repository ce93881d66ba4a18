"""What if: decide the whole mirror under the policy in force and under another one, and compare.

Both decide the same facts at the same instant, so changes that wait to be written anyway do not blur the difference.
No CRM is called, and the store is only read: which records belong together is worked out anew, in a scratch file, by
the keys of both policies. Neighbourhoods stream; what is kept are sums and a few examples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crmsync.errors import StoreError
from crmsync.records import Record, kind_of
from crmsync.remote import RemoteRecord
from crmsync.rules import Decision, Policy, decide, load_policy, neighbourhood_keys
from crmsync.store import Store
from crmsync.sync.bases import Memory
from crmsync.sync.diff import Differ
from crmsync.sync.facts import Neighbourhood, Reader, Subject
from crmsync.sync.flips import Flips, Rates, Tally
from crmsync.sync.identity import Unchanged
from crmsync.sync.plan import Change
from crmsync.sync.session import Session

BATCH = {"salesforce": 200, "hubspot": 100}
"""Records that one call of a CRM writes."""

NOT_REPLAYED = (
    "What has happened stays: states that were decided in the past (approved, rejected, expired, on hold), deals that"
    " were closed and windows that are over are taken as the CRM holds them now; earlier values are not stored."
    " The comparison says what would change if the policy were switched today, not what would have come of it had it"
    " been in force all along."
)
ESTIMATE = "each batch of records is read again and then written: 2 calls; tasks are looked for by key and then made"


@dataclass(slots=True)
class WhatIf:
    """What would flip under another policy, and what writing it would cost."""

    connection: str
    system: str
    now: datetime
    since: date | None
    policy: str
    new_policy: str
    currency: str
    neighbourhoods: int = 0
    flips: Flips = field(default_factory=Flips)
    records: Counter[str] = field(default_factory=Counter)
    """Records to write, by object of the CRM."""
    field_writes: int = 0
    tasks: int = 0
    not_replayed: str = NOT_REPLAYED

    @property
    def calls(self) -> int:
        """Estimated API calls: see :data:`ESTIMATE`."""
        size = BATCH.get(self.system, 100)
        groups = [*self.records.values(), self.tasks]
        return sum(2 * -(-number // size) for number in groups)


def what_if(session: Session, policy_path: Path, *, since: date | None = None) -> WhatIf:
    """Compare the session's policy with another one.

    :raises ConfigError: with every problem of the other policy.
    :raises StoreError: when there is no synced mirror to decide.
    """
    mapping = session.mapping
    policy = load_policy(policy_path, extra={kind: mapping.extra_types(kind) for kind in mapping.kinds})
    _require_mirror(session.store)
    fx = session.policy.model.fx
    tally = Tally(Rates(fx.corporate, fx.rates), since)
    outcome = WhatIf(
        connection=session.connection.name,
        system=session.connection.system,
        now=session.now,
        since=since,
        policy=session.policy.version,
        new_policy=policy.version,
        currency=fx.corporate,
        flips=tally.flips,
    )
    comparison = _Comparison(session, policy, tally, outcome)
    with TemporaryDirectory(prefix="crmsync-") as directory, Store.open(Path(directory) / "keys.db") as scratch:
        reader = _Reader(replace(session, store=_Mirror(session.store, scratch)), policy)  # type: ignore[arg-type]
        with scratch.transaction():
            seeds = reader.index(_all_rows(session)).seeds
        for neighbourhood in reader.neighbourhoods(seeds):
            comparison.add(neighbourhood)
    session.progress.step("what-if", outcome.neighbourhoods, outcome.neighbourhoods)
    return outcome


def _require_mirror(store: Store) -> None:
    done = [run for run in store.runs(50) if run["mode"] == "sync" and run["status"] in ("ok", "partial")]
    if not done or not any(store.count(name) for name in store.objects()):
        raise StoreError("nothing was synced yet, there is no mirror to decide", hint="crmsync sync", code="E540")


def _all_rows(session: Session) -> Iterator[tuple[str, str]]:
    store = session.store
    total = sum(store.count(name) for name in store.objects())
    done = 0
    for name in store.objects():
        for record_id in store.object_ids(name):
            yield name, record_id
            done += 1
            if done % 500 == 0:
                session.progress.step("index", done, total)


class _Mirror:
    """The store of the connection for reading, a scratch store for the keys."""

    _KEYS = ("save_keys", "keys", "members", "shared_keys", "at_the_limit")

    def __init__(self, store: Store, scratch: Store) -> None:
        self._store = store
        self._scratch = scratch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scratch if name in self._KEYS else self._store, name)


class _Reader(Reader):
    """Neighbourhoods that hold under both policies: records that share a key of either are decided together."""

    def __init__(self, session: Session, other: Policy) -> None:
        super().__init__(session)
        self._other = other
        self._identity = Unchanged(session)

    def _keys(self, record: Record) -> frozenset[str]:
        keys = super()._keys(record)
        return keys | neighbourhood_keys(record, self._other) if kind_of(record) in _KEYED else keys


_KEYED = ("account", "contact", "deal", "registration", "touch")


@dataclass(slots=True)
class _Comparison:
    session: Session
    policy: Policy
    tally: Tally
    outcome: WhatIf

    def add(self, neighbourhood: Neighbourhood) -> None:
        session, outcome = self.session, self.outcome
        old = _own(decide(neighbourhood.facts, session.policy, session.now), neighbourhood)
        new = _own(decide(neighbourhood.facts, self.policy, session.now), neighbourhood)
        records = _records(neighbourhood)
        self.tally.add(records, neighbourhood.facts.partners, old, new)
        if _said(old) != _said(new):
            self._count_writes(records, old, new)
        outcome.neighbourhoods += 1
        if outcome.neighbourhoods % 50 == 0:
            session.progress.step("what-if", outcome.neighbourhoods)

    def _count_writes(self, records: Mapping[Subject, Record], old: Decision, new: Decision) -> None:
        """What the new policy writes that the old one would not write anyway."""
        rows = self._rows(records)
        differ = Differ(self.session.mapping, self.session.project.directory, self.session.now, self._was_written)
        bases = Memory(self.session, "").of(rows)
        before, after = (_writes(differ.changes(differ.compare(d.fields, records, rows, bases))) for d in (old, new))
        more = {place: change for place, change in after.items() if change != before.get(place)}
        places = {(place[0], place[1]) for place in more}
        self.outcome.records.update(name for name, _ in places)
        self.outcome.field_writes += len(more)
        known = {finding.task.key for finding in old.findings if finding.task}
        tasks = {finding.task.key for finding in new.findings if finding.task} - known
        self.outcome.tasks += sum(1 for key in tasks if not self.session.store.get_meta(f"task:{key}"))

    def _rows(self, records: Mapping[Subject, Record]) -> dict[tuple[str, str], RemoteRecord]:
        ids: dict[str, list[str]] = {}
        for kind, record_id in records:
            ids.setdefault(self.session.mapping.object_of(kind), []).append(record_id)
        return {(name, row.id): row for name in ids for row in self.session.store.rows(name, ids[name])}

    def _was_written(self, object_name: str, record_id: str, field_name: str) -> bool:
        return any(entry.status == "ok" for entry in self.session.store.history(object_name, record_id, field_name))


def _writes(changes: Iterable[Change]) -> dict[tuple[str, str, str], Any]:
    """New values by object, record and field; stamps ride along and are not counted."""
    return {
        (change.object, change.id or change.key, row.remote_field): row.new
        for change in changes
        for row in change.fields
        if row.field not in ("synced_at", "policy_version")
    }


def _said(decision: Decision) -> tuple[object, object]:
    """What is decided, whoever decided it."""
    fields = [(row.kind, row.id, row.field, row.value) for row in decision.fields]
    return fields, [(row.code, row.kind, row.id, row.subject, row.task and row.task.key) for row in decision.findings]


def _own(decision: Decision, neighbourhood: Neighbourhood) -> Decision:
    members = neighbourhood.members
    return Decision(
        fields=tuple(row for row in decision.fields if (row.kind, row.id) in members),
        findings=tuple(row for row in decision.findings if (row.kind, row.id) in members),
    )


def _records(neighbourhood: Neighbourhood) -> dict[Subject, Record]:
    facts = neighbourhood.facts
    groups: tuple[Iterable[Record], ...] = (
        facts.accounts,
        facts.contacts,
        facts.deals,
        facts.registrations,
        facts.touches,
        facts.partners.values(),
    )
    found = {(kind_of(record), record.id): record for group in groups for record in group}
    return {subject: record for subject, record in found.items() if subject in neighbourhood.members}
