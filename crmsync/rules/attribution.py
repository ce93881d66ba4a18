"""Who brought the deal: sourced, influenced, delivered, direct, or for a person to say.

Claims are ranked as of the deal's creation, never as of today: a certificate that lapses later changes no history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from crmsync.records import Attribution, Deal, PartnerRole, Stage, Touch
from crmsync.rules.decision import Rule
from crmsync.rules.dossier import Dossier
from crmsync.rules.policy import Policy
from crmsync.rules.situation import Situation, is_closed
from crmsync.rules.timeline import shift
from crmsync.rules.touches import Reading, read_touches

_BASES = {
    "registration": "the registration of",
    "touch": "the introduction by",
    "manual": "a seller's word for",
}
_SOURCING_ROLES = (PartnerRole.SOURCING, PartnerRole.REFERRAL)
_INFLUENCING_ROLES = (PartnerRole.INFLUENCE, PartnerRole.CO_SELL)
_FULFILLING_ROLES = (PartnerRole.RESALE, PartnerRole.DISTRIBUTOR, PartnerRole.PLATFORM)


@dataclass(frozen=True, slots=True)
class Claim:
    """One assertion that a partner brought the deal."""

    partner_id: str
    basis: str
    at: datetime
    evidence: tuple[str, ...]
    line: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The attribution of one deal. ``influencers`` are partner ids; the sourcing partner is never one of them."""

    attribution: Attribution
    code: str
    rule: Rule
    sourced_by: str | None = None
    influencers: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    trace: tuple[str, ...] = ()
    claimants: tuple[str, ...] = ()
    """Every partner with a sourcing claim, the best first."""


def attribute(deal: Deal, linked: Sequence[Dossier], touches: list[Touch], situation: Situation) -> Verdict:
    """Attribution by claims; a person's override beats them, where it says by whom and why."""
    if not linked and not touches and _is_untouched(deal, situation):
        return situation.policy.once(untouched)
    reading = read_touches(deal, touches, situation)
    _find_refused(deal, reading, situation)
    verdict = _by_claims(deal, linked, reading, situation)
    verdict = _without_lapsed(deal, linked, verdict, situation)
    return _overridden(deal, verdict, situation)


def untouched(policy: Policy) -> Verdict:
    """The verdict on a deal with which no partner has anything to do."""
    return Verdict(Attribution.DIRECT, "DIRECT", policy.rule("attribution"))


def _is_untouched(deal: Deal, situation: Situation) -> bool:
    """Nobody has said anything about a partner on this deal: most deals of most companies."""
    return deal.partner_id is None and deal.attribution_override is None and deal.id not in situation.links_of


def _by_claims(deal: Deal, linked: Sequence[Dossier], reading: Reading, situation: Situation) -> Verdict:
    rule = situation.policy.rule
    if situation.policy.model.registration.kind == "price_only":
        linked = ()
    claims = sorted(_claims(deal, linked, reading, situation), key=lambda c: _rank(c, deal, situation))
    late = [d for d in linked if d.was_approved and d.partner_id and not _came_first(d, deal)]
    winner = claims[0] if claims else None
    influencers = _influencers(deal, reading, late, winner, situation)
    trace = (_created_line(deal, situation), *(claim.line for claim in claims), *_late_lines(late, situation))
    if winner:
        code = {"registration": "REGISTERED_FIRST", "touch": "SOURCING_TOUCH"}.get(
            winner.basis, "MANUAL_CLAIM_ACCEPTED"
        )
        trace = (*trace, f"counts: {_BASES[winner.basis]} {situation.partner_name(winner.partner_id)}")
        where = rule("tie_order") if len(claims) > 1 else rule("attribution", "sourced")
        claimants = tuple(dict.fromkeys(claim.partner_id for claim in claims))
        return Verdict(
            Attribution.SOURCED, code, where, winner.partner_id, influencers, winner.evidence, trace, claimants
        )
    if late:
        evidence = tuple(d.label for d in late)
        where = rule("attribution", "sourced")
        return Verdict(Attribution.INFLUENCED, "REG_AFTER_DIRECT", where, None, influencers, evidence, trace)
    return _unsourced(deal, reading, influencers, trace, situation)


