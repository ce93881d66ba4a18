"""Whether a registration meets the programme's terms. A term that cannot be judged for want of a rate is not failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from zoneinfo import ZoneInfo

from crmsync.records import Stage
from crmsync.rules.background import Background
from crmsync.rules.dossier import Dossier
from crmsync.rules.expressions import Scope
from crmsync.rules.policy import Length
from crmsync.rules.policy.programme import Eligibility, Money
from crmsync.rules.situation import Situation
from crmsync.rules.timeline import add_length

_IN_CORPORATE = frozenset({"amount_corporate", "annual_value"})


@dataclass(frozen=True, slots=True)
class Case:
    """One registration before one term."""

    dossier: Dossier
    background: Background
    situation: Situation

    @property
    def submitted_on(self) -> date:
        """Today, and tomorrow another day, where nobody noted when."""
        submitted_at, timeline = self.dossier.record.submitted_at, self.situation.timeline
        if submitted_at is not None:
            return timeline.day_of(submitted_at)
        timeline.over(timeline.today)
        return timeline.today


class NoRate(Exception):
    """The amount cannot be told in the currency that the term asks for."""


Failure = str | None
"""What is found instead of what is asked; ``None`` where the term is met."""


def background_of(dossier: Dossier, situation: Situation) -> Background:
    return Background(dossier.record, dossier.deal, dossier.account_id, situation)


def claim_scope(dossier: Dossier, situation: Situation) -> Scope:
    """What a condition on a registration sees once all partners are known."""
    scope = situation.scope(registration=dossier.record, deal=dossier.deal, account_id=dossier.account_id)
    scope.background = background_of(dossier, situation)
    return scope


def find_terms(dossier: Dossier, situation: Situation) -> None:
    """``INELIGIBLE``, ``FX_MISSING`` and ``CAPACITY`` on registrations that wait for an answer."""
    if not dossier.is_pending:
        return
    policy = situation.policy
    if policy.model.eligibility or policy.model.deadlines:
        scope = claim_scope(dossier, situation)
        for at, term in enumerate(policy.model.eligibility):
            if situation.holds(policy.expression("eligibility", at, "when"), scope):
                _find_term(dossier, at, term, scope, situation)
        _find_late(dossier, scope, situation)
    _find_capacity(dossier, situation)


def _find_term(dossier: Dossier, at: int, term: Eligibility, scope: Scope, situation: Situation) -> None:
    rule, findings = situation.policy.rule("eligibility", at), situation.findings
    try:
        failure = _judge(dossier, at, term, scope, situation)
    except NoRate:
        message = f"no rate for {dossier.record.currency or 'a blank currency'} in the month of submission"
        findings.add("FX_MISSING", "registration", dossier.id, message, rule)
        return
    if failure is not None:
        findings.add("INELIGIBLE", "registration", dossier.id, term.reason or failure, rule, subject=term.name)


def _judge(dossier: Dossier, at: int, term: Eligibility, scope: Scope, situation: Situation) -> Failure:
    require = situation.policy.expression("eligibility", at, "require")
    if require is None:
        return _TESTS[term.test](term, Case(dossier, scope.background, situation))
    if require.names & _IN_CORPORATE and dossier.record.amount is not None and scope.amount_corporate is None:
        raise NoRate
    return None if situation.holds(require, scope) else f"the term '{term.name}' is not met"


def _find_late(dossier: Dossier, scope: Scope, situation: Situation) -> None:
    """After a named deadline, by the clock of its own place."""
    policy, submitted_at = situation.policy, dossier.record.submitted_at
    for at, deadline in enumerate(policy.model.deadlines):
        due_at = datetime.fromisoformat(deadline.at).replace(tzinfo=ZoneInfo(deadline.tz))
        if submitted_at is None or submitted_at <= due_at:
            continue
        if situation.holds(policy.expression("deadlines", at, "when"), scope):
            message = f"submitted after {deadline.name}, {deadline.at.replace('T', ' ')} in {deadline.tz}"
            rule = policy.rule("deadlines", at)
            situation.findings.add("INELIGIBLE", "registration", dossier.id, message, rule, subject=deadline.name)


def _find_capacity(dossier: Dossier, situation: Situation) -> None:
    limit = situation.policy.model.capacity.open_registrations_per_partner
    if limit is None or dossier.partner_id is None:
        return
    count = situation.open_registrations(dossier.partner_id)
    if count > limit:
        message = f"the partner has {count} registrations open, {limit} are allowed"
        rule = situation.policy.rule("capacity", "open_registrations_per_partner")
        situation.findings.add("CAPACITY", "registration", dossier.id, message, rule)


# ---------------------------------------------------------------- the terms


def _not_customer(term: Eligibility, case: Case) -> Failure:
    same_product = term.not_customer == "same_product"
    bought_on = case.background.last_purchase(same_product=same_product)
    if bought_on:
        return f"the customer bought {'this' if same_product else 'from us'} on {bought_on}"
    account = case.situation.accounts.get(case.dossier.account_id or "")
    if account and account.is_customer and not same_product:
        return "the company is a customer already"
    return None


def _vendor_contact(term: Eligibility, case: Case) -> Failure:
    last = case.background.last_vendor_contact_on
    return _too_recent(last, term.no_vendor_contact_within, "our last contact with the customer", case)


def _purchase(term: Eligibility, case: Case) -> Failure:
    return _too_recent(case.background.last_purchase_on, term.no_purchase_within, "the customer's last purchase", case)


def _too_recent(last: date | None, within: Length | None, what: str, case: Case) -> Failure:
    """The day that lies a length after the last one is free again."""
    if last is None or within is None or add_length(last, within) <= case.submitted_on:
        return None
    return f"{what} was on {last}"


def _direct_deal(_: Eligibility, case: Case) -> Failure:
    count = case.background.open_direct_deals
    return f"our own sellers have {count} open {'deal' if count == 1 else 'deals'} for this business" if count else None


def _amount(term: Eligibility, case: Case) -> Failure:
    asked = term.amount_gte
    if asked is None:
        return None
    amount = case.situation.in_corporate_of(case.dossier.record)
    found = _told_in(asked, amount, case)
    return None if found is not None and found >= asked.value else _wanted("at least", asked, found, case)


def _annual_value(term: Eligibility, case: Case) -> Failure:
    asked = term.annual_value_gt
    if asked is None:
        return None
    found = _told_in(asked, case.background.annual(asked.perpetual_years), case)
    if found is not None and found > asked.value:
        return None
    return _wanted("a yearly value of more than", asked, found, case)


def _told_in(asked: Money, corporate: Decimal | None, case: Case) -> Decimal | None:
    """The amount in the term's currency; ``None`` where the registration has no amount.

    :raises NoRate: where a rate is missing.
    """
    record = case.dossier.record
    if record.amount is None:
        return None
    target = asked.currency or case.situation.policy.model.fx.corporate
    if record.currency == target and corporate is None:
        raise NoRate
    rate = case.situation.rate(target, record.submitted_at)
    if corporate is None or rate is None:
        raise NoRate
    return corporate if rate == 1 else round(corporate / rate, 2)


def _wanted(words: str, asked: Money, found: Decimal | None, case: Case) -> str:
    currency = asked.currency or case.situation.policy.model.fx.corporate
    return f"{words} {asked.value:f} {currency} is asked, found {'nothing' if found is None else f'{found:.2f}'}"


def _units(term: Eligibility, case: Case) -> Failure:
    units = case.dossier.record.units
    if units is not None and units >= (term.units_gte or 0):
        return None
    return f"at least {term.units_gte} units are asked, found {'nothing' if units is None else units}"


def _region(term: Eligibility, case: Case) -> Failure:
    region = case.background.region
    return f"{region} is outside the programme" if term.not_in and region in term.not_in.region else None


def _tender(term: Eligibility, case: Case) -> Failure:
    """A tender without a date counts as published."""
    deal, asked = case.dossier.deal, term.tender
    if deal is None or asked is None or not (deal.is_tender or deal.tender_published_on):
        return None
    if not asked.allowed:
        return "tenders are excluded"
    published_on = deal.tender_published_on
    if asked.published_before_submission or (published_on and published_on > case.submitted_on):
        return None
    return f"the tender was published{f' on {published_on}' if published_on else ''} before the registration"


def _evidence(term: Eligibility, case: Case) -> Failure:
    count, asked = case.background.evidence_count, term.evidence_count_gte or 0
    return None if count >= asked else f"{asked} pieces of evidence are asked, found {count}"


def _age(term: Eligibility, case: Case) -> Failure:
    """From creation to the win; of a win whose hour is not known, the end of its day counts."""
    deal, asked = case.dossier.deal, term.minimum_age
    if deal is None or asked is None or deal.stage != Stage.CLOSED_WON or deal.created_at is None:
        return None
    closed_at = deal.closed_at or (case.situation.timeline.end_of(deal.close_date) if deal.close_date else None)
    if closed_at is None or closed_at - deal.created_at >= timedelta(**{asked.unit: asked.value}):
        return None
    return f"won less than {asked.value} {asked.unit} after the deal was created"


def _submitted_within(term: Eligibility, case: Case) -> Failure:
    asked, deal = term.submitted_within, case.dossier.deal
    if asked is None:
        return None
    if asked.of == "contract_signed_on":
        since = case.dossier.record.contract_signed_on
        if since is None:
            return "the day of the contract is blank"
    elif asked.of == "deal_closed":
        since = deal.close_date if deal else None
    else:
        since = case.situation.timeline.day_of(deal.created_at) if deal and deal.created_at else None
    if since is None or case.submitted_on <= add_length(since, asked):
        return None
    return f"submitted on {case.submitted_on}, later than {asked.value} {asked.unit} after {since}"


_TESTS: Mapping[str, Callable[[Eligibility, Case], Failure]] = MappingProxyType(
    {
        "not_customer": _not_customer,
        "no_vendor_contact_within": _vendor_contact,
        "no_purchase_within": _purchase,
        "no_open_direct_deal": _direct_deal,
        "amount_gte": _amount,
        "annual_value_gt": _annual_value,
        "units_gte": _units,
        "not_in": _region,
        "tender": _tender,
        "evidence_count_gte": _evidence,
        "minimum_age": _age,
        "submitted_within": _submitted_within,
    }
)
