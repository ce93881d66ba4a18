"""From mirror rows to neighbourhoods of canonical records: which records must be decided together, and what they say.

Two records belong together when they share a key (an account id, a domain, a company name with its country, …); the
rules say which keys a record has. A neighbourhood is everything that can be reached over shared keys. Partners are
not part of it, they couple everything: a neighbourhood *watches* the partners it names, and is woken when one of them
changes. A partner with its certifications is a neighbourhood of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from crmsync.likeness import KINDS
from crmsync.mappings import ValueProblem
from crmsync.records import (
    REFERENCES,
    Account,
    Certification,
    Contact,
    Deal,
    Link,
    Partner,
    Record,
    Registration,
    Touch,
    User,
    kind_of,
)
from crmsync.remote import RemoteRecord
from crmsync.rules import Facts, Likeness, link_keys, neighbourhood_keys
from crmsync.rules.capacity import has_capacity
from crmsync.sync.identity import Index, as_likeness, load_answers
from crmsync.sync.report import Matching
from crmsync.sync.session import Session

Subject = tuple[str, str]
"""``(kind, id)`` of a canonical record; a row that only ties records has the kind ``link:<object>``."""

R = TypeVar("R", bound=Record)

_AS_WRITTEN = (("registration", "partner_id"), ("registration", "original_partner_id"))
"""References that the rules want to see as they stand: a merger of partners is a fact that they keep."""

DECIDED = ("account", "contact", "deal", "registration", "touch")
"""Kinds that make up an account neighbourhood."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """A set of subjects to decide together, and the watch keys under which it is woken."""

    root: str
    members: frozenset[Subject]
    facts: Facts
    watches: frozenset[str]
    problems: tuple[ValueProblem, ...] = ()
    """Values of the members that the mapping could not read."""


@dataclass(frozen=True, slots=True)
class Woken:
    """What a change of mirror rows touches."""

    seeds: set[Subject]
    """Subjects that share, or shared, a key with the rows."""
    vanished: set[Subject]
    """Subjects that no longer are: deleted, or no longer of their kind."""
    watch_keys: set[str]


class Reader:
    """Reads canonical records out of the mirror for one run."""

    def __init__(self, session: Session) -> None:
        self._store = session.store
        self._mapping = session.mapping
        self._policy = session.policy
        self._limits_open = has_capacity(session.policy)
        self._aliases = {name: self._store.aliases(name) for name in self._store.objects()}
        self._problems: dict[tuple[str, str, str], ValueProblem] = {}
        self._kinds_of: dict[str, list[str]] = defaultdict(list)
        for kind in self._mapping.kinds:
            self._kinds_of[self._mapping.object_of(kind)].append(kind)
        companies = [self._mapping.object_of(kind) for kind in ("account", "partner") if kind in self._mapping.kinds]
        self._merged = {old: new for name in companies for old, new in self._aliases.get(name, {}).items()}
        self._answers = load_answers(session)
        self._identity = Index(session, self._answers)
        self._shared: set[str] = set()
        self._limit = session.policy.model.identity.shared_above

    @property
    def matching(self) -> Matching:
        """What comparing records cost and gave."""
        return self._identity.report

    # -------------------------------------------------------------- index

    def index(self, pairs: Iterable[tuple[str, str]], *, new_model: bool = False) -> Woken:
        """Re-index changed mirror rows, and what referred to those that were merged away: it now means the survivor."""
        woken = Woken(set(), set(), set())
        for pair in pairs:
            for other in self._index_row(*pair, woken):
                self._index_row(*other, woken)
        for subject in sorted(self._identity.settle(everything=new_model)):
            self._index_row(*self._row_of(subject), woken)
        return woken

    def _index_row(self, object_name: str, row_id: str, woken: Woken) -> list[tuple[str, str]]:
        """Re-index one row; the rows that a merge left with an id that is no more."""
        row = self._store.row(object_name, row_id)
        old: set[str] = set()
        new: set[str] = set()
        for subject, keys in self._subjects(object_name, row_id, row).items():
            known = self._store.keys(*subject)
            old |= known
            new |= keys
            self._store.save_keys(*subject, keys)
            if keys:
                woken.seeds.add(subject)
            elif known:
                woken.vanished.add(subject)
        left = self._store.members(old - new)
        woken.seeds.update(self._store.members(self._store.at_the_limit(old ^ new, self._limit)))
        woken.seeds.update(left)
        woken.watch_keys.update(key for key in old | new if key.startswith(("partner:", "user:")))
        return [self._row_of(subject) for subject in sorted(left)] if row and row.merged_into else []

    def _row_of(self, subject: Subject) -> tuple[str, str]:
        kind, row_id = subject
        tie = kind.removeprefix("link:")
        return (tie if tie != kind else self._mapping.object_of(kind), row_id)

    def _subjects(self, object_name: str, row_id: str, row: RemoteRecord | None) -> dict[Subject, frozenset[str]]:
        """Every subject that the row can stand for, with its keys: none for those that it no longer is."""
        kinds = self._kinds_of.get(object_name, ())
        subjects: dict[Subject, frozenset[str]] = {(kind, row_id): frozenset() for kind in kinds}
        if not kinds:
            subjects[f"link:{object_name}", row_id] = frozenset()
        if row is None or row.deleted:
            self._note(subjects, ())
            return subjects
        records, links = self._read(object_name, row)
        self._note(subjects, records)
        ties = frozenset(key for link in links for key in link_keys(link))
        for record in records:
            own = self._keys(record)
            subjects[kind_of(record), row_id] = own | ties if kind_of(record) == "deal" else own
        if not records and links:
            subjects[f"link:{object_name}", row_id] = ties
        return subjects

    def _note(self, subjects: Iterable[Subject], records: Iterable[Record]) -> None:
        known = {(kind_of(record), record.id): record for record in records}
        for subject in subjects:
            self._identity.note(subject, known.get(subject))

    def _keys(self, record: Record) -> frozenset[str]:
        if isinstance(record, Partner):
            return frozenset({f"partner:{record.id}"})
        if isinstance(record, Certification):
            return frozenset({f"partner:{record.partner_id}"}) if record.partner_id else frozenset()
        if isinstance(record, User):
            return frozenset({f"user:{record.id}"})
        alike = {row.key for row in self._store.likenesses_of(kind_of(record), record.id)}
        return neighbourhood_keys(record, self._policy) | alike

    # -------------------------------------------------------------- neighbourhoods

    def neighbourhoods(self, seeds: Iterable[Subject], *, holding: str = "") -> Iterator[Neighbourhood]:
        """The neighbourhoods of the seeds, each once, in a stable order; only those ``holding`` a kind of record."""
        seen: set[Subject] = set()
        for seed in sorted(seeds):
            if seed in seen or seed[0] in ("user", "stage"):
                continue
            members = self._reach(seed)
            seen |= members
            if members and (not holding or any(kind == holding for kind, _ in members)):
                yield self._neighbourhood(members)

    def _reach(self, seed: Subject) -> frozenset[Subject]:
        self._shared = set()
        members: set[Subject] = set()
        frontier: set[Subject] = {seed}
        keys: set[str] = set()
        while frontier:
            found = {key for subject in frontier for key in self._store.keys(*subject)} - keys
            if not found and not members:
                return frozenset()
            members |= frontier
            keys |= found
            shared = self._store.shared_keys(found, self._limit)
            self._shared |= shared
            frontier = self._store.members(found - shared) - members
        return frozenset(members)

    def _neighbourhood(self, members: frozenset[Subject]) -> Neighbourhood:
        ids: dict[str, list[str]] = defaultdict(list)
        for kind, record_id in sorted(members):
            ids[kind].append(record_id)
        self._problems.clear()
        facts, watches = self._facts(ids)
        problems = tuple(self._problems[place] for place in sorted(self._problems) if place[:2] in members)
        return Neighbourhood(":".join(min(members)), members, facts, watches, problems)

    def _facts(self, ids: dict[str, list[str]]) -> tuple[Facts, frozenset[str]]:
        records: dict[str, list[Record]] = {}
        links: set[Link] = set()
        for kind in DECIDED:
            records[kind], ties = self._load(kind, ids.get(kind, []))
            links |= ties
        for kind in [kind for kind in ids if kind.startswith("link:")]:
            for row in self._store.rows(kind.removeprefix("link:"), ids[kind]):
                links |= set(self._read(kind.removeprefix("link:"), row)[1])
        ordered = tuple(sorted(links, key=lambda k: (k.name, k.from_id, k.to_id, k.label or "")))
        named = set(ids.get("partner", ())) | _partner_ids(records.values(), ordered)
        partner_ids = named | {self._merged[pid] for pid in named if pid in self._merged}
        partners = {record.id: record for record in self._of(Partner, "partner", partner_ids)}
        owner_ids = _owner_ids(records.values(), partners.values())
        watches = {f"partner:{pid}" for pid in partner_ids} | {f"user:{uid}" for uid in owner_ids}
        counts: dict[str, int] = {}
        if self._limits_open and ids.get("registration"):
            counts = self._store.count_claims(partner_ids)
            watches |= {f"capacity:{pid}" for pid in partner_ids}
        facts = Facts(
            accounts=_typed(Account, records["account"]),
            contacts=_typed(Contact, records["contact"]),
            deals=_typed(Deal, records["deal"]),
            registrations=_typed(Registration, records["registration"]),
            touches=_typed(Touch, records["touch"]),
            links=ordered,
            partners=partners,
            certifications=self._certifications(partners),
            users={user.id: user for user in self._of(User, "user", owner_ids)},
            merged=self._merged,
            likenesses=self._likenesses(ids),
            shared_keys=frozenset(self._shared),
            open_registrations=counts,
        )
        return facts, frozenset(watches)

    def _likenesses(self, ids: dict[str, list[str]]) -> tuple[Likeness, ...]:
        rows = (row for kind in KINDS for i in ids.get(kind, ()) for row in self._store.likenesses_of(kind, i))
        unique = {(row.kind, row.one, row.other): row for row in rows}
        return tuple(as_likeness(unique[pair], self._answers) for pair in sorted(unique))

    def _certifications(self, partners: Collection[str]) -> tuple[Certification, ...]:
        subjects = self._store.members({f"partner:{pid}" for pid in partners})
        return tuple(self._of(Certification, "certification", {i for kind, i in subjects if kind == "certification"}))

    # -------------------------------------------------------------- rows to records

    def _of(self, cls: type[R], kind: str, ids: Collection[str]) -> list[R]:
        return [record for record in self._load(kind, sorted(ids))[0] if isinstance(record, cls)]

    def _load(self, kind: str, ids: Collection[str]) -> tuple[list[Record], set[Link]]:
        """The live records of one kind by id, sorted by id, with the ties that their rows carry."""
        found: list[Record] = []
        links: set[Link] = set()
        if not ids or kind not in self._mapping.kinds:
            return found, links
        object_name = self._mapping.object_of(kind)
        for row in self._store.rows(object_name, ids):
            records, ties = self._read(object_name, row)
            found += [record for record in records if kind_of(record) == kind]
            links |= set(ties)
        return sorted(found, key=lambda record: record.id), links

    def _read(self, object_name: str, row: RemoteRecord) -> tuple[tuple[Record, ...], tuple[Link, ...]]:
        result = self._mapping.read(object_name, row)
        self._problems.update({(problem.kind, problem.id, problem.field): problem for problem in result.problems})
        return tuple(self._follow_merges(record) for record in result.records), result.links

    def _follow_merges(self, record: Record) -> Record:
        """References to a record that was merged away lead to the survivor."""
        kind = kind_of(record)
        moved: dict[str, Any] = {}
        for (owner, field_name), target in REFERENCES.items():
            if owner != kind or (owner, field_name) in _AS_WRITTEN or target not in self._mapping.kinds:
                continue
            aliases = self._aliases.get(self._mapping.object_of(target))
            value = getattr(record, field_name)
            if aliases and value in aliases:
                moved[field_name] = self._store.resolve(self._mapping.object_of(target), value)
        return replace(record, **moved) if moved else record


def _typed(cls: type[R], records: list[Record]) -> tuple[R, ...]:
    return tuple(record for record in records if isinstance(record, cls))


def _partner_ids(groups: Iterable[list[Record]], links: Iterable[Link]) -> set[str]:
    named = {
        getattr(record, name, None)
        for records in groups
        for record in records
        for name in ("partner_id", "original_partner_id")
    }
    tied = {link.to_id for link in links if link.name == "deal_partner"}
    return {pid for pid in named | tied if pid}


def _owner_ids(groups: Iterable[list[Record]], partners: Iterable[Partner]) -> set[str]:
    owners = {getattr(record, "owner_id", None) for records in groups for record in records}
    managers = {partner.manager_id for partner in partners}
    return {uid for uid in owners | managers if uid}
