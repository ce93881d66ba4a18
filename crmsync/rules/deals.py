"""The partner facts of a deal, put together from its registrations, its attribution and its partner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from crmsync.records import (
    Attribution,
    Deal,
    PartnerRole,
)
from crmsync.rules.attribution import Verdict
from crmsync.rules.dossier import Dossier
from crmsync.rules.situation import Situation, is_closed

_FULFILMENT_ROLES = (
    PartnerRole.RESALE,
    PartnerRole.DISTRIBUTOR,
    PartnerRole.INFLUENCE,
    PartnerRole.CO_SELL,
    PartnerRole.IMPLEMENTATION,
    PartnerRole.PLATFORM,
)


@dataclass(slots=True)
class DealFile:
    """One deal on the way to its decisions. ``current`` is the registration that speaks for it now."""

    deal: Deal
    linked: tuple[Dossier, ...]
    current: Dossier | None
    verdict: Verdict
    partner_id: str | None

    @property
    def is_direct(self) -> bool:
        """No partner has anything to do with it: nothing is written but the attribution."""
        return not self.linked and self.partner_id is None and not self.verdict.influencers


def current_of(linked: Sequence[Dossier]) -> Dossier | None:
    """The latest approved registration, or else the first pending one, or else the last that ended."""
    if not linked:
        return None
    approved = [d for d in linked if d.is_approved]
    if approved:
        return max(approved, key=lambda d: (str(d.record.approved_at or ""), d.order))
    pending = [d for d in linked if d.is_pending]
    if pending:
        return pending[0]
    return linked[-1]


def partner_of(deal: Deal, linked: Sequence[Dossier], verdict: Verdict, situation: Situation) -> str | None:
    """The partner on the deal: whom a person named, or whose registration is approved, or who sourced it."""
    if deal.partner_id:
        return situation.resolve(deal.partner_id)
    if not linked:
        return verdict.sourced_by if verdict.attribution != Attribution.REVIEW else None
    approved = [d for d in linked if d.is_approved]
    current = current_of(approved) or next((d for d in reversed(linked) if d.was_approved), None)
    if current and current.partner_id:
        return current.partner_id
    return verdict.sourced_by if verdict.attribution != Attribution.REVIEW else None


def review_protected(file: DealFile, protectors: Sequence[Dossier], situation: Situation) -> None:
    """A deal beside somebody else's protected one: flagged, and its attribution left to people."""
    rivals = [d for d in protectors if d.partner_id and d.partner_id != file.partner_id]
    rivals = [d for d in rivals if file.partner_id is not None or d.partner_id not in _tied_partners(file, situation)]
    deal = file.deal
    if not rivals or (is_closed(deal) and deal.attribution != Attribution.REVIEW):
        return
    code = "CONFLICT_PARTNER" if file.partner_id else "DIRECT_ON_PROTECTED"
    rule = situation.policy.rule("uniqueness", "product_overlap")
    labels = tuple(d.label for d in rivals)
    message = f"created while {', '.join(labels)} protects this account and product, and not linked to it"
    situation.findings.add(code, "deal", deal.id, message, rule, evidence=labels)
    _find_twin(deal, rivals, situation)
    if file.verdict.code != "OVERRIDE":
        trace = (*file.verdict.trace, message)
        file.verdict = replace(
            file.verdict, attribution=Attribution.REVIEW, code=code, rule=rule, evidence=labels, trace=trace
        )


def _tied_partners(file: DealFile, situation: Situation) -> set[str | None]:
    links = situation.links_of.get(file.deal.id, ())
    return {situation.resolve(link.to_id) for link in links if link.name == "deal_partner"}


def _find_twin(deal: Deal, rivals: Sequence[Dossier], situation: Situation) -> None:
    twins = [d.deal for d in rivals if d.deal is not None and not is_closed(d.deal) and d.deal.id != deal.id]
    if not twins or not situation.policy.model.duplicates.deals.beside_protected or is_closed(deal):
        return
    rule = situation.policy.rule("duplicates", "deals", "beside_protected")
    names = ", ".join(twin.name or twin.id for twin in twins)
    message = f"same account and product as the registered {names}"
    evidence = tuple(twin.id for twin in twins)
    situation.findings.add("DUP_DEAL", "deal", deal.id, message, rule, subject=twins[0].id, evidence=evidence)


def find_rival_partner(file: DealFile, situation: Situation) -> None:
    """A person named one partner, an approved registration says another, and neither is there only to fulfil."""
    named, deal = situation.resolve(file.deal.partner_id), file.deal
    if named is None or not file.linked or deal.partner_role in _FULFILMENT_ROLES:
        return
    others = [d for d in file.linked if d.is_approved and d.partner_id not in (None, named)]
    if not others or any(d.partner_id == named and d.was_approved for d in file.linked):
        return
    label = others[-1].label
    rule = situation.policy.rule("uniqueness", "scope")
    message = f"the deal names {situation.partner_name(named)}, but its registration {label} is another partner's"
    situation.findings.add("CONFLICT_PARTNER", "deal", deal.id, message, rule, evidence=(label,))
    if file.verdict.code != "OVERRIDE":
        trace = (*file.verdict.trace, message)
        file.verdict = replace(
            file.verdict, attribution=Attribution.REVIEW, code="CONFLICT_PARTNER", rule=rule, trace=trace
        )


def partners_by_deal(files: Mapping[str, DealFile]) -> dict[str, str | None]:
    return {deal_id: file.partner_id for deal_id, file in files.items()}
