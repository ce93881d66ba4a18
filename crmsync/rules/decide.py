"""Composes the concerns into one decision per neighbourhood. Pure: same facts, policy and ``now``, same answer.

The order matters and is the only one: registrations settle by themselves, deals learn their partners, claims meet,
and only then is anything said about a record; flags and next actions come last, from all that was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from crmsync.records import Deal, Partner, Registration, Value
from crmsync.rules.attribution import attribute
from crmsync.rules.certification import find_lapse, standing_of
from crmsync.rules.conflict import Conflicts, Incumbents
from crmsync.rules.deals import (
    DealFile,
    Explained,
    current_of,
    deal_values,
    find_rival_partner,
    partner_of,
    partners_by_deal,
    protection_reason,
    registration_protection,
    review_protected,
)
from crmsync.rules.decision import Decision, Facts, FieldDecision
from crmsync.rules.dossier import Dossier, Dossiers, build_dossiers
from crmsync.rules.duplicates import (
    find_account_duplicates,
    find_contact_duplicates,
    find_deal_duplicates,
    find_direct_conflicts,
    protectors_of,
)
from crmsync.rules.expressions import Scope
from crmsync.rules.fields import WRITTEN
from crmsync.rules.policy import Policy
from crmsync.rules.reasons import clip
from crmsync.rules.registration import advance, find_problems, has_agreement, sla_due_at
from crmsync.rules.related import find_related
from crmsync.rules.situation import Situation, is_closed
from crmsync.rules.touches import touches_by_deal
from crmsync.rules.validation import find_stale, validate_records


def decide(facts: Facts, policy: Policy, now: datetime) -> Decision:
    """What the fields of these records should be, what is to be said about them, and when to look again."""
    situation = Situation(facts, policy, now)
    dossiers = build_dossiers(situation)
    advance(dossiers, situation)
    files = _open_files(dossiers, situation)
    incumbents = Incumbents(partners_by_deal(files), situation)
    Conflicts(dossiers, incumbents, situation).resolve()
    _find_all(dossiers, files, situation)
    values = {deal_id: deal_values(file, incumbents, situation) for deal_id, file in files.items()}
    _find_last(dossiers, files, values, situation)
    fields = [
        *_account_fields(situation),
        *_contact_fields(situation),
        *_partner_fields(situation),
        *_registration_fields(dossiers, situation),
        *_deal_fields(files, values, situation),
    ]
    return Decision(tuple(fields), situation.findings.all(), situation.timeline.next_due_at)


def _open_files(dossiers: Dossiers, situation: Situation) -> dict[str, DealFile]:
    touches = touches_by_deal(situation)
    files: dict[str, DealFile] = {}
    for deal in situation.deals.values():
        linked = tuple(dossiers.of_deal.get(deal.id, ()))
        verdict = attribute(deal, linked, touches.get(deal.id, []), situation)
        files[deal.id] = DealFile(deal, linked, None, verdict, partner_of(deal, linked, verdict, situation))
    return files


def _find_all(dossiers: Dossiers, files: Mapping[str, DealFile], situation: Situation) -> None:
    """Findings that need no decided values."""
    for partner in situation.partners.values():
        _find_partner(partner, situation)
    for dossier in dossiers.all.values():
        find_problems(dossier, situation)
    find_related(dossiers, situation)
    find_direct_conflicts(dossiers, partners_by_deal(files), situation)
    find_account_duplicates(situation)
    find_contact_duplicates(situation)
    find_deal_duplicates(situation)
    approved: dict[str, list[Dossier]] = {}
    for dossier in dossiers.all.values():
        if dossier.is_approved and dossier.site:
            approved.setdefault(dossier.site, []).append(dossier)
    for file in files.values():
        file.current = current_of(file.linked)
        review_protected(file, protectors_of(file.deal, file.linked, approved, situation), situation)
        find_rival_partner(file, situation)
        _find_deal(file, situation)


def _find_partner(partner: Partner, situation: Situation) -> None:
    findings, policy, name = situation.findings, situation.policy, situation.partner_name(partner.id)
    find_lapse(partner, situation)
    if situation.is_inactive(partner):
        findings.add("PARTNER_INACTIVE", "partner", partner.id, f"{name} is {partner.status}", policy.rule("gates"))
    elif partner.status == "active" and policy.model.gates.agreement and not has_agreement(partner, situation):
        rule = policy.rule("gates", "agreement")
        findings.add("AGREEMENT_INACTIVE", "partner", partner.id, f"{name} has no active agreement", rule)


def _find_deal(file: DealFile, situation: Situation) -> None:
    """What the partner's standing means for an open deal."""
    partner, deal, policy = situation.partner(file.partner_id), file.deal, situation.policy
    if is_closed(deal):
        return
    if partner is not None:
        name = situation.partner_name(partner.id)
        if standing_of(partner.id, situation).status == "expired":
            message = f"{name} has no valid certification"
            situation.findings.add("CERT_LAPSED", "deal", deal.id, message, policy.rule("certification", "types"))
        if situation.is_inactive(partner):
            message = f"{name} is {partner.status}"
            situation.findings.add("PARTNER_INACTIVE", "deal", deal.id, message, policy.rule("gates"))
    current = file.current
    if current is not None and current.state == "expired" and current.window is not None:
        message = f"{current.label} protected to the end of {current.window.end}"
        situation.findings.add("REG_EXPIRED", "deal", deal.id, message, current.window.rule)


