"""The same thing entered twice: accounts, contacts, deals. Flagged, never merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import combinations, pairwise

from crmsync.records import Contact, Deal
from crmsync.rules.dealmatch import rank_deals
from crmsync.rules.decision import Detail
from crmsync.rules.dossier import Dossier, Dossiers
from crmsync.rules.identity import is_same_company
from crmsync.rules.reasons import clip
from crmsync.rules.situation import Situation, is_closed, shares_products
from crmsync.rules.uniqueness import site_of


def find_account_duplicates(situation: Situation) -> None:
    """``DUP_ACCOUNT``: one finding per account, with all its twins. A family is no duplicate."""
    if not situation.policy.model.duplicates.accounts:
        return
    twins: dict[str, set[str]] = defaultdict(set)
    for one, other in _pairs_to_look_at(situation):
        if _are_twins(one, other, situation):
            twins[one].add(other)
            twins[other].add(one)
    rule = situation.policy.rule("duplicates", "accounts")
    for account_id in sorted(twins):
        others = sorted(twins[account_id])
        names = listed_some([situation.accounts[other].name or other for other in others])
        message = f"looks like the same company as {names}"
        reasons = _shared_in_words(account_id, others, situation)
        detail = situation.alike.detail("account", account_id, others, reasons)
        situation.findings.add("DUP_ACCOUNT", "account", account_id, message, rule, evidence=others, detail=detail)


def _pairs_to_look_at(situation: Situation) -> Iterator[tuple[str, str]]:
    """Accounts that share a key, and those that the model or a person holds to be the same."""
    for _, ids in situation.index.groups():
        yield from combinations(ids, 2)
    for pair in situation.alike.pairs("account", "duplicate"):
        if pair.one in situation.accounts and pair.other in situation.accounts:
            yield pair.one, pair.other


def _are_twins(one: str, other: str, situation: Situation) -> bool:
    """A person's word first; then the CRM's hierarchy; then what identifies a company; then the model."""
    pair = situation.alike.pair("account", one, other)
    if pair is not None and pair.answer in ("duplicate", "related", "different"):
        return pair.answer == "duplicate"
    family = {situation.resolve(situation.accounts[i].parent_id) for i in (one, other)}
    if family & {one, other} or situation.root_of(one) == situation.root_of(other):
        return False
    if is_same_company(situation.index.companies[one], situation.index.companies[other]):
        return True
    return situation.alike.verdict("account", one, other) == "duplicate"


def _shared_in_words(account_id: str, others: Sequence[str], situation: Situation) -> tuple[str, ...]:
    """What the account has in common with any of its twins: company number, domain, name."""
    own = situation.index.companies[account_id].index_keys()
    theirs: set[str] = set()
    for other in others:
        theirs |= situation.index.companies[other].index_keys()
    words = {"number": "same company number", "domain": "same domain", "name": "same name"}
    shared = {key.partition(":")[0] for key in own & theirs}
    return tuple(text for kind, text in words.items() if kind in shared)


def listed_some(names: Sequence[str], most: int = 5) -> str:
    """A few names, and how many more there are."""
    more = len(names) - most
    shown = ", ".join(clip(name, 80) for name in names[:most])
    return f"{shown} and {more} more" if more > 0 else shown


def find_contact_duplicates(situation: Situation) -> None:
    """``DUP_CONTACT``: contacts with one e-mail address, and those that the model or a person holds to be the same."""
    if not situation.policy.model.duplicates.contacts:
        return
    contacts = {contact.id: contact for contact in situation.contacts}
    twins: dict[str, set[str]] = defaultdict(set)
    for one, other in _contacts_to_look_at(contacts, situation):
        if situation.alike.verdict("contact", one, other) not in ("related", "different"):
            twins[one].add(other)
            twins[other].add(one)
    rule = situation.policy.rule("duplicates", "contacts")
    for contact_id in sorted(twins):
        others = sorted(twins[contact_id])
        same = [
            i for i in others if address_of(contacts[i]) and address_of(contacts[i]) == address_of(contacts[contact_id])
        ]
        detail = situation.alike.detail("contact", contact_id, others, ("same e-mail address",) if same else ())
        message = _contact_message(others, same, contacts)
        situation.findings.add("DUP_CONTACT", "contact", contact_id, message, rule, evidence=others, detail=detail)


def _contact_message(others: Sequence[str], same: Sequence[str], contacts: Mapping[str, Contact]) -> str:
    if len(same) == len(others):
        return f"{len(others)} other {'contact has' if len(others) == 1 else 'contacts have'} this address"
    names = (" ".join(filter(None, (contacts[i].first_name, contacts[i].last_name))) or i for i in others)
    return f"looks like the same person as {listed_some(list(names))}"


def _contacts_to_look_at(contacts: Mapping[str, Contact], situation: Situation) -> Iterator[tuple[str, str]]:
    by_email: dict[str, list[str]] = defaultdict(list)
    for contact in contacts.values():
        if address := address_of(contact):
            by_email[address].append(contact.id)
    most = situation.policy.model.identity.shared_above
    for address, ids in by_email.items():
        if 1 < len(ids) <= most and f"email:{address}" not in situation.facts.shared_keys:
            yield from combinations(ids, 2)
    for pair in situation.alike.pairs("contact", "duplicate"):
        if pair.one in contacts and pair.other in contacts:
            yield pair.one, pair.other


def address_of(contact: Contact) -> str:
    """The e-mail address as it is compared."""
    return (contact.email or "").strip().lower()


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
                detail = Detail((twin.id,), _deal_score(one, other, span), _deal_reasons(one, other))
                situation.findings.add(
                    "DUP_DEAL", "deal", deal.id, message, rule, subject=twin.id, evidence=(twin.id,), detail=detail
                )


def _deal_reasons(one: Deal, other: Deal) -> tuple[str, ...]:
    days = (other.created_at - one.created_at).days if one.created_at and other.created_at else 0
    apart = "created on the same day" if days == 0 else f"created {days} day{'s' if days > 1 else ''} apart"
    products = f"same products: {', '.join(one.products)}" if one.products else "neither names a product"
    return ("same account", f"same amount: {one.amount} {one.currency or ''}".rstrip(), products, apart)


def _deal_score(one: Deal, other: Deal, span: timedelta) -> float:
    """How likely two deals are one: a stated judgement, not a measurement. Nearer in time and a close date more."""
    if not (one.created_at and other.created_at):
        return 0.5
    near = 1.0 - (other.created_at - one.created_at) / span if span else 1.0
    named = 0.1 if one.products else 0.0
    dated = 0.1 if one.close_date and one.close_date == other.close_date else 0.0
    return round(0.6 + 0.15 * near + named + dated, 4)


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
                _find_direct(dossier, older, situation)


def _is_older(deal: Deal, dossier: Dossier) -> bool:
    submitted_at = dossier.record.submitted_at
    if is_closed(deal) or deal.created_at is None or submitted_at is None or deal.created_at >= submitted_at:
        return False
    return shares_products(dossier.record.products, deal.products, "any")


def _find_direct(dossier: Dossier, older: Sequence[Deal], situation: Situation) -> None:
    """Names the first of the older deals; the detail ranks all by how likely they are what was registered."""
    deal, more = older[0], len(older) - 1
    created = situation.timeline.day_of(deal.created_at) if deal.created_at else "before"
    message = f"our deal {deal.name or deal.id} was created on {created}, before the registration was submitted"
    if more:
        message += f" (and {more} more)"
    rule = situation.policy.rule("uniqueness", "scope")
    detail = rank_deals(dossier.record, older)
    situation.findings.add(
        "CONFLICT_DIRECT", "registration", dossier.id, message, rule, evidence=(deal.id,), detail=detail
    )
