"""Records as the matching model compares them, and pairs as the rules hear of them. Pure.

One scorer for all: the sync (over the index in the store), scenarios (over the records of the case) and the review
commands build it here, so that the same two records get the same likeness everywhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, TypeAlias

from crmsync.identity.keys import KEYS, blocking_keys, terms
from crmsync.identity.model import Model
from crmsync.identity.records import Prepared, prepare
from crmsync.identity.score import Frequency, Score, Scorer
from crmsync.records import Account, Record, Registration, kind_of
from crmsync.rules import Facts, Likeness, Policy
from crmsync.rules.identity import usable_domain

KINDS = ("account", "contact", "registration")
"""Kinds of records that are compared. A registration is compared with accounts: which one does it mean?"""

COMPARED_WITH: Mapping[str, tuple[str, ...]] = {
    "account": ("account", "registration"),
    "contact": ("contact",),
    "registration": ("account",),
}
"""What a record of a kind is compared with."""

FLOOR = 0.05
"""Pairs that are less likely than this to be the same, or related, are not kept."""

POPULATION = 10_000
"""A base smaller than this says little about how common a value is: it is counted as if it were so large."""

Count: TypeAlias = Callable[[str, str, str], tuple[int, int]]
"""``(kind, column, value)`` to how many records have the value, and how many have any."""


def raw_fields(record: Record, policy: Policy) -> dict[str, Any]:
    """The record in the words of the matching model. Fields of the admin's own count where the model knows the name
    (``phone``, ``street``, ``city``, ``postal_code``, …). A domain that the policy says identifies nobody is left out.
    """
    if isinstance(record, Registration):
        return _described(record, policy)
    own = {name: getattr(record, name) for name in record.__dataclass_fields__ if name not in _NOT_COMPARED}
    if isinstance(record, Account):
        aliases = (usable_domain(text, policy) for text in record.domain_aliases)
        own["domain"] = usable_domain(record.domain, policy)
        own["domain_aliases"] = tuple(domain for domain in aliases if domain)
    return {**record.extra, **{name: value for name, value in own.items() if value not in (None, "", ())}}


_NOT_COMPARED = frozenset({"id", "extra", "flags", "owner_id", "created_at", "is_customer", "last_contact_on"})


def _described(registration: Registration, policy: Policy) -> dict[str, Any]:
    """The customer as the partner described it. The contact's address counts where no domain is given."""
    addresses = (registration.account_domain, registration.contact_email)
    described = {
        "name": registration.account_name,
        "domain": next((domain for text in addresses if (domain := usable_domain(text, policy))), None),
        "country": registration.account_country,
        "company_number": registration.account_number,
    }
    return {**registration.extra, **{name: value for name, value in described.items() if value}}


def model_kind(kind: str) -> str:
    """The kind of model that compares records of a kind: a registration describes an account."""
    return "account" if kind == "registration" else kind


class Matchmaker:
    """The models of a project, ready to compare records."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        self.models = models

    @property
    def fingerprint(self) -> str:
        """Changes when any pair could be scored differently."""
        return "+".join((KEYS, *(f"{kind}:{self.models[kind].fingerprint}" for kind in sorted(self.models))))

    @staticmethod
    def can_search(fingerprint: str | None) -> bool:
        """Whether an index that was built under a fingerprint has the keys of today."""
        return fingerprint is None or fingerprint.startswith(f"{KEYS}+")

    def prepare(self, record: Record, policy: Policy) -> Prepared:
        return prepare(model_kind(kind_of(record)), {**raw_fields(record, policy), "id": record.id})

    def scorer(self, kind: str, count: Count) -> Scorer:
        """Scores pairs of a kind. Counts are asked once for each value."""
        return Scorer(self.models[model_kind(kind)], frequency_in(model_kind(kind), count))


def frequency_in(kind: str, count: Count) -> Frequency:
    """The share of records that have a value in a column, out of counts."""

    @cache
    def frequency(column: str, value: str) -> float:
        number, total = count(kind, column, value)
        return max(number, 1) / max(total, POPULATION)

    return frequency


def default_matchmaker(directory: Path | None = None) -> Matchmaker:
    """The models that ``dupes train`` has left in ``identity/`` of a project, or else those that crmsync comes with."""
    return Matchmaker({kind: _load(kind, directory) for kind in ("account", "contact")})


def _load(kind: str, directory: Path | None) -> Model:
    own = directory / "identity" / f"{kind}.json" if directory else None
    return Model.load(own) if own is not None and own.exists() else Model.default(kind)


def is_worth_keeping(score: Score) -> bool:
    return score.p_duplicate >= FLOOR or score.p_related >= FLOOR


def sentences(evidence: Iterable[tuple[str, str, float, str]]) -> tuple[str, ...]:
    """What speaks for and against, in plain words, the weightiest first."""
    ranked = sorted(evidence, key=lambda e: (-abs(e[2]), e[0]))
    return tuple(text for _, _, weight, text in ranked if text and abs(weight) >= 0.5)


# ---------------------------------------------------------------- in memory


class TermCounts:
    """How common values are among the records that were added, as the store counts them: a :data:`Count`."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, ...]] = Counter()

    def add(self, record: Prepared) -> None:
        for column, value in terms(record):
            self._counts[record.kind, column, value] += 1
            self._counts[record.kind, column] += 1

    def __call__(self, kind: str, column: str, value: str) -> tuple[int, int]:
        return self._counts[kind, column, value], self._counts[kind, column]


def likenesses_among(facts: Facts, matchmaker: Matchmaker, policy: Policy) -> tuple[Likeness, ...]:
    """The pairs of a few records, as a scenario gives them."""
    records: list[Record] = [*facts.accounts, *facts.contacts, *facts.registrations]
    prepared = {(kind_of(r), r.id): matchmaker.prepare(r, policy) for r in records if r.id not in facts.merged}
    counts = TermCounts()
    for (kind, _), record in prepared.items():
        if kind != "registration":
            counts.add(record)
    scorers = {kind: matchmaker.scorer(kind, counts) for kind in ("account", "contact")}
    found = []
    for (kind, one), (_, other) in sorted(_sharing_a_key(prepared)):
        other_kind = "account" if kind == "registration" else kind
        score = scorers[other_kind].score(prepared[kind, one], prepared[other_kind, other])
        if is_worth_keeping(score):
            found.append(_likeness(kind, one, other, score))
    return tuple(found)


def _sharing_a_key(prepared: Mapping[tuple[str, str], Prepared]) -> set[tuple[tuple[str, str], tuple[str, str]]]:
    blocks: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for subject in sorted(prepared):
        for key in blocking_keys(prepared[subject]):
            blocks[model_kind(subject[0]), key].append(subject)
    return {pair for block in blocks.values() for pair in _pairs(block)}


def _pairs(block: list[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    for one, other in combinations(block, 2):
        if one[0] == other[0] == "registration":
            continue
        yield (other, one) if other[0] == "registration" else (one, other)


def _likeness(kind: str, one: str, other: str, score: Score) -> Likeness:
    return Likeness(
        kind=kind,
        one=one,
        other=other,
        duplicate=score.p_duplicate,
        related=score.p_related,
        weight=score.weight,
        reasons=sentences((e.field, e.level, e.weight, e.text) for e in score.evidence),
    )