def _find_last(
    dossiers: Dossiers,
    files: Mapping[str, DealFile],
    values: Mapping[str, Mapping[str, Explained]],
    situation: Situation,
) -> None:
    """Findings over records as they will be once these decisions are written."""
    decided = {deal_id: _as_decided(files[deal_id].deal, values[deal_id]) for deal_id in files}
    subjects: list[tuple[Deal, Scope]] = []
    for deal_id, deal in decided.items():
        scope = situation.scope(deal=deal)
        current = files[deal_id].current
        if current is not None:
            scope.registration = _registration_as_decided(current)
        subjects.append((deal, scope))
        find_stale(deal, scope, situation)
    validate_records("deal", subjects, situation)
    registrations = [_registration_as_decided(d) for d in dossiers.all.values()]
    scoped = [(r, situation.scope(registration=r, deal=decided.get(r.deal_id or ""))) for r in registrations]
    validate_records("registration", scoped, situation)
    accounts = [(a, Scope(account=a)) for a in situation.accounts.values()]
    validate_records("account", accounts, situation)
    owners = {a.id: a for a in situation.accounts.values()}
    contacts = [(c, _contact_scope(c, owners, situation)) for c in situation.contacts]
    validate_records("contact", contacts, situation)


def _contact_scope(contact: Any, accounts: Mapping[str, Any], situation: Situation) -> Scope:
    account = accounts.get(situation.resolve(contact.account_id) or "")
    return Scope(contact=contact, account=account) if account else Scope(contact=contact)


def _as_decided(deal: Deal, values: Mapping[str, Explained]) -> Deal:
    changes: dict[str, Any] = {name: explained.value for name, explained in values.items()}
    return replace(deal, **changes)


def _registration_as_decided(dossier: Dossier) -> Registration:
    return replace(
        dossier.record,
        partner_id=dossier.partner_id,
        original_partner_id=dossier.original_partner_id,
        account_id=_account_id(dossier),
        deal_id=_deal_id(dossier),
        state=dossier.state,
        closure_code=dossier.closure,
    )


def _account_id(dossier: Dossier) -> str | None:
    return dossier.match.account_id or dossier.record.account_id


def _deal_id(dossier: Dossier) -> str | None:
    return dossier.record.deal_id or (dossier.deal.id if dossier.deal else None)


# ---------------------------------------------------------------- fields


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
    codes = situation.findings.codes(kind, record_id)
    reason = f"Open findings: {', '.join(codes)}." if codes else "Nothing is open."
    rule = situation.findings.rule_of(kind, record_id) or situation.policy.rule("version")
    return Explained(codes, "FLAGS", clip(reason), rule, situation.findings.messages(kind, record_id))


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
        for name in WRITTEN["registration"]:
            if name in values:
                yield _decision("registration", dossier.id, name, values[name])


