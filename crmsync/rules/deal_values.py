"""The partner facts of a deal as values with reasons."""

from __future__ import annotations

from datetime import date
from operator import attrgetter

from crmsync.records import (
    ConflictStatus,
    Partner,
    PartnerRole,
    PartnerType,
    ProtectionStatus,
    RegistrationState,
    Value,
)
from crmsync.rules.attribution import Verdict, untouched
from crmsync.rules.certification import is_suspended, standing_of, status_on
from crmsync.rules.deals import DealFile
from crmsync.rules.dossier import Dossier
from crmsync.rules.explained import Explained
from crmsync.rules.policy import Policy
from crmsync.rules.protection import status_of
from crmsync.rules.ranking import Incumbents
from crmsync.rules.reasons import REASONS
from crmsync.rules.situation import SETTLED, Situation, is_closed

BLANK_WHEN_DIRECT = (
    "partner_id",
    "partner_name",
    "partner_type",
    "partner_cert_status",
    "registration_status",
    "protection_start",
    "protection_end",
    "protection_status",
    "policy_version",
)
_KEPT_WHEN_DIRECT = ("partner_role", "registration_id", "last_registration_id")
_kept_when_direct = attrgetter(*_KEPT_WHEN_DIRECT)


def deal_values(file: DealFile, incumbents: Incumbents, situation: Situation) -> dict[str, Explained]:
    """Every partner fact of the deal except flags and next action, which need all findings."""
    if file.is_direct:
        return _direct(file, incumbents, situation)
    values = _attribution(file.verdict, situation)
    values |= _partner(file, situation)
    values |= _registration(file, situation)
    values |= _protection(file, situation)
    values["incumbent_partner"] = _incumbent(file, incumbents, situation)
    values["conflict_status"] = _conflict(file, situation)
    version = situation.policy.rule("version")
    values["policy_version"] = Explained(situation.policy.version, "POLICY", "The policy that decided.", version)
    return values


def _direct(file: DealFile, incumbents: Incumbents, situation: Situation) -> dict[str, Explained]:
    """Most deals of most companies: all that can differ from one to the next is worked out, the rest is kept."""
    values = situation.policy.once(_untouched_values).copy()
    if file.verdict is not situation.policy.once(untouched):
        values |= _attribution(file.verdict, situation)
    nothing, deal = values["partner_id"], file.deal
    for name, kept in zip(_KEPT_WHEN_DIRECT, _kept_when_direct(deal), strict=True):
        if kept is not None:
            values[name] = nothing.holding(kept)
    values["incumbent_partner"] = _incumbent(file, incumbents, situation)
    values["conflict_status"] = _conflict(file, situation)
    return values


def _untouched_values(policy: Policy) -> dict[str, Explained]:
    verdict = policy.once(untouched)
    nothing = Explained(None, "DIRECT", "No partner has to do with the deal.", verdict.rule)
    text = policy.model.reasons.get(verdict.code) or REASONS[verdict.code]
    explained = Explained(verdict.attribution, verdict.code, text, verdict.rule)
    nobody = Explained((), "INFLUENCE", "No other partner helped.", policy.rule("attribution", "influenced"))
    return {
        **dict.fromkeys((*BLANK_WHEN_DIRECT, *_KEPT_WHEN_DIRECT), nothing),
        "attribution": explained,
        "attribution_reason": explained.holding(text),
        "influencing_partners": nobody,
    }


def _attribution(verdict: Verdict, situation: Situation) -> dict[str, Explained]:
    text = situation.policy.model.reasons.get(verdict.code) or REASONS[verdict.code]
    explained = Explained(verdict.attribution, verdict.code, text, verdict.rule, verdict.trace, verdict.evidence)
    names = tuple(situation.partner_name(partner_id) for partner_id in verdict.influencers)
    influence = situation.policy.rule("attribution", "influenced")
    helped = {0: "No other partner helped.", 1: "One partner helped."}.get(len(names), f"{len(names)} partners helped.")
    return {
        "attribution": explained,
        "attribution_reason": explained.holding(text),
        "influencing_partners": Explained(names, "INFLUENCE", helped, influence, verdict.trace, verdict.influencers),
    }


