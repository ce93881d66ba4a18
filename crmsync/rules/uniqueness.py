"""What two claims must share to collide: the customer, and beyond it what the policy's scope names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from crmsync.records import PartnerType
from crmsync.rules.situation import Situation, shares_products

if TYPE_CHECKING:
    from crmsync.rules.dossier import Dossier

_PARTS: Mapping[str, tuple[Callable[[Dossier], str | None], ...]] = MappingProxyType(
    {
        "account+site": (lambda d: d.record.site,),
        "account+division": (lambda d: d.record.division,),
        "deal+contact+site": (
            lambda d: d.deal_id,
            lambda d: d.record.project,
            lambda d: d.record.contact_email,
            lambda d: d.record.site,
        ),
    }
)
"""By scope: what must agree beside the customer."""


def site_of(account_id: str, situation: Situation) -> str:
    """Names the customer that an account stands for."""
    scope = situation.policy.model.uniqueness.scope
    if scope == "ultimate_parent":
        return f"account:{situation.root_of(account_id)}"
    company = situation.index.companies.get(account_id)
    if scope == "domain" and company and company.domains:
        return f"domain:{min(company.domains)}"
    return f"account:{account_id}"


def is_same_business(one: Dossier, other: Dossier, overlap: str, situation: Situation) -> bool:
    """Whether two claims at one customer meet. What a claim leaves blank it claims whole."""
    scope = situation.policy.model.uniqueness.scope
    overlap = "any" if scope == "account+product" else overlap
    if not shares_products(one.record.products, other.record.products, overlap):
        return False
    if not all(_agree(part(one), part(other)) for part in _PARTS.get(scope, ())):
        return False
    fields = situation.policy.model.uniqueness.fields
    return all(_agree(_told(one, name), _told(other, name)) for name in fields)


def in_one_lane(one: Dossier, other: Dossier, situation: Situation) -> bool:
    """Whether partners of these types can stand in each other's way; types that no lane names meet everybody."""
    lanes = situation.policy.model.uniqueness.lanes
    if not lanes:
        return True
    mine, theirs = (_lane(dossier, lanes, situation) for dossier in (one, other))
    return mine is None or theirs is None or mine == theirs


def _lane(dossier: Dossier, lanes: Mapping[str, tuple[PartnerType, ...]], situation: Situation) -> str | None:
    partner = situation.partner(dossier.partner_id)
    return next((name for name, types in lanes.items() if partner and partner.type in types), None)


def _told(dossier: Dossier, name: str) -> str | None:
    value = getattr(dossier.record, name)
    return None if value in (None, (), "") else str(value)


def _agree(one: str | None, other: str | None) -> bool:
    a, b = ("".join((text or "").casefold().split()) for text in (one, other))
    return not a or not b or a == b
