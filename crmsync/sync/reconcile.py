"""The completeness certificate: the mirror compared with the CRM, and mended.

Every run counts: by days of modified dates where one call counts them all (Salesforce), else the total (HubSpot, where
each bucket costs a call). What differs is narrowed down to ids. Besides, a share of the records in turn is compared one
by one, by id and modified date: two states within one day, or one record too many beside one too few, show in no count.

A list or a count is a reason to look; what is missing, stale or gone is decided by reading the records themselves, and
only those that differ are read: cost follows difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

from crmsync.remote import Bucket, ObjectSpec, RemoteRecord, Tally
from crmsync.store.database import chunked
from crmsync.sync.buckets import agrees, build_buckets, halves, next_share, proof_of
from crmsync.sync.pull import count_up
from crmsync.sync.quiet import scan_quiet_changes
from crmsync.sync.report import Completeness, RunReport
from crmsync.sync.rotation import is_due, is_just_read, load_turn, note_compared, save_turn
from crmsync.sync.session import Session

SPLIT_ABOVE = 1000
"""Rows from which on a bucket that differs is halved (two counts) before its ids are listed."""
MOST_HALVINGS = 20
MOST_DAYS = 1800
"""Below what a grouped query of Salesforce gives (2,000), with room for days that the mirror does not know."""
TURNS = 20
"""Into how many buckets an object is cut to be compared in turns…"""
LEAST_ROWS = 200
"""…of at least so many records: a page of a search."""
FETCHED_AT_ONCE = 2000


def reconcile_all(session: Session, report: RunReport, *, everything: bool = False) -> None:
    """Add a certificate per object to the report. ``everything``: all buckets, whosever turn it is."""
    for spec in session.mapping.objects():
        report.completeness.append(_Reconciliation(session, report, spec, everything=everything).certificate())


@dataclass(slots=True)
class _Found:
    """What reading the differing records showed."""

    missing: int = 0
    stale: int = 0
    surplus: int = 0
    unreadable: set[str] = field(default_factory=set)
    """In the CRM's lists, and not to be had."""
    late: int = 0
    """Changed after the pull had begun: in time for this run, and no fault of the last one."""

    @property
    def healed(self) -> int:
        return self.missing + self.stale + self.surplus

    @property
    def is_any(self) -> bool:
        return bool(self.healed or self.unreadable or self.late)


