"""One registration with everything that is worked out about it on the way to its decisions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from crmsync.records import ClosureCode, ConflictStatus, Deal, Registration, RegistrationState
from crmsync.rules.decision import Rule
from crmsync.rules.escalation import Stand
from crmsync.rules.identity import Company, Match, company_of_registration, match_alike
from crmsync.rules.protection import Window, build_window, was_approved
from crmsync.rules.situation import PENDING, SETTLED, Situation, is_closed
from crmsync.rules.uniqueness import site_of


@dataclass(slots=True)
class Dossier:
    """``state`` and ``closure`` start as recorded and end as decided, with the rule and reason for the last step."""

    record: Registration
    partner_id: str | None
    original_partner_id: str | None
    company: Company
    match: Match
    site: str | None
    """Names the customer for uniqueness; ``None`` where it is not certain, so that it blocks nobody."""
    deal: Deal | None
    state: RegistrationState | None
    closure: ClosureCode | None
    window: Window | None
    conflict: ConflictStatus = ConflictStatus.NONE
    blocked_by: str | None = None
    second_to: str | None = None
    """Label of the claim before which this one counts only in part."""
    step: tuple[str, str, Rule] | None = None
    """Code, reason and rule of the machine's own change of state."""
    conflict_rule: Rule | None = None
    conflict_trace: tuple[str, ...] = ()
    stand: Stand | None = None
    """Of the oldest dispute over it."""

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def label(self) -> str:
        """What people call it."""
        return self.record.number or self.record.id

    @property
    def account_id(self) -> str | None:
        """The customer's account, as matched or as given."""
        return self.match.account_id or self.record.account_id

    @property
    def deal_id(self) -> str | None:
        return self.record.deal_id or (self.deal.id if self.deal else None)

    @property
    def is_moved(self) -> bool:
        """Whether anything of what was worked out differs from what is recorded."""
        record = self.record
        told = (record.partner_id, record.original_partner_id, record.account_id, record.deal_id)
        found = (self.partner_id, self.original_partner_id, self.account_id, self.deal_id)
        return found != told or (self.state, self.closure) != (record.state, record.closure_code)

    @property
    def is_pending(self) -> bool:
        return self.state in PENDING

    @property
    def is_approved(self) -> bool:
        return self.state == RegistrationState.APPROVED

    @property
    def was_approved(self) -> bool:
        return was_approved(self.record, self.state, self.closure)

    @property
    def order(self) -> tuple[datetime, str, str]:
        """By submission; then by number, so that no tie is left to chance."""
        at = self.record.submitted_at or self.record.approved_at
        return (at.replace(tzinfo=None) if at else datetime.max, self.label, self.id)  # noqa: DTZ901 - all are UTC

    def dispute(self, stand: Stand | None) -> None:
        """Note a dispute; the oldest one tells the level."""
        if stand is not None and (self.stand is None or stand.since < self.stand.since):
            self.stand = stand

    def move(self, state: RegistrationState, code: str, reason: str, rule: Rule) -> None:
        self.state = state
        self.step = (code, reason, rule)


@dataclass(slots=True)
class Dossiers:
    """All registrations of the neighbourhood, and which deals each belongs to."""

    all: dict[str, Dossier]
    of_deal: dict[str, list[Dossier]]
    numbers: frozenset[str]

    def at_site(self) -> dict[str, list[Dossier]]:
        """By customer, each list in order of submission."""
        sites: dict[str, list[Dossier]] = defaultdict(list)
        for dossier in sorted(self.all.values(), key=lambda d: d.order):
            if dossier.site:
                sites[dossier.site].append(dossier)
        return sites


def build_dossiers(situation: Situation) -> Dossiers:
    """Customer, deal and window of every registration."""
    quoting = _quoting_deals(situation)
    dossiers = {r.id: _open(r, situation, quoting) for r in situation.registrations.values()}
    _name_unknown_customers(dossiers.values())
    return Dossiers(
        dossiers,
        _by_deal(dossiers.values(), quoting),
        frozenset(number_key(r.number) for r in situation.registrations.values()),
    )


def _open(registration: Registration, situation: Situation, quoting: dict[str, list[Deal]]) -> Dossier:
    deal = situation.all_deals.get(registration.deal_id or "")
    if deal is None:
        deal = next(iter(quoting.get(number_key(registration.number), ())), None)
    company = company_of_registration(registration, situation.policy).without(situation.index.shared)
    match = _match(registration, company, situation)
    partner_id = situation.resolve(registration.partner_id)
    merged = partner_id != registration.partner_id
    settled = registration.state in SETTLED or (deal is not None and is_closed(deal))
    return Dossier(
        record=registration,
        partner_id=partner_id,
        original_partner_id=registration.original_partner_id or (registration.partner_id if merged else None),
        company=company,
        match=match,
        site=_site(match, situation),
        deal=deal,
        state=registration.state,
        closure=registration.closure_code,
        window=build_window(
            registration, deal, match.account_id or registration.account_id, situation, settled=settled
        ),
    )


def _match(registration: Registration, company: Company, situation: Situation) -> Match:
    """An account that a person has chosen is right; otherwise the description decides."""
    described = match_alike(
        situation.index.match(company),
        situation.alike.meant_by(registration.id),
        situation.alike.limits("registration"),
    )
    given = situation.resolve(registration.account_id)
    if given is None or described.account_id == given:
        return described
    return Match("match", given, "record id", (given,), ("the registration names the account",))


def _site(match: Match, situation: Situation) -> str | None:
    if match.account_id is None:
        return None
    return site_of(match.account_id, situation)


def _name_unknown_customers(dossiers: Iterable[Dossier]) -> None:
    """Registrations of a customer that is no account yet meet under the first key that they share."""
    roots: dict[str, str] = {}

    def root(key: str) -> str:
        while roots.setdefault(key, key) != key:
            key = roots[key]
        return key

    unknown = [d for d in dossiers if d.match.outcome == "none"]
    for dossier in unknown:
        keys = sorted(_certain_keys(dossier.company))
        for key in keys[1:]:
            one, other = sorted((root(keys[0]), root(key)))
            roots[other] = one
    for dossier in unknown:
        keys = sorted(_certain_keys(dossier.company))
        dossier.site = root(keys[0]) if keys else None


def _certain_keys(company: Company) -> list[str]:
    keys = [f"domain:{domain}" for domain in company.domains]
    if company.number:
        keys.append(f"number:{company.number}")
    if company.name and company.country:
        keys.append(f"name:{company.name}|{company.country}")
    return keys


def number_key(number: str | None) -> str:
    """A registration number as it is compared."""
    return (number or "").strip().lower()


def _quoting_deals(situation: Situation) -> dict[str, list[Deal]]:
    """Deals by the registration number that they quote; a number that two registrations have links nothing."""
    numbers = Counter(number_key(r.number) for r in situation.registrations.values())
    quoting: dict[str, list[Deal]] = defaultdict(list)
    for deal in situation.all_deals.values():
        key = number_key(deal.registration_id)
        if key and numbers[key] == 1:
            quoting[key].append(deal)
    return quoting


def _by_deal(dossiers: Iterable[Dossier], quoting: dict[str, list[Deal]]) -> dict[str, list[Dossier]]:
    of_deal: dict[str, list[Dossier]] = defaultdict(list)
    for dossier in sorted(dossiers, key=lambda d: d.order):
        deals = {deal.id for deal in quoting.get(number_key(dossier.record.number), ())}
        if dossier.record.deal_id:
            deals.add(dossier.record.deal_id)
        for deal_id in sorted(deals):
            of_deal[deal_id].append(dossier)
    return of_deal
