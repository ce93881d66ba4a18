"""What the rules answer: desired field values with their reasons, findings, tasks, and when to look again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from crmsync.diagnostics import Span
from crmsync.records import (
    Account,
    Certification,
    Contact,
    Deal,
    Link,
    Partner,
    PartnerRole,
    Registration,
    Touch,
    User,
    Value,
)

Answer = Literal["duplicate", "related", "different", "skip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """Two records that look alike, as the matching model sees them or as a person has said.

    ``one`` is of ``kind``: two accounts, two contacts, or a registration (``one``) and the account that it may mean.
    """

    kind: str
    one: str
    other: str
    duplicate: float = 0.0
    """Probability that they are the same."""
    related: float = 0.0
    """Probability that they belong to one family without being the same."""
    weight: float = 0.0
    """Evidence in bits; positive speaks for the same."""
    reasons: tuple[str, ...] = ()
    answer: Answer | None = None
    """What a person said; it beats the probabilities."""

    def partner_of(self, record_id: str) -> str:
        """The other one."""
        return self.other if record_id == self.one else self.one


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One account neighbourhood and the shared records it refers to. Every tuple is sorted by id."""

    accounts: tuple[Account, ...] = ()
    contacts: tuple[Contact, ...] = ()
    deals: tuple[Deal, ...] = ()
    registrations: tuple[Registration, ...] = ()
    touches: tuple[Touch, ...] = ()
    links: tuple[Link, ...] = ()
    partners: Mapping[str, Partner] = field(default_factory=dict)
    """By id: every partner that a record or link of the neighbourhood names."""
    certifications: tuple[Certification, ...] = ()
    """Of those partners."""
    users: Mapping[str, User] = field(default_factory=dict)
    merged: Mapping[str, str] = field(default_factory=dict)
    """Ids that were merged away, to the surviving id (partners and accounts)."""
    open_registrations: Mapping[str, int] = field(default_factory=dict)
    """By partner: how many registrations it has open in the whole CRM, for policies that limit them. Where nothing is
    given, those of the neighbourhood are counted."""
    likenesses: tuple[Likeness, ...] = ()
    """Pairs among these records that are alike, sorted by kind and ids."""
    shared_keys: frozenset[str] = frozenset()
    """Index keys (``domain:…``, ``name:…``) that too many records have to identify any."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The statement of the policy that decided: its short name and where it stands."""

    name: str
    span: Span | None = None


class FieldDecision(NamedTuple):
    """The value that a field should have. ``reason`` is one plain sentence, ``trace`` the longer why.

    A named tuple for the same reason as :class:`~crmsync.rules.explained.Explained`.
    """

    kind: str
    id: str
    field: str
    value: Value
    code: str
    reason: str
    rule: Rule
    trace: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """A to-do for a person in the CRM. ``key`` makes it unique for ever: the same finding never makes two."""

    key: str
    subject: str
    body: str
    owner_id: str | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A coded, clearable statement about a record. Its identity is ``(code, kind, id, subject)``.

    ``subject`` tells apart two findings of one code on one record (a field name, the other record's id); often empty.
    """

    code: str
    severity: str
    kind: str
    id: str
    message: str
    rule: Rule
    subject: str = ""
    evidence: tuple[str, ...] = ()
    task: TaskRequest | None = None
    detail: Detail | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """What a comparison of records showed. ``candidates`` are the ids, the likeliest first."""

    candidates: tuple[str, ...]
    score: float | None = None
    """Probability of the likeliest; ``None`` where a rule, not the model, found it."""
    reasons: tuple[str, ...] = ()
    answered: bool = False
    """A person has said so."""

    def as_dict(self) -> dict[str, Any]:
        """For the store and ``--json``."""
        score = None if self.score is None else round(self.score, 4)
        said = {"answered": True} if self.answered else {}
        return {"score": score, "reasons": list(self.reasons), "candidates": list(self.candidates), **said}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """A partner's share of a deal for one measure: ``sourced``, ``influenced``, ``delivered`` or ``loser``.

    ``status`` is ``proposed``, ``in_review``, ``locked``, or ``adjustment`` for what changed after the deal was won.
    Rows of different measures are never added up.
    """

    deal_id: str
    partner_id: str
    measure: str
    role: PartnerRole
    percent: Decimal
    amount: Decimal
    amount_corporate: Decimal | None
    currency: str | None
    status: str
    rule: Rule
    start: date | None = None
    end: date | None = None
    booked_on: date | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one neighbourhood. ``next_due_at``: the next instant at which time alone could change it."""

    fields: tuple[FieldDecision, ...] = ()
    findings: tuple[Finding, ...] = ()
    next_due_at: datetime | None = None
    credits: tuple[Credit, ...] = ()
    """For reports: no field of a CRM holds them."""
