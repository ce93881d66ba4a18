"""Who decides on a registration, by when, and whether anything speaks against it. A machine approves only where the
policy says so in as many words."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from crmsync.records import Registration, RegistrationState
from crmsync.rules.decision import Facts, Rule
from crmsync.rules.dossier import Dossier, Dossiers
from crmsync.rules.eligibility import claim_scope
from crmsync.rules.policy.programme import Sla
from crmsync.rules.situation import SETTLED, Situation
from crmsync.rules.workdays import add_hours, add_workdays, count_workdays

_UNANSWERED = (RegistrationState.SUBMITTED, RegistrationState.UNDER_REVIEW, RegistrationState.PENDING_APPROVAL)


def sla_due_at(dossier: Dossier, situation: Situation) -> datetime | None:
    """When the answer is due. A settled registration keeps what is recorded."""
    record, sla = dossier.record, _sla_of(dossier, situation)
    submitted_at = record.submitted_at
    if dossier.state in SETTLED and record.sla_due_at:
        return record.sla_due_at
    if sla is None or submitted_at is None or has_clock_skew(dossier):
        return None
    if dossier.state in (None, RegistrationState.DRAFT, RegistrationState.RETURNED):
        return None
    calendar, zone = situation.policy.model.calendars.get(sla.calendar or ""), situation.policy.zone
    if sla.unit == "hours":
        return add_hours(submitted_at, sla.value) + _pause(record, situation)
    paused = 0
    if _pause(record, situation) and record.returned_at and record.resubmitted_at:
        paused = count_workdays(record.returned_at, record.resubmitted_at, calendar, zone)
    return add_workdays(submitted_at, sla.value + paused, calendar, zone)


def _sla_of(dossier: Dossier, situation: Situation) -> Sla | None:
    """The time that the policy allows for this one."""
    approval, policy = situation.policy.model.approval, situation.policy
    if approval.sla_by:
        scope = situation.scope(registration=dossier.record, deal=dossier.deal, account_id=dossier.account_id)
        for at, entry in enumerate(approval.sla_by):
            if situation.holds(policy.expression("approval", "sla_by", at, "when"), scope):
                return entry.sla
    return approval.sla


def extension_due_at(dossier: Dossier, situation: Situation) -> datetime | None:
    """When the answer to a request for an extension is due."""
    sla, requested_at = situation.policy.model.extension.sla, dossier.record.extension_requested_at
    if sla is None or requested_at is None:
        return None
    if sla.unit == "hours":
        return add_hours(requested_at, sla.value)
    calendar = situation.policy.model.calendars.get(sla.calendar or "")
    return add_workdays(requested_at, sla.value, calendar, situation.policy.zone)


def _pause(record: Registration, situation: Situation) -> timedelta:
    """The time that the registration was with the partner again."""
    returned_at, resubmitted_at = record.returned_at, record.resubmitted_at
    if "returned" not in situation.policy.model.approval.pause_clock_in or not (returned_at and resubmitted_at):
        return timedelta(0)
    return max(resubmitted_at - returned_at, timedelta(0))


def has_clock_skew(dossier: Dossier) -> bool:
    submitted_at, approved_at = dossier.record.submitted_at, dossier.record.approved_at
    return submitted_at is not None and approved_at is not None and approved_at < submitted_at


def approver_of(dossier: Dossier, situation: Situation) -> tuple[str, Rule] | None:
    """Who decides, by the first step whose condition holds."""
    policy = situation.policy
    for at, step in enumerate(policy.model.approval.steps):
        if situation.holds(policy.expression("approval", "steps", at, "when"), claim_scope(dossier, situation)):
            return step.approver, policy.rule("approval", "steps", at)
    return None


def speaks_against(dossier: Dossier, situation: Situation) -> list[str]:
    """What a person should look at before approving: findings, and what the policy names."""
    policy = situation.policy
    against = [
        finding.message
        for finding in situation.findings.on("registration", dossier.id)
        if finding.severity != "info" and finding.code not in ("SLA_WARNING", "SLA_BREACH")
    ]
    texts = policy.model.approval.auto_approve_unless
    scope = claim_scope(dossier, situation)
    against += [
        text
        for at, text in enumerate(texts)
        if situation.holds(policy.expression("approval", "auto_approve_unless", at), scope)
    ]
    return against + ([f"{dossier.second_to} came first"] if dossier.second_to else [])


def can_be_approved(dossier: Dossier, situation: Situation) -> bool:
    return dossier.state in _UNANSWERED and not speaks_against(dossier, situation)


def approve(dossiers: Dossiers, situation: Situation) -> Facts | None:
    """The facts with everything approved against which nothing speaks; ``None`` where there is nothing to approve."""
    approval = situation.policy.model.approval
    if not approval.auto_approve:
        return None
    clear = {d.id for d in dossiers.all.values() if can_be_approved(d, situation)}
    if not clear:
        return None
    at = situation.timeline.now.replace(microsecond=0)
    rows = (_approved(r, at) if r.id in clear else r for r in situation.facts.registrations)
    return replace(situation.facts, registrations=tuple(rows))


def _approved(registration: Registration, at: datetime) -> Registration:
    return replace(
        registration,
        state=RegistrationState.APPROVED,
        approved_at=at,
        decided_at=at,
        decided_by="crmsync",
    )