@dataclass(slots=True)
class _Reconciliation:
    session: Session
    report: RunReport
    spec: ObjectSpec
    everything: bool
    found: _Found = field(default_factory=_Found)
    compared: list[Tally] = field(default_factory=list)
    buckets: int = 0
    checked: int = 0

    @property
    def name(self) -> str:
        return self.spec.object

    def certificate(self) -> Completeness:
        session, name = self.session, self.name
        calls = session.budget().used
        due = (self.everything or is_due(session, name)) and not is_just_read(session, name, self.report.run_id)
        remote = self._count(due=due)
        quiet = 0
        if due:
            quiet = scan_quiet_changes(session, self.report, self.spec, everything=self.everything)
            note_compared(session, name)
        mirror = session.store.count(name)
        remote = mirror + len(self.found.unreadable) if remote is None else remote
        return Completeness(
            object=name,
            remote=remote,
            mirror=mirror,
            missing=len(self.found.unreadable),
            healed=self.found.healed + quiet,
            quiet=quiet,
            buckets=self.buckets,
            checked=self.checked,
            calls=session.budget().used - calls,
            at=session.now,
            proof=proof_of(name, [*self.compared, Tally(Bucket(), remote)]),
        )

    # ------------------------------------------------------------------ looking

    def _count(self, *, due: bool) -> int | None:
        """Count, compare and mend; the CRM's count, or ``None`` where reading records has replaced it."""
        store, name = self.session.store, self.name
        if not self.session.connector.is_dated(name):
            return self._count_by_id()
        turns = build_buckets(store.live_days(name), max(LEAST_ROWS, ceil(store.count(name) / TURNS)))
        counted = self._count_days() if self.session.connector.tallies_at_once else self._count_total(turns)
        self.buckets = len(turns)
        if due:
            chosen = turns if self.everything else self._turn(turns)
            self.checked = len(chosen)
            self._heal([record_id for bucket in chosen for record_id in self._listed(bucket)])
        is_settled = self.found.is_any or self.checked == self.buckets
        return None if is_settled else counted

    def _count_days(self) -> int:
        """All days by one call."""
        store, name = self.session.store, self.name
        days = build_buckets(store.live_days(name), max(1, ceil(store.count(name) / MOST_DAYS)))
        theirs = self.session.connector.tally(name, days)
        self._compare(theirs)
        return sum(tally.count for tally in theirs)

    def _count_total(self, turns: Sequence[Bucket]) -> int:
        """The total; where it has differed for two runs (an index lags), the bucket that differs is looked for."""
        total = self.session.connector.count(self.name)
        if self._has_lasted(total - self.session.store.count(self.name)):
            self._compare(self.session.connector.tally(self.name, turns))
            self._note_vain(total)
        return total

    def _turn(self, buckets: Sequence[Bucket]) -> list[Bucket]:
        last = load_turn(self.session, self.name, "bucket")
        since = datetime.fromisoformat(last) if last else None
        chosen = next_share(buckets, self.session.project.reconcile.share, since)
        end = chosen[-1].end
        save_turn(self.session, self.name, "bucket", end.isoformat() if end else "")
        return chosen

    def _has_lasted(self, difference: int) -> bool:
        """Whether the same difference was there a run ago, and looking closer has not been in vain."""
        store = self.session.store
        lasted = bool(difference) and store.get_meta(f"difference:{self.name}") == str(difference)
        store.set_meta(f"difference:{self.name}", str(difference))
        return lasted and store.get_meta(f"vain:{self.name}") != str(difference)

    def _note_vain(self, total: int) -> None:
        if not self.found.healed:
            self.session.store.set_meta(f"vain:{self.name}", str(total - self.session.store.count(self.name)))

    def _compare(self, theirs: Sequence[Tally]) -> None:
        self.compared += theirs
        suspects: dict[str, None] = {}
        for tally in theirs:
            if not agrees(tally, self.session.store.tally(self.name, tally.bucket)):
                suspects.update(dict.fromkeys(self._suspects(tally, MOST_HALVINGS)))
        self._heal(suspects)

    def _suspects(self, theirs: Tally, halvings: int) -> Iterator[str]:
        """Ids that the two sides have differently in a bucket that is known to differ."""
        store, name = self.session.store, self.name
        middle = store.middle(name, theirs.bucket)
        if max(theirs.count, store.tally(name, theirs.bucket).count) <= SPLIT_ABOVE or not halvings or middle is None:
            yield from self._differing_ids(theirs.bucket)
            return
        for half in self.session.connector.tally(name, halves(theirs.bucket, middle)):
            if not agrees(half, store.tally(name, half.bucket)):
                yield from self._suspects(half, halvings - 1)

    def _listed(self, bucket: Bucket) -> Iterator[str]:
        """Ids that differ in a bucket, and a tally of what the CRM listed."""
        theirs = list(self.session.connector.stamps(self.name, bucket))
        stamps = [stamp for _, stamp in theirs if stamp]
        self.compared.append(Tally(bucket, len(theirs), max(stamps, default=None)))
        return self._unequal(bucket, theirs)

    def _differing_ids(self, bucket: Bucket) -> Iterator[str]:
        return self._unequal(bucket, self.session.connector.stamps(self.name, bucket))

    def _unequal(self, bucket: Bucket, theirs: Iterable[tuple[str, datetime | None]]) -> Iterator[str]:
        ours = dict(self.session.store.stamps(self.name, bucket))
        for record_id, stamp in theirs:
            if record_id not in ours or ours.pop(record_id) != stamp:
                yield record_id
        yield from ours

    def _count_by_id(self) -> int | None:
        """For objects without dates: the ids, where the count differs."""
        store, name = self.session.store, self.name
        total = self.session.connector.count(name)
        if total == store.count(name):
            return total
        alive = set(self.session.connector.ids(name))
        self._heal(alive.symmetric_difference(store.object_ids(name)))
        return None

    # ------------------------------------------------------------------ mending

    def _heal(self, ids: Iterable[str]) -> None:
        store, name = self.session.store, self.name
        horizon = self.session.connector.known_until(store.cursor(name) or {})
        for chunk in chunked(dict.fromkeys(ids), FETCHED_AT_ONCE):
            theirs = {record.id: record for record in self.session.connector.fetch(self.spec, chunk)}
            ours = {record.id: record for record in store.rows(name, chunk, include_deleted=True)}
            for record_id in chunk:
                self._classify(record_id, theirs.get(record_id), ours.get(record_id), horizon)
            changed = store.save_page(name, list(theirs.values()), store.cursor(name) or {}, run_id=self.report.run_id)
            gone = [record_id for record_id, ours_ in ours.items() if record_id not in theirs and not ours_.deleted]
            store.mark_deleted(name, gone)
            count_up(self.report.changed, name, len(changed) + len(gone))
        if self.found.healed:
            self.session.progress.note(f"{name}: {self._said()}; mended")

    def _classify(
        self, record_id: str, theirs: RemoteRecord | None, ours: RemoteRecord | None, horizon: datetime | None
    ) -> None:
        is_here = ours is not None and not ours.deleted
        if theirs is None or theirs.deleted:
            if is_here:
                self.found.surplus += 1
            elif theirs is None and ours is None:
                self.found.unreadable.add(record_id)
        elif horizon and theirs.modified_at and theirs.modified_at >= horizon:
            self.found.late += 1
        elif not is_here:
            self.found.missing += 1
        elif ours is not None and ours.modified_at != theirs.modified_at:
            self.found.stale += 1

    def _said(self) -> str:
        found = self.found
        words = (
            (found.missing, "in the CRM that no pull has brought"),
            (found.stale, "with an older state"),
            (found.surplus, "that the CRM no longer has"),
        )
        return ", ".join(f"{number:,} {text}" for number, text in words if number)
