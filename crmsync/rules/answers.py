"""Turns what was worked out into field decisions, record by record, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from operator import attrgetter

from crmsync.records import Deal
from crmsync.rules.approval import approver_of, can_be_approved, sla_due_at
from crmsync.rules.certification import standing_of
from crmsync.rules.credits import locked_values
from crmsync.rules.deal_values import BLANK_WHEN_DIRECT, protection_reason, registration_protection
from crmsync.rules.deals import DealFile
from crmsync.rules.decision import FieldDecision
from crmsync.rules.dossier import Dossier, Dossiers
from crmsync.rules.explained import Explained
from crmsync.rules.fields import OF_APPROVAL, WRITTEN
from crmsync.rules.policy import Policy
from crmsync.rules.reasons import clip
from crmsync.rules.situation import SETTLED, Situation

_OF_DEAL = WRITTEN["deal"]
_current_of_deal = attrgetter(*_OF_DEAL)
_TOLD = tuple(name for name in _OF_DEAL if name not in BLANK_WHEN_DIRECT)
"""What can have a value although no partner has to do with the deal."""


def build_fields(
    dossiers: Dossiers,
    files: Mapping[str, DealFile],
    values: Mapping[str, dict[str, Explained]],
    situation: Situation,
) -> tuple[FieldDecision, ...]:
    """Every decision, kind by kind and by id. Blank fields of records without partners stay unmentioned."""
    return (
        *_account_fields(situation),
        *_contact_fields(situation),
        *_partner_fields(situation),
        *_registration_fields(dossiers, situation),
        *_deal_fields(files, values, situation),
    )


def _account_fields(situation: Situation) -> Iterator[FieldDecision]:
    for account in situation.accounts.values():
        yield from _flags("account", account.id, "flags", account.flags, situation)


def _contact_fields(situation: Situation) -> Iterator[FieldDecision]:
    for contact in situation.contacts:
        yield from _flags("contact", contact.id, "flags", contact.flags, situation)


def _flags(
    kind: str, record_id: str, name: str, current: tuple[str, ...], situation: Situation
) -> Iterator[FieldDecision]:
    """The flags of a record; nothing is said where there are none and were none."""
    explained = _flagged(kind, record_id, situation)
    if explained.value or current:
        yield _decision(kind, record_id, name, explained)


def _flagged(kind: str, record_id: str, situation: Situation) -> Explained:
    if not situation.findings.on(kind, record_id):
        return situation.policy.once(_no_flags)
    codes = situation.findings.codes(kind, record_id)
    messages = situation.findings.messages(kind, record_id)
    rule = situation.findings.rule_of(kind, record_id) or situation.policy.rule("version")
    return Explained(codes, "FLAGS", clip(_in_short(messages)), rule, messages)


def _no_flags(policy: Policy) -> Explained:
    return Explained((), "FLAGS", "Nothing is open.", policy.rule("version"))


def _in_short(messages: Sequence[str]) -> str:
    """The most urgent finding as a sentence; the codes say the others already."""
    more = f" (and {len(messages) - 1} more)" if len(messages) > 1 else ""
    return f"{messages[0][:1].upper()}{messages[0][1:]}{more}."


def _partner_fields(situation: Situation) -> Iterator[FieldDecision]:
    rule = situation.policy.rule("certification", "types")
    for partner in situation.partners.values():
        standing = standing_of(partner.id, situation)
        reason = f"Lapsed on {standing.lapsed_on}." if standing.lapsed_on else "As it stands today."
        explained = Explained(standing.status, "CERT_TODAY", reason, rule, evidence=standing.evidence)
        yield _decision("partner", partner.id, "cert_status", explained)
        yield from _flags("partner", partner.id, "partner_flags", partner.partner_flags, situation)


def _registration_fields(dossiers: Dossiers, situation: Situation) -> Iterator[FieldDecision]:
    for dossier in dossiers.all.values():
        values = _registration_values(dossier, situation)
        for name in (*WRITTEN["registration"], *OF_APPROVAL):
            if name in values:
                yield _decision("registration", dossier.id, name, values[name])


def _registration_values(dossier: Dossier, situation: Situation) -> dict[str, Explained]:
    rule = situation.policy.rule
    values = _identity_values(dossier, situation)
    code, reason, step_rule = dossier.step or ("STATE_KEPT", "As recorded.", rule("registration"))
    state = Explained(dossier.state, code, reason, step_rule)
    if dossier.id in situation.approved_now:
        record = dossier.record
        values |= {name: state.holding(getattr(record, name)) for name in OF_APPROVAL}
    values |= {"state": state, "closure_code": state.holding(dossier.closure)}
    due_at = sla_due_at(dossier, situation)
    why = "Submission plus the time that the policy allows." if due_at else "No answer is due."
    values["sla_due_at"] = Explained(due_at, "SLA", why, rule("approval", "sla", "value"))
    values |= _window_values(dossier, situation)
    conflict_rule = dossier.conflict_rule or rule("uniqueness", "scope")
    why = "Another claim meets this one." if dossier.conflict != "none" else "No other claim is known."
    conflict = Explained(dossier.conflict, "CONFLICT", why, conflict_rule, dossier.conflict_trace)
    held = f"{dossier.blocked_by} comes first." if dossier.blocked_by else "Nothing holds it."
    values["conflict_status"] = conflict
    values["blocked_by"] = Explained(dossier.blocked_by, "CONFLICT", held, conflict_rule, dossier.conflict_trace)
    values |= _dispute_values(dossier, situation)
    values |= _terms_values(dossier, situation)
    values["flags"] = _flagged("registration", dossier.id, situation)
    values["next_action"] = _next_action("registration", dossier.id, _waiting(dossier, due_at, situation), situation)
    values["policy_version"] = Explained(
        situation.policy.version, "POLICY", "The policy that decided.", rule("version")
    )
    return values


def _identity_values(dossier: Dossier, situation: Situation) -> dict[str, Explained]:
    rule, match = situation.policy.rule("identity"), dossier.match
    why = (
        f"Matched by {match.step}: {match.reasons[0]}."
        if match.outcome == "match"
        else f"Not matched: {match.reasons[0]}."
    )
    values = {
        "account_id": Explained(
            dossier.account_id, f"ACCOUNT_{match.outcome.upper()}", why, rule, match.reasons, match.candidates
        ),
        "deal_id": Explained(dossier.deal_id, "LINKED", "The deal that quotes the registration.", rule),
    }
    if dossier.original_partner_id:
        merged = Explained(dossier.partner_id, "PARTNER_MERGED", "The partner was merged into another.", rule)
        values["partner_id"] = merged
        values["original_partner_id"] = merged.holding(dossier.original_partner_id)
    return values


def _window_values(dossier: Dossier, situation: Situation) -> dict[str, Explained]:
    window = dossier.window
    rule = window.rule if window else situation.policy.rule("registration", "start")
    reason = protection_reason(dossier)
    status = registration_protection(dossier, situation)
    explained = Explained(status, "PROTECTION", reason, rule, window.trace if window else ())
    return {
        "protection_status": explained,
        "protection_start": explained.holding(window.start if window else None),
        "protection_end": explained.holding(window.end if window else None),
    }


def _waiting(dossier: Dossier, due_at: datetime | None, situation: Situation) -> str | None:
    """What happens next to a registration about which nothing was found."""
    if dossier.blocked_by:
        return f"Wait for the decision on {dossier.blocked_by}."
    if dossier.is_pending:
        return _answer_wanted(dossier, due_at, situation)
    return "The partner completes and submits it again." if dossier.state == "returned" else None


def _answer_wanted(dossier: Dossier, due_at: datetime | None, situation: Situation) -> str:
    by = f" by {situation.timeline.shown(due_at)}" if due_at else ""
    approver = approver_of(dossier, situation)
    who = f" Approver: {approver[0]}." if approver else ""
    if dossier.second_to:
        factor = situation.policy.model.uniqueness.discount_factor or 0
        return clip(f"Approve at {factor:.0%} of the terms, or reject{by}: {dossier.second_to} comes first.{who}")
    if situation.policy.model.approval.auto_approve_unless and can_be_approved(dossier, situation):
        return clip(f"Approve{by}: nothing speaks against it.{who}")
    return clip(f"Approve or reject{by}.{who}")


def _dispute_values(dossier: Dossier, situation: Situation) -> dict[str, Explained]:
    """Since when a conflict stands, at which level, and by when that level decides."""
    stand = dossier.stand
    if stand is None or dossier.conflict not in ("suspected", "confirmed"):
        return situation.policy.once(_no_dispute)
    late = stand.level > 1
    why = "The time of the level before has passed." if late else "The conflict waits for its first decision."
    explained = Explained(stand.level, "CONFLICT_LEVEL", why, stand.rule)
    return {
        "conflict_since": explained.holding(stand.since),
        "conflict_level": explained,
        "conflict_due_at": explained.holding(stand.due_at),
    }


def _no_dispute(policy: Policy) -> dict[str, Explained]:
    nothing = Explained(None, "CONFLICT", "No conflict is open.", policy.rule("conflict"))
    return dict.fromkeys(("conflict_since", "conflict_level", "conflict_due_at"), nothing)


def _terms_values(dossier: Dossier, situation: Situation) -> dict[str, Explained]:
    """Values that only some programmes know."""
    policy, record = situation.policy, dossier.record
    values: dict[str, Explained] = {}
    if policy.model.uniqueness.second_registrant == "accept_reduced":
        counts = dossier.is_pending or dossier.is_approved
        factor = policy.model.uniqueness.discount_factor if dossier.second_to else Decimal(1)
        why = f"{dossier.second_to} came first." if dossier.second_to else "Nobody came before."
        rule = policy.rule("uniqueness", "discount_factor")
        values["discount_factor"] = Explained(factor if counts else record.discount_factor, "SECOND", why, rule)
    if policy.model.fx.rates and record.amount is not None and record.currency:
        kept = record.fx_rate if dossier.state in SETTLED else None
        rate = kept or situation.rate(record.currency, record.submitted_at)
        values["fx_rate"] = Explained(rate, "FX", "The rate of the month of submission.", policy.rule("fx", "rates"))
    return values


def _deal_fields(
    files: Mapping[str, DealFile], values: Mapping[str, dict[str, Explained]], situation: Situation
) -> Iterator[FieldDecision]:
    for deal_id, file in files.items():
        explained = values[deal_id]
        explained["flags"] = _flagged("deal", deal_id, situation)
        waiting = file.current.is_pending if file.current else False
        text = "Wait for the decision on the registration." if waiting else None
        explained |= locked_values(file.deal, situation)
        explained["next_action"] = _next_action("deal", deal_id, text, situation)
        is_direct = file.is_direct
        for name in _told(file.deal) if is_direct else _OF_DEAL:
            one = explained.get(name)
            if one is not None and (one.value or not is_direct or getattr(file.deal, name)):
                yield FieldDecision("deal", deal_id, name, *one)


def _nothing_to_do(policy: Policy) -> Explained:
    return Explained(None, "NEXT_ACTION", "Nothing to do.", policy.rule("version"))


def _told(deal: Deal) -> Sequence[str]:
    """What is said of a direct deal: what can have a value, and what has one that must go."""
    current = _current_of_deal(deal)
    if not any(current):
        return _TOLD
    return [name for name, kept in zip(_OF_DEAL, current, strict=True) if kept or name in _TOLD]


def _next_action(kind: str, record_id: str, otherwise: str | None, situation: Situation) -> Explained:
    if otherwise is None and not situation.findings.on(kind, record_id):
        return situation.policy.once(_nothing_to_do)
    text = situation.findings.first_action(kind, record_id) or otherwise
    rule = situation.findings.rule_of(kind, record_id) or situation.policy.rule("version")
    return Explained(text, "NEXT_ACTION", "From the most urgent finding." if text else "Nothing to do.", rule)


def _decision(kind: str, record_id: str, name: str, explained: Explained) -> FieldDecision:
    return FieldDecision(kind, record_id, name, *explained)
