"""What changed after a registration was filed: the customer, the amount; and deals that are public tenders."""

from __future__ import annotations

from decimal import Decimal

from crmsync.rules.decision import Rule
from crmsync.rules.dossier import Dossier, Dossiers
from crmsync.rules.situation import Situation, is_closed
from crmsync.rules.uniqueness import site_of

_HUNDRED = Decimal(100)


def find_changes(dossiers: Dossiers, situation: Situation) -> None:
    """``ACCOUNT_CHANGED``, ``AMOUNT_CHANGED`` and ``TENDER`` on registrations that count, and on their open deals."""
    terms = situation.policy.model.changes
    for dossier in dossiers.all.values():
        if not (dossier.is_approved or dossier.is_pending):
            continue
        if terms.account:
            _find_account(dossier, situation)
        if terms.amount_tolerance_percent is not None and dossier.is_approved:
            _find_amount(dossier, terms.amount_tolerance_percent, situation)
    if terms.tender:
        _find_tenders(dossiers, situation)


def _find_account(dossier: Dossier, situation: Situation) -> None:
    """The deal has moved to another customer than the one that was registered."""
    deal = dossier.deal
    mine, theirs = dossier.account_id, situation.resolve(deal.account_id) if deal else None
    if mine is None or theirs is None or mine == theirs or site_of(mine, situation) == site_of(theirs, situation):
        return
    message = f"registered for {_name(mine, situation)}, but the deal is with {_name(theirs, situation)}"
    _add("ACCOUNT_CHANGED", dossier, message, situation.policy.rule("changes", "account"), situation)


def _name(account_id: str, situation: Situation) -> str:
    account = situation.accounts.get(account_id)
    return (account.name if account else None) or account_id


def _find_amount(dossier: Dossier, tolerance: Decimal, situation: Situation) -> None:
    """The deal's amount has left the one that was approved by more than the policy lets pass."""
    record, deal = dossier.record, dossier.deal
    if deal is None or record.amount is None or deal.amount is None:
        return
    was, now = record.amount, deal.amount
    if record.currency != deal.currency:
        told = situation.in_corporate_of(record)
        told_now = situation.in_corporate(deal.amount, deal.currency, record.submitted_at)
        if told is None or told_now is None:
            return
        was, now = told, told_now
    if abs(now - was) * _HUNDRED <= was * tolerance:
        return
    registered = f"{record.amount:f} {record.currency or ''}".strip()
    message = f"registered with {registered}, the deal has {deal.amount:f} {deal.currency or ''}".strip()
    rule = situation.policy.rule("changes", "amount_tolerance_percent")
    _add("AMOUNT_CHANGED", dossier, message, rule, situation)


def _find_tenders(dossiers: Dossiers, situation: Situation) -> None:
    """On partner deals; a tender of our own sellers is no matter of the programme."""
    rule = situation.policy.rule("changes", "tender")
    for deal in situation.deals.values():
        if not (deal.is_tender or deal.tender_published_on) or is_closed(deal):
            continue
        if not (situation.partner_on.get(deal.id) or dossiers.of_deal.get(deal.id)):
            continue
        published = f"published on {deal.tender_published_on}" if deal.tender_published_on else "without a date"
        message = f"a public tender, {published}"
        situation.findings.add("TENDER", "deal", deal.id, message, rule)
        for dossier in dossiers.of_deal.get(deal.id, ()):
            if dossier.is_pending:
                situation.findings.add("TENDER", "registration", dossier.id, message, rule)


def _add(code: str, dossier: Dossier, message: str, rule: Rule, situation: Situation) -> None:
    situation.findings.add(code, "registration", dossier.id, message, rule)
    deal = dossier.deal
    if deal is not None and deal.id in situation.deals and not is_closed(deal):
        evidence = (dossier.label,)
        situation.findings.add(code, "deal", deal.id, message, rule, subject=dossier.label, evidence=evidence)
