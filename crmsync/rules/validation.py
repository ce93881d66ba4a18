"""What a deal must have at its stage, and what has gone quiet. Looks at records as they will be once decided."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from crmsync.records import Account, Contact, Deal, Registration, Stage
from crmsync.rules.expressions import Scope
from crmsync.rules.names import is_blank
from crmsync.rules.policy.model import TaskRule, Validation
from crmsync.rules.situation import Situation, is_closed
from crmsync.rules.timeline import add_days

Subject = Deal | Registration | Account | Contact


def validate_records(kind: str, subjects: Iterable[tuple[Subject, Scope]], situation: Situation) -> None:
    """``MISSING_FIELD`` (``MISSING_REG_ID`` for a deal's registration) for every validation of this kind."""
    rules = [(at, v) for at, v in enumerate(situation.policy.model.validations) if v.on == kind]
    if not rules:
        return
    for subject, scope in subjects:
        for at, validation in rules:
            if situation.holds(situation.policy.expression("validations", at, "when"), scope):
                _require(kind, subject, at, validation, situation)


def _require(kind: str, subject: Subject, at: int, validation: Validation, situation: Situation) -> None:
    rule = situation.policy.rule("validations", at)
    for name in validation.require:
        if is_blank(_value(subject, name)):
            code = "MISSING_REG_ID" if (kind, name) == ("deal", "registration_id") else "MISSING_FIELD"
            situation.findings.add(
                code,
                kind,
                subject.id,
                f"'{name}' is blank, but {validation.name} asks for it",
                rule,
                subject=name,
                severity=validation.severity,
                task=TaskRule() if validation.task else None,
            )


def _value(subject: Subject, name: str) -> object:
    return getattr(subject, name) if hasattr(subject, name) else subject.extra.get(name)


def find_stale(deal: Deal, scope: Scope, situation: Situation) -> None:
    """``STALE_DEAL``: an open deal on which nothing has happened for the days that its stage allows."""
    terms = situation.policy.model.stale_deals
    if terms is None or is_closed(deal) or deal.stage == Stage.COLD:
        return
    last = _last_sign(deal, situation)
    if last is None or not situation.holds(situation.policy.expression("stale_deals", "when"), scope):
        return
    by_stage = deal.stage is not None and deal.stage in terms.by_stage
    days = terms.by_stage[deal.stage] if by_stage and deal.stage else terms.after_days
    if situation.timeline.started(add_days(last, days)):
        path = ("stale_deals", "by_stage", str(deal.stage)) if by_stage else ("stale_deals", "after_days")
        message = f"nothing has happened since {last}, {days} days are allowed"
        situation.findings.add("STALE_DEAL", "deal", deal.id, message, situation.policy.rule(*path))


def _last_sign(deal: Deal, situation: Situation) -> date | None:
    created_on = situation.timeline.day_of(deal.created_at) if deal.created_at else None
    active_on = deal.last_activity_on
    return max(created_on, active_on) if created_on and active_on else created_on or active_on
