"""``RELATED_ACCOUNT``: two partners at companies that belong together, where the policy keeps them apart."""

from __future__ import annotations

from collections import defaultdict

from crmsync.rules.dossier import Dossier, Dossiers
from crmsync.rules.situation import Situation, shares_products


def find_related(dossiers: Dossiers, situation: Situation) -> None:
    """Registrations of different partners at different accounts of one family, or on one domain."""
    groups: dict[str, list[Dossier]] = defaultdict(list)
    for dossier in dossiers.all.values():
        account_id = dossier.match.account_id
        if account_id is None or not (dossier.is_approved or dossier.is_pending):
            continue
        groups[f"family:{situation.root_of(account_id)}"].append(dossier)
        company = situation.index.companies.get(account_id)
        for domain in sorted(company.domains) if company else ():
            groups[f"domain:{domain}"].append(dossier)
    related: dict[str, set[str]] = defaultdict(set)
    for group in groups.values():
        for one in group:
            related[one.id] |= {other.label for other in group if _is_related(one, other, situation)}
    rule = situation.policy.rule("uniqueness", "scope")
    for dossier_id in sorted(related):
        if labels := sorted(related[dossier_id]):
            message = f"{', '.join(labels)} of another partner is at a company that belongs to the same group"
            situation.findings.add("RELATED_ACCOUNT", "registration", dossier_id, message, rule, evidence=labels)


def _is_related(one: Dossier, other: Dossier, situation: Situation) -> bool:
    if one.partner_id == other.partner_id or one.site == other.site:
        return False
    overlap = situation.policy.model.uniqueness.product_overlap
    return shares_products(one.record.products, other.record.products, overlap)