def _unsourced(
    deal: Deal, reading: Reading, influencers: tuple[str, ...], trace: tuple[str, ...], situation: Situation
) -> Verdict:
    rule = situation.policy.rule
    if influencers:
        evidence = tuple(touch.id for touch in reading.qualifying)
        where = rule("attribution", "influenced")
        return Verdict(Attribution.INFLUENCED, "TOUCHED", where, None, influencers, evidence, trace)
    if deal.partner_id and deal.partner_role == PartnerRole.IMPLEMENTATION:
        return Verdict(Attribution.DELIVERED, "DELIVERED", rule("attribution"), trace=trace)
    if deal.partner_id and deal.partner_role in _FULFILLING_ROLES:
        return Verdict(Attribution.DIRECT, "FULFILMENT_ONLY", rule("attribution"), trace=trace)
    manual = situation.policy.model.attribution.manual_claims
    if manual == "review" and (deal.partner_id or _tied(deal, _SOURCING_ROLES, situation)):
        return Verdict(Attribution.REVIEW, "MANUAL_CLAIM", rule("attribution", "manual_claims"), trace=trace)
    if reading.locked:
        evidence = tuple(touch.id for touch in reading.locked)
        return Verdict(Attribution.DIRECT, "ATTR_LOCKED", rule("attribution", "lock_days"), None, (), evidence, trace)
    return Verdict(Attribution.DIRECT, "DIRECT", rule("attribution"), trace=trace)


# ---------------------------------------------------------------- claims


def _claims(deal: Deal, linked: Sequence[Dossier], reading: Reading, situation: Situation) -> Iterable[Claim]:
    timeline = situation.timeline
    claimed: set[str] = set()
    for dossier in linked:
        if dossier.was_approved and dossier.partner_id and _came_first(dossier, deal):
            at = dossier.record.submitted_at or shift(None, 0)
            claimed.add(dossier.partner_id)
            line = (
                f"registration {dossier.label} submitted {timeline.shown(at) if at.year > 10 else 'at an unknown time'}"
            )
            yield Claim(dossier.partner_id, "registration", at, (dossier.label,), line)
    for touch in reading.sourcing:
        partner_id = situation.resolve(touch.partner_id) or ""
        at = touch.occurred_at or shift(None, 0)
        claimed.add(partner_id)
        line = f"{touch.type} by {situation.partner_name(partner_id)} on {timeline.day_of(at)}"
        yield Claim(partner_id, "touch", at, (touch.id,), line)
    if situation.policy.model.attribution.manual_claims == "sourced":
        for partner_id in _manual(deal, situation):
            if partner_id not in claimed:
                line = f"{situation.partner_name(partner_id)} named by a seller"
                yield Claim(partner_id, "manual", deal.created_at or shift(None, 0), (), line)


def _manual(deal: Deal, situation: Situation) -> list[str]:
    """Partners whom a person named as the source, on the deal or by a link with that role."""
    named = _tied(deal, _SOURCING_ROLES, situation)
    if deal.partner_id and (deal.partner_role is None or deal.partner_role in _SOURCING_ROLES):
        named.append(situation.resolve(deal.partner_id) or deal.partner_id)
    return sorted(set(named))


def _tied(deal: Deal, roles: Sequence[PartnerRole], situation: Situation) -> list[str]:
    """Partners linked to the deal in one of these roles."""
    links = (link for link in situation.links_of.get(deal.id, ()) if link.name == "deal_partner")
    return [
        situation.resolve(link.to_id) or link.to_id
        for link in links
        if (link.label or "").strip().lower().replace(" ", "_").replace("-", "_") in roles
    ]


def _came_first(dossier: Dossier, deal: Deal) -> bool:
    submitted_at = dossier.record.submitted_at
    return submitted_at is None or deal.created_at is None or submitted_at <= deal.created_at


def _rank(claim: Claim, deal: Deal, situation: Situation) -> tuple[object, ...]:
    """By the policy's tie order, as of the deal's creation; incumbency brings no new deal."""
    model = situation.policy.model
    order = model.tie_order_by_motion.get(deal.motion, model.tie_order) if deal.motion else model.tie_order
    day = situation.timeline.day_of(deal.created_at) if deal.created_at else situation.timeline.day_of(claim.at)
    values = {
        "registered": claim.basis != "registration",
        "incumbent": False,
        "certified": not situation.is_certified(claim.partner_id, day),
        "earliest_submission": claim.at,
    }
    return (*(values[name] for name in order), claim.at, claim.evidence, claim.partner_id)