def _partner(file: DealFile, situation: Situation) -> dict[str, Explained]:
    partner = situation.partner(file.partner_id)
    rule = situation.policy.rule("attribution", "sourced")
    code, reason = _partner_reason(file)
    evidence = (file.current.label,) if file.current else ()

    def explained(value: Value) -> Explained:
        return Explained(value, code, reason, rule, evidence=evidence)

    return {
        "partner_id": explained(file.partner_id),
        "partner_name": explained(partner.name if partner else None),
        "partner_type": explained(_type(partner)),
        "partner_role": explained(_role(file, partner)),
        "partner_cert_status": _certification(file, situation),
    }


def _partner_reason(file: DealFile) -> tuple[str, str]:
    if file.partner_id is None:
        return "NO_PARTNER", "No partner is on the deal."
    if any(d.partner_id == file.partner_id and d.was_approved for d in file.linked):
        return "REGISTERED", "The partner's registration for this deal was approved."
    if file.verdict.sourced_by == file.partner_id:
        return "SOURCED", "The partner brought the deal."
    return "MANUAL", "A person named the partner; the value is kept."


def _type(partner: Partner | None) -> PartnerType | None:
    return partner.type if partner else None


def _role(file: DealFile, partner: Partner | None) -> PartnerRole | None:
    """What a person chose stays; otherwise what the claims show."""
    if file.deal.partner_role or file.partner_id is None:
        return file.deal.partner_role
    verdict = file.verdict
    if verdict.sourced_by == file.partner_id:
        is_referral = _type(partner) == PartnerType.REFERRAL or verdict.code == "SOURCING_TOUCH"
        return PartnerRole.REFERRAL if is_referral else PartnerRole.SOURCING
    if not any(d.partner_id == file.partner_id and d.was_approved for d in file.linked):
        return None
    return PartnerRole.RESALE if verdict.sourced_by else PartnerRole.CO_SELL


def _certification(file: DealFile, situation: Situation) -> Explained:
    rule = situation.policy.rule("certification", "types")
    if file.partner_id is None:
        return Explained(None, "NO_PARTNER", "No partner is on the deal.", rule)
    if is_closed(file.deal) and file.deal.close_date:
        status = status_on(file.partner_id, file.deal.close_date, situation)
        return Explained(status, "CERT_AT_CLOSE", f"As it stood on {file.deal.close_date}.", rule)
    standing = standing_of(file.partner_id, situation)
    reason = f"Lapsed on {standing.lapsed_on}." if standing.lapsed_on else "As it stands today."
    return Explained(standing.status, "CERT_TODAY", reason, rule, evidence=standing.evidence)


def _registration(file: DealFile, situation: Situation) -> dict[str, Explained]:
    current, rule = file.current, situation.policy.rule("registration")
    if current is None:
        nothing = Explained(None, "NO_REGISTRATION", "No registration belongs to the deal.", rule)
        kept = nothing.holding(file.deal.registration_id)
        last = nothing.holding(file.deal.last_registration_id)
        return {"registration_id": kept, "registration_status": nothing, "last_registration_id": last}
    reason = f"Registration {current.label} is {str(current.state or 'without a state').replace('_', ' ')}."
    explained = Explained(current.state, "REGISTRATION", reason, rule, evidence=(current.label,))
    number = file.deal.registration_id or (current.record.number if current.was_approved else None)
    ended = [d for d in file.linked if d.state in SETTLED and d.was_approved]
    last_number = ended[-1].record.number if ended else file.deal.last_registration_id
    return {
        "registration_status": explained,
        "registration_id": explained.holding(number),
        "last_registration_id": explained.holding(last_number),
    }


def _protection(file: DealFile, situation: Situation) -> dict[str, Explained]:
    status, start, end, dossier = _window_of(file, situation)
    if dossier is None or dossier.window is None:
        rule = situation.policy.rule("registration", "start")
        reason = "Nothing is approved yet." if status else "No approved registration protects the deal."
        blank = Explained(None, "UNPROTECTED", reason, rule)
        return {
            "protection_status": blank.holding(status),
            "protection_start": blank,
            "protection_end": blank,
        }
    window = dossier.window
    reason = protection_reason(dossier)
    explained = Explained(status, "PROTECTION", reason, window.rule, window.trace, (dossier.label,))
    return {
        "protection_status": explained,
        "protection_start": explained.holding(start),
        "protection_end": explained.holding(end),
    }


