"""Proposals for people: pairs that may be the same, both records side by side, the most useful question first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from math import log2
from typing import Any

from crmsync.diagnostics import did_you_mean
from crmsync.errors import UsageError
from crmsync.likeness import sentences
from crmsync.records import Account, Contact, Record, Registration, kind_of
from crmsync.rules.decision import Answer
from crmsync.rules.policy.matching import Alike
from crmsync.store.likenesses import LikenessRow
from crmsync.sync.answers import Answers, Pair, other_kind, pair_of
from crmsync.sync.diff import label_of
from crmsync.sync.identity import load_answers
from crmsync.sync.session import Session

_SHOWN: Mapping[str, tuple[str, ...]] = {
    "account": ("name", "domain", "domain_aliases", "company_number", "country", "segment", "parent_id", "created_at"),
    "contact": ("first_name", "last_name", "email", "phone", "title", "account_id", "created_at"),
    "registration": ("account_name", "account_domain", "account_number", "account_country", "contact_email", "number"),
}
_BESIDE: Mapping[str, str] = {
    "account_name": "name", "account_domain": "domain", "account_number": "company_number",
    "account_country": "country",
}  # fmt: skip
"""Fields of a registration, beside those of the account that it may mean."""


@dataclass(frozen=True, slots=True)
class Side:
    """One field of both records."""

    field: str
    one: str
    other: str

    @property
    def is_same(self) -> bool:
        return bool(self.one) and self.one.casefold() == self.other.casefold()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pair to be answered, or one that was."""

    id: str
    kind: str
    one: str
    other: str
    one_name: str
    other_name: str
    duplicate: float
    related: float
    weight: float
    evidence: tuple[tuple[str, str, float, str], ...]
    sides: tuple[Side, ...]
    answer: Answer | None = None

    @property
    def pair(self) -> Pair:
        return self.kind, self.one, self.other

    @property
    def reasons(self) -> tuple[str, ...]:
        return sentences(self.evidence)

    @property
    def doubt(self) -> float:
        """How much an answer would teach, in bits: most where the model could say either."""
        shares = (self.duplicate, self.related, max(0.0, 1 - self.duplicate - self.related))
        return -sum(share * log2(share) for share in shares if share > 0)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "id": self.id,
            "kind": self.kind,
            "one": {"id": self.one, "name": self.one_name},
            "other": {"id": self.other, "name": self.other_name},
            "score": round(self.duplicate, 4),
            "related": round(self.related, 4),
            "weight": self.weight,
            "answer": self.answer,
            "evidence": [dict(zip(("field", "level", "weight", "text"), e, strict=True)) for e in self.evidence],
            "fields": [{"field": s.field, "one": s.one, "other": s.other, "same": s.is_same} for s in self.sides],
        }


def proposal_id(pair: Pair) -> str:
    """A short name for a pair, the same for ever."""
    return "d-" + blake2b("\x1f".join(pair).encode(), digest_size=4).hexdigest()


