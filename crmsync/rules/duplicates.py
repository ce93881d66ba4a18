"""The same thing entered twice: accounts, contacts, deals. Flagged, never merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

from crmsync.records import Contact, Deal
from crmsync.rules.dossier import Dossier, Dossiers
from crmsync.rules.identity import is_same_company
from crmsync.rules.situation import Situation, is_closed, shares_products
from crmsync.rules.uniqueness import site_of


def find_account_duplicates(situation: Situation) -> None:
    """``DUP_ACCOUNT``: one finding per account, with all its twins. A family is no duplicate."""
    if not situation.policy.model.duplicates.accounts:
        return
    twins: dict[str, set[str]] = defaultdict(set)
    for _, ids in situation.index.groups():
        for at, one in enumerate(ids):
            for other in ids[at + 1 :]:
                if _are_twins(one, other, situation):
                    twins[one].add(other)
                    twins[other].add(one)
    rule = situation.policy.rule("duplicates", "accounts")
    for account_id in sorted(twins):
        others = sorted(twins[account_id])
        names = ", ".join(situation.accounts[other].name or other for other in others)
        message = f"looks like the same company as {names}"
        situation.findings.add("DUP_ACCOUNT", "account", account_id, message, rule, evidence=others)


def _are_twins(one: str, other: str, situation: Situation) -> bool:
    family = {situation.resolve(situation.accounts[i].parent_id) for i in (one, other)}
    if family & {one, other} or situation.root_of(one) == situation.root_of(other):
        return False
    return is_same_company(situation.index.companies[one], situation.index.companies[other])


def find_contact_duplicates(situation: Situation) -> None:
    """``DUP_CONTACT``: contacts with one e-mail address."""
    if not situation.policy.model.duplicates.contacts:
        return
    by_email: dict[str, list[Contact]] = defaultdict(list)
    for contact in situation.contacts:
        if contact.email and contact.email.strip():
            by_email[contact.email.strip().lower()].append(contact)
    rule = situation.policy.rule("duplicates", "contacts")
    for contacts in by_email.values():
        ids = [contact.id for contact in contacts]
        for contact in contacts if len(contacts) > 1 else ():
            others = [i for i in ids if i != contact.id]
            message = f"{len(others)} other {'contact has' if len(others) == 1 else 'contacts have'} this address"
            situation.findings.add("DUP_CONTACT", "contact", contact.id, message, rule, evidence=others)


def find_deal_duplicates(situation: Situation) -> None:
    """``DUP_DEAL`` for open deals of one account and product with the same amount, entered in a short time."""
    days = situation.policy.model.duplicates.deals.same_amount_within_days
    if days is None:
        return
    for deals in situation.deals_at.values():
        alike: dict[tuple[object, ...], list[Deal]] = defaultdict(list)
        for deal in deals:
            if deal.amount and not is_closed(deal) and deal.created_at:
                alike[deal.amount, deal.currency, tuple(sorted(deal.products))].append(deal)
        for group in (same for same in alike.values() if len(same) > 1):
            _find_near(group, timedelta(days=days), situation)


def _find_near(deals: Sequence[Deal], span: timedelta, situation: Situation) -> None:
    """Neighbours in time are enough: whoever repeats one of them repeats the next."""
    ordered = sorted((d for d in deals if d.created_at), key=lambda d: (d.created_at or 0, d.id))
    rule = situation.policy.rule("duplicates", "deals", "same_amount_within_days")
    for one, other in pairwise(ordered):
        if one.created_at and other.created_at and other.created_at - one.created_at <= span:
            for deal, twin in ((one, other), (other, one)):
                message = f"same account, products and amount as {twin.name or twin.id}"
                situation.findings.add("DUP_DEAL", "deal", deal.id, message, rule, subject=twin.id, evidence=(twin.id,))


# ---------------------------------------------------------------- direct deals beside registrations


def protectors_of(
    deal: Deal, linked: Sequence[Dossier], approved_at: Mapping[str, Sequence[Dossier]], situation: Situation
) -> list[Dossier]:
    """Approved registrations of other deals under whose protection this one was created."""
    account_id = situation.resolve(deal.account_id)
    if account_id is None or deal.created_at is None or any(d.was_approved or d.is_pending for d in linked):
        return []
    if situation.policy.model.registration.kind != "exclusive":
        return []
    overlap = situation.policy.model.uniqueness.product_overlap
    return [
        dossier
        for dossier in approved_at.get(site_of(account_id, situation), ())
        if _covers(dossier, deal, situation) and shares_products(dossier.record.products, deal.products, overlap)
    ]


def _covers(dossier: Dossier, deal: Deal, situation: Situation) -> bool:
    window, created_at = dossier.window, deal.created_at
    if window is None or created_at is None or dossier.deal is deal:
        return False
    started_at = dossier.record.approved_at or situation.timeline.start_of(window.start)
    return started_at <= created_at and (window.expires_at is None or created_at < window.expires_at)


def find_direct_conflicts(dossiers: Dossiers, partner_of: Mapping[str, str | None], situation: Situation) -> None:
    """``CONFLICT_DIRECT``: our sellers had an open deal for this business before the partner registered."""
    for dossier in dossiers.all.values():
        if dossier.is_pending and dossier.record.submitted_at and dossier.match.account_id:
            older = [d for d in situation.deals_at.get(dossier.match.account_id, ()) if _is_older(d, dossier)]
            older = [d for d in older if partner_of.get(d.id) is None]
            if older:
                _find_direct(dossier, older[0], len(older) - 1, situation)


def _is_older(deal: Deal, dossier: Dossier) -> bool:
    submitted_at = dossier.record.submitted_at
    if is_closed(deal) or deal.created_at is None or submitted_at is None or deal.created_at >= submitted_at:
        return False
    return shares_products(dossier.record.products, deal.products, "any")


def _find_direct(dossier: Dossier, deal: Deal, more: int, situation: Situation) -> None:
    created = situation.timeline.day_of(deal.created_at) if deal.created_at else "before"
    message = f"our deal {deal.name or deal.id} was created on {created}, before the registration was submitted"
    if more:
        message += f" (and {more} more)"
    rule = situation.policy.rule("uniqueness", "scope")
    situation.findings.add("CONFLICT_DIRECT", "registration", dossier.id, message, rule, evidence=(deal.id,))