def protection_reason(dossier: Dossier) -> str:
    """One sentence on how long a registration protects."""
    window = dossier.window
    if window is None:
        return "No protection: the registration was not approved."
    if window.end is None:
        return f"{dossier.label} protects from {window.start}, without an end."
    extended = ", extended" if window.extension == "granted" else ""
    return f"{dossier.label} protects from {window.start} to the end of {window.end}{extended}."


def _window_of(
    file: DealFile, situation: Situation
) -> tuple[ProtectionStatus | None, date | None, date | None, Dossier | None]:
    """What the deal says. When protection has ended, an open deal no longer shows dates; a closed one keeps them."""
    current = file.current
    if current is None:
        return ProtectionStatus.NONE, None, None, None
    status = registration_protection(current, situation)
    window = current.window
    if window is None:
        return status, None, None, None
    gone = status in (ProtectionStatus.EXPIRED, ProtectionStatus.RELEASED) and not is_closed(file.deal)
    return (status, None, None, current) if gone else (status, window.start, window.end, current)


def registration_protection(dossier: Dossier, situation: Situation) -> ProtectionStatus:
    """The protection status that follows from a registration's state and window."""
    if dossier.is_pending or dossier.state == RegistrationState.RETURNED:
        return ProtectionStatus.PENDING
    if dossier.window is None or not dossier.was_approved:
        return ProtectionStatus.NONE
    if dossier.state == RegistrationState.EXPIRED:
        return ProtectionStatus.EXPIRED
    if not dossier.is_approved or (dossier.deal is not None and is_closed(dossier.deal)):
        return ProtectionStatus.RELEASED
    status = status_of(dossier.window, situation)
    if status in (ProtectionStatus.ACTIVE, ProtectionStatus.EXPIRING) and is_suspended(dossier.partner_id, situation):
        return ProtectionStatus.SUSPENDED
    return status


def _incumbent(file: DealFile, incumbents: Incumbents, situation: Situation) -> Explained:
    deal, closed = file.deal, is_closed(file.deal)
    if closed and file.is_direct:
        return situation.policy.once(_closed_deal)
    before = deal.close_date if closed else None
    won = incumbents.of(situation.resolve(deal.account_id), deal.products, before=before)
    if won is None or won.deal_id == deal.id:
        return situation.policy.once(_no_incumbent)
    rule = situation.policy.rule("incumbency")
    name = situation.partner_name(won.partner_id)
    reason = f"Partner of the last deal won for account and product, on {won.won_on}."
    return Explained(name, "INCUMBENT", reason, rule, evidence=(won.deal_id,))


def _closed_deal(policy: Policy) -> Explained:
    return Explained(None, "NO_INCUMBENT", "The deal is closed.", policy.rule("incumbency"))


def _no_incumbent(policy: Policy) -> Explained:
    reason = "No partner won the last deal for account and product."
    return Explained(None, "NO_INCUMBENT", reason, policy.rule("incumbency"))


def _no_conflict(policy: Policy) -> Explained:
    return Explained(None, "NO_CONFLICT", "No other claim is known.", policy.rule("uniqueness", "scope"))


def _conflict(file: DealFile, situation: Situation) -> Explained:
    if file.is_direct and not situation.findings.on("deal", file.deal.id):
        return situation.policy.once(_no_conflict)
    rule = situation.policy.rule("uniqueness", "scope")
    statuses = [d.conflict for d in file.linked]
    codes = situation.findings.codes("deal", file.deal.id)
    if "CONFLICT_PARTNER" in codes or "DIRECT_ON_PROTECTED" in codes:
        return Explained(ConflictStatus.SUSPECTED, "CONFLICT", "The deal meets another partner's claim.", rule)
    for status in (ConflictStatus.CONFIRMED, ConflictStatus.SUSPECTED, ConflictStatus.RESOLVED):
        if status in statuses:
            dossier = next(d for d in file.linked if d.conflict == status)
            reason = f"Registration {dossier.label} meets another claim."
            return Explained(
                status, "CONFLICT", reason, dossier.conflict_rule or rule, dossier.conflict_trace, (dossier.label,)
            )
    return situation.policy.once(_no_conflict).holding(None if file.is_direct else ConflictStatus.NONE)
