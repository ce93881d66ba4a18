"""Which of several records of one company or person should stay. Proposed with its reason, never carried out here.

A cluster is built around its survivor: every member was found, or said, to be the same as the survivor itself. That two
records are each the same as a third says nothing here, so a chain of weak links welds nothing together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias, get_args

from crmsync.records import Account, Contact, Deal, Registration, RegistrationState, Stage, field_types, kind_of
from crmsync.rules.policy.types import SurvivorCriterion

CRITERIA: tuple[SurvivorCriterion, ...] = get_args(SurvivorCriterion)

MOST_MEMBERS = 10
"""Records in one cluster; more than that is a sign that something else is wrong."""

Subject: TypeAlias = Account | Contact


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What hangs on the records: by record id."""

    open_deals: Mapping[str, int] = field(default_factory=dict)
    protected: Mapping[str, int] = field(default_factory=dict)
    """Approved registrations: a partner of record."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Records that are the same, the survivor apart."""

    survivor: str
    members: tuple[str, ...]
    reason: str


def surroundings_of(deals: Iterable[Deal], registrations: Iterable[Registration]) -> Surroundings:
    """Count open deals and approved registrations by account."""
    closed = (Stage.CLOSED_WON, Stage.CLOSED_LOST)
    open_deals = Counter(d.account_id for d in deals if d.account_id and d.stage not in closed)
    approved = (r for r in registrations if r.state == RegistrationState.APPROVED)
    return Surroundings(open_deals, Counter(r.account_id for r in approved if r.account_id))


def filled_fields(record: Subject) -> int:
    """How many fields of the record say anything."""
    return sum(getattr(record, name) not in (None, "", ()) for name in field_types(kind_of(record)))


Measure: TypeAlias = Callable[[Subject, Surroundings], float]

_MEASURES: Mapping[SurvivorCriterion, tuple[Measure, str]] = MappingProxyType(
    {
        "partner_of_record": (lambda r, s: s.protected.get(r.id, 0), "it holds the approved registration"),
        "open_deals": (lambda r, s: s.open_deals.get(r.id, 0), "it has the most open deals"),
        "most_complete": (lambda r, _: filled_fields(r), "it has the most fields filled"),
        "oldest": (lambda r, _: -r.created_at.timestamp() if r.created_at else float("-inf"), "it is the oldest"),
    }
)
"""More is better; with what is said when it decides."""


def choose_survivor(
    records: Sequence[Subject], order: Sequence[SurvivorCriterion], surroundings: Surroundings
) -> tuple[str, str]:
    """The id that should stay, and why: the first criterion that tells them apart; the smaller id where none does.

    :raises ValueError: for no record at all.
    """
    left = sorted(records, key=lambda record: record.id)
    for criterion in order:
        measure, reason = _MEASURES[criterion]
        values = [measure(record, surroundings) for record in left]
        best = [record for record, value in zip(left, values, strict=True) if value == max(values)]
        if len(best) == 1 and len(left) > 1:
            return best[0].id, reason
        left = best
    return min(record.id for record in left), "nothing else tells them apart: the smaller id"


def build_clusters(
    records: Mapping[str, Subject],
    pairs: Iterable[tuple[str, str]],
    order: Sequence[SurvivorCriterion],
    surroundings: Surroundings,
    *,
    most: int = MOST_MEMBERS,
) -> list[Cluster]:
    """Clusters by survivor: each member is in a pair with the survivor itself. The same pairs in any order give the
    same clusters; a record is in one at most.
    """
    near: dict[str, set[str]] = defaultdict(set)
    for one, other in pairs:
        if one in records and other in records and one != other:
            near[one].add(other)
            near[other].add(one)
    clusters: list[Cluster] = []
    while near:
        around = max(sorted(near), key=lambda i: len(near[i]))
        group = sorted({around, *near[around]})
        survivor, reason = choose_survivor([records[i] for i in group], order, surroundings)
        members = tuple(sorted(near[survivor])[: most - 1])
        clusters.append(Cluster(survivor, members, reason))
        _take_out(near, {survivor, *members})
    return sorted(clusters, key=lambda cluster: cluster.survivor)


def _take_out(near: dict[str, set[str]], done: set[str]) -> None:
    for record_id in done:
        near.pop(record_id, None)
    for record_id in list(near):
        near[record_id] -= done
        if not near[record_id]:
            del near[record_id]