class Review:
    """The pairs of one connection, with what people said so far."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.answers: Answers = load_answers(session)

    def open(self, kind: str | None = None, *, everything: bool = False) -> list[Proposal]:
        """What nobody has answered yet, the most useful question first. ``everything``: the unlikely ones too."""
        limits = self._session.policy.model.identity.alike.by_kind()
        rows = [row for row in self._session.store.likenesses(kind) if self._is_open(row, limits, everything)]
        return sorted(self._proposals(rows), key=lambda p: (-round(p.doubt, 6), -p.duplicate, p.id))

    def all(self, kind: str | None = None) -> list[Proposal]:
        """Every stored pair, answered or not."""
        return list(self._proposals(list(self._session.store.likenesses(kind))))

    def find(self, names: Iterable[str]) -> list[Proposal]:
        """Pairs by their id or as ``kind:one:other``.

        :raises UsageError: for a name that is neither, or a record that is not known.
        """
        stored = {proposal_id((r.kind, r.one, r.other)): r for r in self._session.store.likenesses()}
        return [self._find(name, stored) for name in names]

    def _find(self, name: str, stored: Mapping[str, LikenessRow]) -> Proposal:
        if name in stored:
            return next(self._proposals([stored[name]]))
        kind, *ids = name.split(":")
        if kind in _SHOWN and len(ids) == 2:
            pair = pair_of(kind, *ids)
            row = stored.get(proposal_id(pair)) or LikenessRow(
                kind, pair[1], other_kind(kind), pair[2], "unsure", 0, 0, 0
            )
            found = next(self._proposals([row]), None)
            if found is not None:
                return found
            raise UsageError(f"no two records '{name}' in the mirror", hint="crmsync sync")
        near = did_you_mean(name, stored) or "crmsync dupes list, or name the pair as kind:id:id"
        raise UsageError(f"no proposal '{name}'", hint=near)

    def _is_open(self, row: LikenessRow, limits: Mapping[str, Alike], everything: bool) -> bool:
        if self.answers.get(row.kind, row.one, row.other) is not None:
            return False
        return everything or max(row.p_duplicate, row.p_related) >= limits[row.kind].propose.at / 2

    def _proposals(self, rows: Sequence[LikenessRow]) -> Iterator[Proposal]:
        records = self.records({(row.kind, row.one) for row in rows} | {(row.other_kind, row.other) for row in rows})
        for row in rows:
            one, other = records.get((row.kind, row.one)), records.get((row.other_kind, row.other))
            if one is not None and other is not None and not _is_settled(one, other):
                yield _proposal(row, one, other, self.answers.get(row.kind, row.one, row.other))

    def records(self, subjects: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Record]:
        """Live records out of the mirror."""
        wanted: dict[str, list[str]] = defaultdict(list)
        for kind, record_id in sorted(subjects):
            wanted[kind].append(record_id)
        return {(kind, r.id): r for kind in wanted for r in load_records(self._session, kind, wanted[kind])}


def load_records(session: Session, kind: str, ids: Iterable[str] | None = None) -> Iterator[Record]:
    """Live records of one kind out of the mirror; all of them where no ids are given."""
    mapping = session.mapping
    if kind not in mapping.kinds:
        return
    name = mapping.object_of(kind)
    for row in session.store.rows(name, ids):
        yield from (record for record in mapping.read(name, row).records if kind_of(record) == kind)


def _is_settled(one: Record, other: Record) -> bool:
    """Nothing to ask: the CRM says itself that it is a family, or which account the registration means."""
    if isinstance(one, Registration):
        return one.account_id == other.id
    if isinstance(one, Account) and isinstance(other, Account):
        return one.parent_id == other.id or other.parent_id == one.id
    return False


def _proposal(row: LikenessRow, one: Record, other: Record, answer: Answer | None) -> Proposal:
    return Proposal(
        id=proposal_id((row.kind, row.one, row.other)),
        kind=row.kind,
        one=row.one,
        other=row.other,
        one_name=_name(one),
        other_name=_name(other),
        duplicate=row.p_duplicate,
        related=row.p_related,
        weight=row.weight,
        evidence=row.evidence,
        sides=tuple(_sides(one, other)),
        answer=answer,
    )


def _name(record: Record) -> str:
    if isinstance(record, Contact):
        full = " ".join(part for part in (record.first_name, record.last_name) if part)
        return full or record.email or record.id
    if isinstance(record, Registration):
        return f"{record.number or record.id} ({record.account_name or 'no name'})"
    return label_of(record)


def _sides(one: Record, other: Record) -> Iterator[Side]:
    for name in _SHOWN[kind_of(one)]:
        beside = _BESIDE.get(name, name)
        side = Side(name, shown(getattr(one, name, None)), shown(getattr(other, beside, None)))
        if side.one or side.other:
            yield side
    for name in sorted({*one.extra, *other.extra}):
        yield Side(name, shown(one.extra.get(name)), shown(other.extra.get(name)))


def shown(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return value.date().isoformat() if isinstance(value, datetime) else str(value)
