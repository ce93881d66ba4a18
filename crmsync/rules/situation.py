"""The facts of one neighbourhood, indexed once, and what all concerns ask of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from crmsync.records import (
    Account,
    Certification,
    CertificationStatus,
    Contact,
    Deal,
    Link,
    Partner,
    PartnerStatus,
    Registration,
    RegistrationState,
    Stage,
    Touch,
)
from crmsync.rules.alike import AlikePairs
from crmsync.rules.decision import Facts
from crmsync.rules.expressions import Expression, Scope
from crmsync.rules.findings import Findings
from crmsync.rules.identity import AccountIndex
from crmsync.rules.policy import Policy
from crmsync.rules.timeline import Timeline

CLOSED = (Stage.CLOSED_WON, Stage.CLOSED_LOST)

PENDING = (
    RegistrationState.SUBMITTED,
    RegistrationState.UNDER_REVIEW,
    RegistrationState.PENDING_APPROVAL,
    RegistrationState.ON_HOLD,
)
"""Waiting for an answer."""

SETTLED = (
    RegistrationState.EXPIRED,
    RegistrationState.REVOKED,
    RegistrationState.CLOSED,
    RegistrationState.WITHDRAWN,
    RegistrationState.REJECTED,
)
"""What such a registration gave is history: a changed policy does not move it."""

OPEN = (*PENDING, RegistrationState.APPROVED)


class Situation:
    """Read-only, except for what it remembers of the time."""

    def __init__(self, facts: Facts, policy: Policy, now: datetime) -> None:
        self.facts = facts
        self.policy = policy
        self.timeline = Timeline(now, policy.zone)
        self.findings = Findings(policy, self.timeline, self.addressee)
        living = (a for a in facts.accounts if a.id not in facts.merged)
        self.accounts: dict[str, Account] = {a.id: a for a in sorted(living, key=lambda a: a.id)}
        self.partners: dict[str, Partner] = dict(sorted(facts.partners.items()))
        self.contacts: list[Contact] = sorted(facts.contacts, key=lambda c: c.id)
        self.index = AccountIndex(tuple(self.accounts.values()), policy, facts.shared_keys)
        self.alike = AlikePairs(facts.likenesses, policy)
        self.registrations: dict[str, Registration] = {r.id: r for r in sorted(facts.registrations, key=lambda r: r.id)}
        self.all_deals: dict[str, Deal] = {d.id: d for d in sorted(facts.deals, key=lambda d: d.id)}
        self.deals: dict[str, Deal] = {d.id: d for d in self.all_deals.values() if self._in_scope(d)}
        self.deals_at: dict[str, list[Deal]] = defaultdict(list)
        for deal in self.deals.values():
            if account_id := self.resolve(deal.account_id):
                self.deals_at[account_id].append(deal)
        self.certifications = _grouped(facts.certifications)
        self.touches_on: dict[str, list[Touch]] = defaultdict(list)
        self.touches_at: dict[str, list[Touch]] = defaultdict(list)
        self._place_touches()
        self.partner_on: Mapping[str, str | None] = {}
        """By deal, once it is known: the partner on it."""
        self.approved_now: frozenset[str] = frozenset()
        """Registrations that this decision approves."""
        self.open_here: Mapping[str | None, int] = {}
        """By partner, once it is known: how many registrations are open."""
        self.links_of: dict[str, list[Link]] = defaultdict(list)
        for link in sorted(facts.links, key=lambda k: (k.name, k.from_id, k.to_id, k.label or "")):
            self.links_of[link.from_id].append(link)

    def _place_touches(self) -> None:
        for touch in sorted(self.facts.touches, key=lambda t: t.id):
            if touch.deal_id:
                self.touches_on[touch.deal_id].append(touch)
            elif account_id := self.resolve(touch.account_id):
                self.touches_at[account_id].append(touch)

    def _in_scope(self, deal: Deal) -> bool:
        expression = self.policy.expression("scope", "deals", "when")
        return expression is None or self.timeline.holds(expression, self.scope(deal=deal))

    # ------------------------------------------------------------ records by id

    def resolve(self, record_id: str | None) -> str | None:
        """The id that survived all merges."""
        seen: set[str] = set()
        while record_id and record_id in self.facts.merged and record_id not in seen:
            seen.add(record_id)
            record_id = self.facts.merged[record_id]
        return record_id

    def partner(self, partner_id: str | None) -> Partner | None:
        return self.partners.get(partner_id) if partner_id else None

    def partner_name(self, partner_id: str | None) -> str:
        """What people call the partner; its id where no name is known."""
        partner = self.partner(partner_id)
        return (partner.name if partner else None) or partner_id or "an unknown partner"

    def root_of(self, account_id: str) -> str:
        """The ultimate parent, as far as the neighbourhood holds it. A ring of parents ends at its smallest id."""
        chain = [account_id]
        while (account := self.accounts.get(chain[-1])) and (parent := self.resolve(account.parent_id)):
            if parent in chain:
                return min(chain[chain.index(parent) :])
            chain.append(parent)
        return chain[-1]

    # ------------------------------------------------------------ conditions

    def scope(
        self, *, deal: Deal | None = None, registration: Registration | None = None, account_id: str | None = None
    ) -> Scope:
        """What a condition on the deal or registration can see. The registration comes first where both are given.

        ``account_id`` is the customer's account where it is known better than the record says.
        """
        subject = registration or deal
        scope = Scope()
        if subject is None:
            return scope
        if deal:
            scope.deal = deal
        if registration:
            scope.registration = registration
        account = self.accounts.get(self.resolve(account_id or subject.account_id) or "")
        partner = self.partner(self.resolve(subject.partner_id))
        if account:
            scope.account = account
        if partner:
            scope.partner = partner
        if registration:
            scope.amount_corporate = self.in_corporate_of(registration)
        elif isinstance(subject, Deal):
            scope.amount_corporate = self.in_corporate(subject.amount, subject.currency, subject.created_at)
        return scope

    def holds(self, expression: Expression | None, scope: Scope) -> bool:
        """A missing condition always holds."""
        return expression is None or self.timeline.holds(expression, scope)

    def in_corporate(self, amount: Decimal | None, currency: str | None, at: datetime | None) -> Decimal | None:
        """The amount in corporate currency, at the rate of the month in which it was stamped."""
        fx = self.policy.model.fx
        if amount is None or currency is None:
            return None
        if currency == fx.corporate:
            return amount
        return _times(amount, self.rate(currency, at))

    def in_corporate_of(self, registration: Registration) -> Decimal | None:
        """A registration's amount; the rate that was stamped on it when it was settled stays."""
        amount, currency = registration.amount, registration.currency
        if amount is not None and registration.fx_rate and registration.state in SETTLED:
            return _times(amount, registration.fx_rate)
        return self.in_corporate(amount, currency, registration.submitted_at)

    def rate(self, currency: str, at: datetime | None) -> Decimal | None:
        """The published rate of a month into corporate currency."""
        fx = self.policy.model.fx
        if currency == fx.corporate:
            return Decimal(1)
        month = self.timeline.day_of(at).strftime("%Y-%m") if at else ""
        return fx.rates.get(month, {}).get(currency)

    # ------------------------------------------------------------ partners

    def open_registrations(self, partner_id: str | None) -> int:
        """How many the partner has open: over the whole CRM where that is given, and here at least."""
        return max(self.facts.open_registrations.get(partner_id or "", 0), self.open_here.get(partner_id, 0))

    def is_certified(self, partner_id: str | None, on: date) -> bool:
        """Whether the partner held one of the certifications that count, on that day."""
        return any(
            certification.type in self.policy.model.certification.types and _held(certification, on)
            for certification in self.certifications.get(partner_id or "", ())
        )

    def is_inactive(self, partner: Partner) -> bool:
        return partner.status in (PartnerStatus.SUSPENDED, PartnerStatus.TERMINATED)

    # ------------------------------------------------------------ people

    def addressee(self, to: str, kind: str, record_id: str) -> str | None:
        """Who gets a task about the record: the one the policy names, or else whoever is there and active."""
        manager = self._manager_of(kind, record_id)
        owner = self._owner_of(kind, record_id)
        candidates = (manager, owner) if to == "partner_manager" else (owner, manager)
        return next((user_id for user_id in candidates if user_id and self._is_active(user_id)), None)

    def _is_active(self, user_id: str) -> bool:
        user = self.facts.users.get(user_id)
        return user is None or user.is_active is not False

    def _owner_of(self, kind: str, record_id: str) -> str | None:
        if kind == "deal":
            return self.all_deals[record_id].owner_id
        if kind == "account" and record_id in self.accounts:
            return self.accounts[record_id].owner_id
        if kind == "contact":
            return next((c.owner_id for c in self.contacts if c.id == record_id), None)
        if kind == "registration":
            registration = self.registrations[record_id]
            deal = self.all_deals.get(registration.deal_id or "")
            account = self.accounts.get(self.resolve(registration.account_id) or "")
            return (deal.owner_id if deal else None) or (account.owner_id if account else None)
        return None

    def _manager_of(self, kind: str, record_id: str) -> str | None:
        named: Registration | Deal | None = None
        if kind == "registration":
            named = self.registrations[record_id]
        elif kind == "deal":
            named = self.all_deals[record_id]
        partner = self.partner(self.resolve(named.partner_id)) if named else self.partner(record_id)
        return partner.manager_id if partner else None


def _grouped(certifications: Iterable[Certification]) -> dict[str, list[Certification]]:
    grouped: dict[str, list[Certification]] = defaultdict(list)
    for certification in sorted(certifications, key=lambda c: c.id):
        if certification.partner_id:
            grouped[certification.partner_id].append(certification)
    return grouped


def _held(certification: Certification, on: date) -> bool:
    if certification.status not in (CertificationStatus.ACTIVE, CertificationStatus.EXPIRED):
        return False
    starts = certification.earned_on is None or certification.earned_on <= on
    if certification.expires_on is None:
        return starts and certification.status == CertificationStatus.ACTIVE
    return starts and on <= certification.expires_on


def _times(amount: Decimal, rate: Decimal | None) -> Decimal | None:
    try:
        return round(amount * rate, 2) if rate else None
    except ArithmeticError:
        return None


def is_closed(deal: Deal) -> bool:
    return deal.stage in CLOSED


def shares_products(one: Sequence[str], other: Sequence[str], overlap: str) -> bool:
    """Whether two claims meet on products. One without products claims them all."""
    if overlap == "ignore" or not one or not other:
        return True
    if overlap == "all":
        return set(one) == set(other)
    return not set(one).isdisjoint(other)
