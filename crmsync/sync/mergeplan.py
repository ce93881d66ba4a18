"""The merge plan: which duplicates to merge into which, what would be lost, and what cannot be taken back.

A plan for people. Salesforce offers merging in its SOAP API and in Apex, not in the REST API that crmsync speaks;
HubSpot's merge is final and makes a third record with a new id. So crmsync writes down what to do, and takes over what
was done at the next sync: the loser's partner facts follow to the survivor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from crmsync.records import Account, Contact, Deal, Record, Registration, field_types, kind_of
from crmsync.rules.survivor import Cluster, build_clusters, surroundings_of
from crmsync.sync.diff import label_of
from crmsync.sync.review import Proposal, Review, load_records, shown
from crmsync.sync.session import Session

UNDO: Mapping[str, tuple[str, ...]] = {
    "salesforce": (
        "merge in Salesforce itself: at most three records at a time, the survivor first",
        "the losers stay in the recycle bin for 15 days; one that is restored comes back without what was moved",
    ),
    "hubspot": (
        "HubSpot cannot take a merge back",
        "the result is a new record with a new id; crmsync follows both old ids to it",
        "a record can take part in at most 250 merges",
    ),
}
"""By system: how it is done and what cannot be undone."""

_NOT_COMPARED = frozenset({"id", "flags", "created_at"})


@dataclass(frozen=True, slots=True)
class Loss:
    """A value that the survivor would not keep. ``kept`` is the survivor's own; blank where it has none."""

    field: str
    value: str
    kept: str


@dataclass(frozen=True, slots=True)
class Loser:
    """A record that would be merged away."""

    id: str
    name: str
    score: float
    answered: bool
    lost: tuple[Loss, ...]
    moves: Mapping[str, int]
    """How many deals, contacts and registrations would follow to the survivor."""


@dataclass(frozen=True, slots=True)
class Merge:
    """One cluster."""

    kind: str
    survivor: str
    survivor_name: str
    reason: str
    losers: tuple[Loser, ...]


@dataclass(frozen=True, slots=True)
class MergePlan:
    """All merges that were asked for. ``notes`` say how, and what cannot be undone."""

    connection: str
    system: str
    made_at: str
    merges: tuple[Merge, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"format": "crmsync.merge-plan/1", "executed_by": "people", **asdict(self)}


def build_merge_plan(session: Session, chosen: Sequence[Proposal] = ()) -> MergePlan:
    """Merges of the pairs that were chosen, or of all that people have accepted."""
    review = Review(session)
    pairs = list(chosen) or [p for p in review.all() if p.answer == "duplicate"]
    merges = [merge for kind in ("account", "contact") for merge in _merges(session, review, kind, pairs)]
    return MergePlan(
        connection=session.connection.name,
        system=session.connection.system,
        made_at=session.now.isoformat(),
        merges=tuple(merges),
        notes=UNDO.get(session.connection.system, ()),
    )


def _merges(session: Session, review: Review, kind: str, pairs: Iterable[Proposal]) -> Iterable[Merge]:
    known = {(p.one, p.other): p for p in pairs if p.kind == kind}
    if not known:
        return
    found = review.records({(kind, i) for pair in known for i in pair})
    records = {i: r for (_, i), r in found.items() if isinstance(r, Account | Contact)}
    hanging = _Hanging(session)
    order = session.policy.model.duplicates.survivor
    for cluster in build_clusters(records, known, order, surroundings_of(hanging.deals, hanging.registrations)):
        yield _merge(kind, cluster, records, known, hanging)


class _Hanging:
    """What refers to accounts and contacts."""

    def __init__(self, session: Session) -> None:
        self.deals = [r for r in load_records(session, "deal") if isinstance(r, Deal)]
        self.registrations = [r for r in load_records(session, "registration") if isinstance(r, Registration)]
        self.contacts = [r for r in load_records(session, "contact") if isinstance(r, Contact)]

    def on(self, account_id: str) -> dict[str, int]:
        groups: Mapping[str, Sequence[Deal | Registration | Contact]] = {
            "deals": self.deals,
            "registrations": self.registrations,
            "contacts": self.contacts,
        }
        counts = {name: sum(r.account_id == account_id for r in records) for name, records in groups.items()}
        return {name: number for name, number in counts.items() if number}


def _merge(
    kind: str,
    cluster: Cluster,
    records: Mapping[str, Account | Contact],
    pairs: Mapping[tuple[str, str], Proposal],
    hanging: _Hanging,
) -> Merge:
    survivor = records[cluster.survivor]
    losers = []
    for member in cluster.members:
        pair = pairs.get((member, survivor.id)) or pairs[survivor.id, member]
        loser = records[member]
        moves = hanging.on(member) if kind == "account" else {}
        lost = tuple(_losses(survivor, loser))
        losers.append(Loser(member, label_of(loser), round(pair.duplicate, 4), pair.answer == "duplicate", lost, moves))
    return Merge(kind, survivor.id, label_of(survivor), cluster.reason, tuple(losers))


def _losses(survivor: Record, loser: Record) -> Iterable[Loss]:
    """Every value of the loser that the survivor does not have."""
    for name in field_types(kind_of(loser)):
        theirs, own = shown(getattr(loser, name)), shown(getattr(survivor, name))
        if theirs and theirs != own and name not in _NOT_COMPARED:
            yield Loss(name, theirs, own)
    for name in sorted(loser.extra):
        theirs, own = shown(loser.extra[name]), shown(survivor.extra.get(name))
        if theirs and theirs != own:
            yield Loss(name, theirs, own)