def _registration_values(dossier: Dossier, situation: Situation) -> dict[str, Explained]:
    rule = situation.policy.rule
    values = _identity_values(dossier, situation)
    code, reason, step_rule = dossier.step or ("STATE_KEPT", "As recorded.", rule("registration"))
    state = Explained(dossier.state, code, reason, step_rule)
    values |= {"state": state, "closure_code": replace(state, value=dossier.closure)}
    due_at = sla_due_at(dossier, situation)
    why = "Submission plus the time that the policy allows." if due_at else "No answer is due."
    values["sla_due_at"] = Explained(due_at, "SLA", why, rule("approval", "sla", "value"))
    values |= _window_values(dossier, situation)
    conflict_rule = dossier.conflict_rule or rule("uniqueness", "scope")
    why = "Another claim meets this one." if dossier.conflict != "none" else "No other claim is known."
    conflict = Explained(dossier.conflict, "CONFLICT", why, conflict_rule, dossier.conflict_trace)
    held = f"{dossier.blocked_by} comes first." if dossier.blocked_by else "Nothing holds it."
    values["conflict_status"] = conflict
    values["blocked_by"] = replace(conflict, value=dossier.blocked_by, reason=held)
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
            _account_id(dossier), f"ACCOUNT_{match.outcome.upper()}", why, rule, match.reasons, match.candidates
        ),
        "deal_id": Explained(_deal_id(dossier), "LINKED", "The deal that quotes the registration.", rule),
    }
    if dossier.original_partner_id:
        merged = Explained(dossier.partner_id, "PARTNER_MERGED", "The partner was merged into another.", rule)
        values["partner_id"] = merged
        values["original_partner_id"] = replace(merged, value=dossier.original_partner_id)
    return values


def _window_values(dossier: Dossier, situation: Situation) -> dict[str, Explained]:
    window = dossier.window
    rule = window.rule if window else situation.policy.rule("registration", "start")
    reason = protection_reason(dossier)
    status = registration_protection(dossier, situation)
    explained = Explained(status, "PROTECTION", reason, rule, window.trace if window else ())
    return {
        "protection_status": explained,
        "protection_start": replace(explained, value=window.start if window else None),
        "protection_end": replace(explained, value=window.end if window else None),
    }


def _waiting(dossier: Dossier, due_at: datetime | None, situation: Situation) -> str | None:
    """What happens next to a registration about which nothing was found."""
    if dossier.blocked_by:
        return f"Wait for the decision on {dossier.blocked_by}."
    if dossier.is_pending:
        return f"Approve or reject by {situation.timeline.shown(due_at)}." if due_at else "Approve or reject."
    return "The partner completes and submits it again." if dossier.state == "returned" else None


def _deal_fields(
    files: Mapping[str, DealFile], values: Mapping[str, dict[str, Explained]], situation: Situation
) -> Iterator[FieldDecision]:
    for deal_id, file in files.items():
        explained = values[deal_id]
        explained["flags"] = _flagged("deal", deal_id, situation)
        waiting = file.current.is_pending if file.current else False
        text = "Wait for the decision on the registration." if waiting else None
        explained["next_action"] = _next_action("deal", deal_id, text, situation)
        for name in WRITTEN["deal"]:
            one = explained[name]
            if not file.is_direct or one.value not in (None, ()) or getattr(file.deal, name) not in (None, ()):
                yield _decision("deal", deal_id, name, one)


def _next_action(kind: str, record_id: str, otherwise: str | None, situation: Situation) -> Explained:
    text = situation.findings.first_action(kind, record_id) or otherwise
    rule = situation.findings.rule_of(kind, record_id) or situation.policy.rule("version")
    return Explained(text, "NEXT_ACTION", "From the most urgent finding." if text else "Nothing to do.", rule)


def _decision(kind: str, record_id: str, name: str, explained: Explained) -> FieldDecision:
    value: Value = explained.value
    return FieldDecision(
        kind,
        record_id,
        name,
        value,
        explained.code,
        explained.reason,
        explained.rule,
        explained.trace,
        explained.evidence,
    )
