"""The completeness certificate: the mirror counted against the CRM by buckets of modified dates, and mended.

Every run counts. Where one call counts all buckets (Salesforce), all are compared every time. Where each bucket costs
a call (HubSpot), a run compares the total, and a share of the buckets when its turn has come. A bucket that differs is
narrowed down, its ids and dates are compared, and only the records that differ are read: cost follows difference.

A count is a reason to look; what is missing, stale or gone is decided by reading the records themselves.
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
MOST_BUCKETS = 1800
"""Below what a grouped query of Salesforce gives (2,000), with room for days that the mirror does not know."""
PAID_BUCKETS = 40
LEAST_ROWS = 2000
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
    unreadable: int = 0
    """In the CRM's lists, and not to be had."""
    late: int = 0
    """Changed after the pull had begun: in time for this run, and no fault of the last one."""

    @property
    def healed(self) -> int:
        return self.missing + self.stale + self.surplus


@dataclass(slots=True)
class _Reconciliation:
    session: Session
    report: RunReport
    spec: ObjectSpec
    everything: bool
    found: _Found = field(default_factory=_Found)
    compared: list[Tally] = field(default_factory=list)
    buckets: int = 0

    @property
    def name(self) -> str:
        return self.spec.object

    def certificate(self) -> Completeness:
        session, name = self.session, self.name
        calls = session.budget().used
        due = self.everything or is_due(session, name)
        remote = self._count(due=due)
        quiet = 0
        if due and not is_just_read(session, name):
            quiet = scan_quiet_changes(session, self.report, self.spec, everything=self.everything)
            note_compared(session, name)
        mirror = session.store.count(name)
        return Completeness(
            object=name,
            remote=mirror + self.found.unreadable if remote is None else remote,
            mirror=mirror,
            missing=self.found.unreadable,
            healed=self.found.healed + quiet,
            quiet=quiet,
            buckets=self.buckets,
            checked=len(self.compared),
            calls=session.budget().used - calls,
            at=session.now,
            proof=proof_of(name, self.compared or [Tally(Bucket(), mirror if remote is None else remote)]),
        )

    # ------------------------------------------------------------------ looking

    def _count(self, *, due: bool) -> int | None:
        """Count and mend; the CRM's count, or ``None`` where reading records has replaced it."""
        connector, store = self.session.connector, self.session.store
        if not connector.tallies_at_once:
            return self._count_by_turn(due=due)
        rows = max(1, ceil(store.count(self.name) / MOST_BUCKETS))
        theirs = self._tally(build_buckets(store.live_days(self.name), rows))
        if theirs is None:
            return self._count_by_id()
        self.buckets = len(theirs)
        return self._compare(theirs, total=sum(tally.count for tally in theirs))

    def _count_by_turn(self, *, due: bool) -> int | None:
        """A total; buckets where it is their turn, or where the total has differed for two runs (an index lags)."""
        store, name = self.session.store, self.name
        total = self.session.connector.count(name)
        lasted = self._has_lasted(total - store.count(name))
        rows = max(LEAST_ROWS, ceil(store.count(name) / PAID_BUCKETS))
        buckets = build_buckets(store.live_days(name), rows)
        self.buckets = len(buckets)
        chosen = buckets if self.everything or lasted else self._turn(buckets) if due else []
        if not chosen:
            return total
        theirs = self._tally(chosen)
        if theirs is None:
            self.buckets = 0
            return self._count_by_id(total)
        looked = self._compare(theirs, total=total)
        if lasted:
            self._note_vain(total)
        return looked

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

    def _tally(self, buckets: Sequence[Bucket]) -> Sequence[Tally] | None:
        return self.session.connector.tally(self.name, buckets)

    def _compare(self, theirs: Sequence[Tally], *, total: int) -> int | None:
        store = self.session.store
        self.compared += theirs
        differing = [tally for tally in theirs if not agrees(tally, store.tally(self.name, tally.bucket))]
        if not differing:
            return total
        suspects: dict[str, None] = {}
        for tally in differing:
            suspects.update(dict.fromkeys(self._suspects(tally, MOST_HALVINGS)))
        self._heal(suspects)
        return None if self.session.connector.tallies_at_once or len(theirs) == self.buckets else total

    def _suspects(self, theirs: Tally, halvings: int) -> Iterator[str]:
        """Ids that the two sides have differently in a bucket that is known to differ."""
        store, name = self.session.store, self.name
        middle = store.middle(name, theirs.bucket)
        if max(theirs.count, store.tally(name, theirs.bucket).count) <= SPLIT_ABOVE or not halvings or middle is None:
            yield from self._differing_ids(theirs.bucket)
            return
        for half in self._tally(halves(theirs.bucket, middle)) or ():
            if not agrees(half, store.tally(name, half.bucket)):
                yield from self._suspects(half, halvings - 1)

    def _differing_ids(self, bucket: Bucket) -> Iterator[str]:
        ours = dict(self.session.store.stamps(self.name, bucket))
        for record_id, stamp in self.session.connector.stamps(self.name, bucket):
            if record_id not in ours or ours.pop(record_id) != stamp:
                yield record_id
        yield from ours

    def _count_by_id(self, total: int | None = None) -> int | None:
        """For objects without dates: the ids, where the count differs."""
        store, name = self.session.store, self.name
        total = self.session.connector.count(name) if total is None else total
        if total == store.count(name):
            return total
        alive = set(self.session.connector.ids(name))
        self._heal(alive.symmetric_difference(store.object_ids(name)))
        return None

    # ------------------------------------------------------------------ mending

    def _heal(self, ids: Iterable[str]) -> None:
        store, name = self.session.store, self.name
        horizon = self.session.connector.known_until(store.cursor(name) or {})
        for chunk in chunked(ids, FETCHED_AT_ONCE):
            theirs = {record.id: record for record in self.session.connector.fetch(self.spec, chunk)}
            ours = {record.id: record for record in store.rows(name, chunk, include_deleted=True)}
            for record_id in chunk:
                self._classify(theirs.get(record_id), ours.get(record_id), horizon)
            changed = store.save_page(name, list(theirs.values()), store.cursor(name) or {}, run_id=self.report.run_id)
            gone = [record_id for record_id, ours_ in ours.items() if record_id not in theirs and not ours_.deleted]
            store.mark_deleted(name, gone)
            count_up(self.report.changed, name, len(changed) + len(gone))
        if self.found.healed:
            self.session.progress.note(f"{name}: {self._said()}; mended")

    def _classify(self, theirs: RemoteRecord | None, ours: RemoteRecord | None, horizon: datetime | None) -> None:
        is_here = ours is not None and not ours.deleted
        if theirs is None or theirs.deleted:
            if is_here:
                self.found.surplus += 1
            elif theirs is None and ours is None:
                self.found.unreadable += 1
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
