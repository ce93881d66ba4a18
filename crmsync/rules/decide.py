"""Composes the concerns into one decision per neighbourhood. Pure: same facts, policy and ``now``, same answer.

The order matters and is the only one: registrations settle by themselves, deals learn their partners, claims meet,
and only then is anything said about a record; flags and next actions come last, from all that was found.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from crmsync.records import Deal, Partner, Registration
from crmsync.rules.answers import build_fields
from crmsync.rules.approval import approve
from crmsync.rules.attribution import attribute
from crmsync.rules.certification import find_lapse, standing_of
from crmsync.rules.changes import find_changes
from crmsync.rules.conflict import Conflicts
from crmsync.rules.credits import build_credits, find_splits
from crmsync.rules.deal_values import deal_values
from crmsync.rules.deals import (
    DealFile,
    current_of,
    find_rival_partner,
    partner_of,
    partners_by_deal,
    review_protected,
)
from crmsync.rules.decision import Decision, Facts
from crmsync.rules.dossier import Dossier, Dossiers, build_dossiers, number_key
from crmsync.rules.duplicates import (
    find_account_duplicates,
    find_contact_duplicates,
    find_deal_duplicates,
    find_direct_conflicts,
    protectors_of,
)
from crmsync.rules.explained import Explained
from crmsync.rules.expressions import Scope
from crmsync.rules.policy import Policy
from crmsync.rules.ranking import Incumbents
from crmsync.rules.registration import advance, find_problems, has_agreement
from crmsync.rules.related import find_related
from crmsync.rules.situation import Situation, is_closed
from crmsync.rules.touches import touches_by_deal
from crmsync.rules.validation import find_stale, validate_records
from crmsync.rules.versions import decide_by_versions


def decide(facts: Facts, policy: Policy, now: datetime) -> Decision:
    """What the fields of these records should be, what is to be said about them, and when to look again."""
    if policy.versions:
        return decide_by_versions(facts, policy, now, _decide_at)
    return _decide_at(facts, policy, now)


def _decide_at(facts: Facts, policy: Policy, now: datetime) -> Decision:
    return _decide(Situation(facts, policy, now))


def _decide(situation: Situation) -> Decision:
    dossiers = build_dossiers(situation)
    _note_approvals(dossiers, situation)
    advance(dossiers, situation)
    files = _open_files(dossiers, situation)
    incumbents = Incumbents(partners_by_deal(files), situation)
    Conflicts(dossiers, incumbents, situation).resolve()
    _find_all(dossiers, files, situation)
    if not situation.approved_now and (approved := approve(dossiers, situation)):
        return _decide(_after_approval(approved, situation))
    values = {deal_id: deal_values(file, incumbents, situation) for deal_id, file in files.items()}
    _find_last(dossiers, files, values, situation)
    fields = build_fields(dossiers, files, values, situation)
    claims_at: dict[str, list[Dossier]] = defaultdict(list)
    for dossier in dossiers.all.values():
        claims_at[dossier.account_id or ""].append(dossier)
    credits_ = build_credits(files, claims_at, situation)
    return Decision(fields, situation.findings.all(), situation.timeline.next_due_at, credits_)


def _after_approval(facts: Facts, before: Situation) -> Situation:
    """The same moment with registrations approved."""
    situation = Situation(facts, before.policy, before.timeline.now)
    changed = zip(facts.registrations, before.facts.registrations, strict=True)
    situation.approved_now = frozenset(after.id for after, was in changed if after is not was)
    return situation


def _note_approvals(dossiers: Dossiers, situation: Situation) -> None:
    rule = situation.policy.rule("approval", "auto_approve")
    for dossier_id in situation.approved_now:
        reason = "Approved by the policy: nothing speaks against it."
        dossiers.all[dossier_id].step = ("AUTO_APPROVED", reason, rule)


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
    situation.partner_on = partners_by_deal(files)
    situation.open_here = Counter(d.partner_id for d in dossiers.all.values() if d.is_pending or d.is_approved)
    for partner in situation.partners.values():
        _find_partner(partner, situation)
    for dossier in dossiers.all.values():
        find_problems(dossier, situation)
    find_changes(dossiers, situation)
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
        if approved:
            review_protected(file, protectors_of(file.deal, file.linked, approved, situation), situation)
        find_rival_partner(file, situation)
        _find_deal(file, dossiers, situation)
        find_splits(file, situation)


def _find_partner(partner: Partner, situation: Situation) -> None:
    findings, policy, name = situation.findings, situation.policy, situation.partner_name(partner.id)
    find_lapse(partner, situation)
    if situation.is_inactive(partner):
        findings.add("PARTNER_INACTIVE", "partner", partner.id, f"{name} is {partner.status}", policy.rule("gates"))
    elif partner.status == "active" and policy.model.gates.agreement and not has_agreement(partner, situation):
        rule = policy.rule("gates", "agreement")
        findings.add("AGREEMENT_INACTIVE", "partner", partner.id, f"{name} has no active agreement", rule)


def _find_deal(file: DealFile, dossiers: Dossiers, situation: Situation) -> None:
    """What the standing of its partner and registration means for an open deal."""
    partner, deal, policy = situation.partner(file.partner_id), file.deal, situation.policy
    if is_closed(deal):
        return
    if deal.registration_id and number_key(deal.registration_id) not in dossiers.numbers:
        message = f"no registration has the number '{deal.registration_id}'"
        rule = policy.rule("registration")
        situation.findings.add("MISSING_REG_ID", "deal", deal.id, message, rule, subject="unknown")
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
    asked = situation.policy.asked_of_deals
    decided = {deal_id: _as_decided(files[deal_id].deal, values[deal_id], asked) for deal_id in files}
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


def _as_decided(deal: Deal, values: Mapping[str, Explained], asked: Iterable[str]) -> Deal:
    """With the decided values of those fields that any later condition asks for."""
    changes: dict[str, Any] = {n: values[n].value for n in asked if n in values and getattr(deal, n) != values[n].value}
    return replace(deal, **changes) if changes else deal


def _registration_as_decided(dossier: Dossier) -> Registration:
    if not dossier.is_moved:
        return dossier.record
    return replace(
        dossier.record,
        partner_id=dossier.partner_id,
        original_partner_id=dossier.original_partner_id,
        account_id=dossier.account_id,
        deal_id=dossier.deal_id,
        state=dossier.state,
        closure_code=dossier.closure,
    )