def _influencers(
    deal: Deal, reading: Reading, late: Sequence[Dossier], winner: Claim | None, situation: Situation
) -> tuple[str, ...]:
    """Everybody else who helped, by name."""
    if situation.policy.model.attribution.influenced == "none":
        return ()
    found = {situation.resolve(t.partner_id) for t in (*reading.qualifying, *reading.sourcing) if _counts(t, situation)}
    found |= {dossier.partner_id for dossier in late}
    found |= set(_tied(deal, _INFLUENCING_ROLES, situation))
    found -= {None, winner.partner_id if winner else None}
    return tuple(sorted((p for p in found if p), key=lambda p: (situation.partner_name(p), p)))


def _counts(touch: Touch, situation: Situation) -> bool:
    return touch.type in situation.policy.model.attribution.qualifying_touches


def _created_line(deal: Deal, situation: Situation) -> str:
    return (
        f"the deal was created {situation.timeline.shown(deal.created_at) if deal.created_at else 'at an unknown time'}"
    )


def _late_lines(late: Sequence[Dossier], situation: Situation) -> list[str]:
    shown = situation.timeline.shown
    return [
        f"registration {d.label} submitted {shown(d.record.submitted_at)}, after the deal was created"
        for d in late
        if d.record.submitted_at
    ]


# ---------------------------------------------------------------- corrections


def _without_lapsed(deal: Deal, linked: Sequence[Dossier], verdict: Verdict, situation: Situation) -> Verdict:
    """Where the policy gives credit only for protected deals: a win after the end counts for nobody."""
    asked = situation.policy.model.credit.requires_active_protection_at_close
    if not asked or verdict.code != "REGISTERED_FIRST" or deal.stage != Stage.CLOSED_WON or deal.close_date is None:
        return verdict
    closed_on = deal.close_date
    windows = [d.window for d in linked if d.window and d.label in verdict.evidence]
    if not windows or any(w.end is None or closed_on <= w.end for w in windows):
        return verdict
    line = f"won on {closed_on}, after the protection had ended"
    rule = situation.policy.rule("credit", "requires_active_protection_at_close")
    trace = (*verdict.trace, line)
    return replace(verdict, attribution=Attribution.UNATTRIBUTED, code="PROTECTION_LAPSED", rule=rule, trace=trace)


def _overridden(deal: Deal, verdict: Verdict, situation: Situation) -> Verdict:
    wanted = deal.attribution_override
    if wanted is None:
        return verdict
    findings, rule = situation.findings, situation.policy.rule("attribution")
    for name in ("attribution_override_by", "attribution_override_reason"):
        if not getattr(deal, name):
            message = f"the override is not used: '{name}' is blank"
            findings.add("MISSING_FIELD", "deal", deal.id, message, rule, subject=name)
            return verdict
    by, why = deal.attribution_override_by, deal.attribution_override_reason
    findings.add("ATTR_OVERRIDE", "deal", deal.id, f"set to '{wanted}' by {by}: {why}", rule)
    trace = (*verdict.trace, f"by the rules: {verdict.attribution}", f"set to {wanted} by {by}: {why}")
    return replace(verdict, attribution=wanted, code="OVERRIDE", rule=rule, trace=trace)


def _find_refused(deal: Deal, reading: Reading, situation: Situation) -> None:
    policy, timeline = situation.policy, situation.timeline
    for touch in reading.locked:
        shown = timeline.shown(touch.logged_at) if touch.logged_at else "late"
        message = f"{touch.type} of {situation.partner_name(situation.resolve(touch.partner_id))} entered {shown}"
        rule = policy.rule("attribution", "lock_days")
        situation.findings.add("ATTR_LOCKED", "deal", deal.id, message, rule, subject=touch.id, evidence=(touch.id,))
    if is_closed(deal):
        return
    for touch in reading.backdated:
        occurred = timeline.day_of(touch.occurred_at) if touch.occurred_at else "an unknown day"
        message = f"{touch.type} said to be of {occurred} was entered much later and does not count"
        rule = policy.rule("attribution", "backdate_limit_days")
        situation.findings.add("ATTR_BACKDATED", "deal", deal.id, message, rule, subject=touch.id, evidence=(touch.id,))
