"""``RELATED_ACCOUNT``: two partners at companies that belong together, where the policy keeps them apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from crmsync.rules.decision import Detail
from crmsync.rules.dossier import Dossier, Dossiers
from crmsync.rules.situation import Situation, shares_products

_FAMILY, _DOMAIN, _ALIKE = "same parent in the CRM", "same domain", "alike"
"""Why two accounts belong together, the surest first."""


def find_related(dossiers: Dossiers, situation: Situation) -> None:
    """Registrations of different partners at different accounts of one family, on one domain, or alike."""
    related: dict[str, dict[str, tuple[str, Dossier]]] = defaultdict(dict)
    for reason, group in _groups(dossiers, situation):
        for one in group:
            for other in group:
                if other.id not in related[one.id] and _is_related(one, other, situation):
                    related[one.id][other.id] = (reason, other)
    for dossier_id in sorted(related):
        if found := related[dossier_id]:
            _add(dossiers.all[dossier_id], [found[other_id] for other_id in sorted(found)], situation)


def _groups(dossiers: Dossiers, situation: Situation) -> Iterator[tuple[str, list[Dossier]]]:
    at: dict[str, list[Dossier]] = defaultdict(list)
    for dossier in dossiers.all.values():
        if dossier.match.account_id and (dossier.is_approved or dossier.is_pending):
            at[dossier.match.account_id].append(dossier)
    families: dict[str, list[Dossier]] = defaultdict(list)
    domains: dict[str, list[Dossier]] = defaultdict(list)
    for account_id, here in at.items():
        families[situation.root_of(account_id)] += here
        company = situation.index.companies.get(account_id)
        for domain in sorted(company.domains) if company else ():
            domains[domain] += here
    yield from ((_FAMILY, group) for group in families.values())
    yield from ((_DOMAIN, group) for group in domains.values())
    for pair in situation.alike.pairs("account", "related"):
        if pair.one in at and pair.other in at:
            yield _ALIKE, [*at[pair.one], *at[pair.other]]


def _add(dossier: Dossier, found: list[tuple[str, Dossier]], situation: Situation) -> None:
    labels = sorted({other.label for _, other in found})
    message = f"{', '.join(labels)} of another partner is at a company that belongs to the same group"
    accounts = sorted({other.match.account_id for _, other in found if other.match.account_id})
    rule = situation.policy.rule("uniqueness", "scope")
    reasons = tuple(reason for reason in (_FAMILY, _DOMAIN) if reason in {why for why, _ in found})
    detail = _detail(dossier, accounts, reasons, situation)
    situation.findings.add("RELATED_ACCOUNT", "registration", dossier.id, message, rule, evidence=labels, detail=detail)


def _detail(dossier: Dossier, accounts: list[str], reasons: tuple[str, ...], situation: Situation) -> Detail:
    """The CRM's own hierarchy is certain; a domain or a likeness is as sure as the model."""
    detail = situation.alike.detail("account", dossier.match.account_id or "", accounts, reasons)
    if _FAMILY in reasons:
        return Detail(detail.candidates, 1.0, reasons)
    return detail


def _is_related(one: Dossier, other: Dossier, situation: Situation) -> bool:
    if one.partner_id == other.partner_id or one.site == other.site:
        return False
    if situation.alike.verdict("account", one.match.account_id or "", other.match.account_id or "") == "different":
        return False
    overlap = situation.policy.model.uniqueness.product_overlap
    return shares_products(one.record.products, other.record.products, overlap)
