"""The registration's state machine, as far as a machine may drive it, and what people are told about its state."""

from __future__ import annotations

from datetime import timedelta

from crmsync.records import AgreementStatus, ClosureCode, Partner, RegistrationState, Stage
from crmsync.rules.approval import extension_due_at, has_clock_skew, sla_due_at
from crmsync.rules.certification import standing_of
from crmsync.rules.decision import Detail
from crmsync.rules.dossier import Dossier, Dossiers
from crmsync.rules.eligibility import find_terms
from crmsync.rules.identity import is_free_mail
from crmsync.rules.lapse import lapse
from crmsync.rules.names import is_blank
from crmsync.rules.protection import is_open
from crmsync.rules.situation import PENDING, Situation
from crmsync.rules.timeline import add_days
from crmsync.rules.uniqueness import is_same_business

_STOPPED = (RegistrationState.ON_HOLD,)
"""Pending states in which nobody can answer yet: the clock is not counted."""


def advance(dossiers: Dossiers, situation: Situation) -> None:
    """The steps that need no rival: expiry, return, duplicate. Conflicts come after."""
    for dossier in dossiers.all.values():
        _expire(dossier, situation)
        lapse(dossier, situation)
        _return(dossier, situation)
    for site in dossiers.at_site().values():
        for dossier in site:
            _close_duplicate(dossier, site, situation)


def _expire(dossier: Dossier, situation: Situation) -> None:
    window = dossier.window
    if window is None:
        return
    rule = window.rule
    if dossier.state == RegistrationState.EXPIRED and window.extension == "granted" and is_open(window, situation):
        reason = f"The extension was granted: protected to the end of {window.end}."
        dossier.move(RegistrationState.APPROVED, "EXTENDED", reason, rule)
    elif dossier.state == RegistrationState.APPROVED and not is_open(window, situation) and not _won_in_time(dossier):
        dossier.move(RegistrationState.EXPIRED, "REG_EXPIRED", f"The protection ended on {window.end}.", rule)


def _won_in_time(dossier: Dossier) -> bool:
    """A deal that was won inside the window has used its registration: there is nothing left to expire."""
    deal, window = dossier.deal, dossier.window
    if deal is None or window is None or window.end is None or deal.stage != Stage.CLOSED_WON:
        return False
    return deal.close_date is not None and deal.close_date <= window.end


def missing_fields(dossier: Dossier, situation: Situation) -> list[str]:
    """What is required and neither given nor found out."""
    found = {"account_id": dossier.account_id, "deal_id": dossier.deal_id}
    required = situation.policy.model.registration.required
    return [name for name in required if is_blank(found.get(name) or getattr(dossier.record, name))]


def _return(dossier: Dossier, situation: Situation) -> None:
    """Back to the partner, where required fields are blank and nothing else tells who the customer is."""
    policy = situation.policy
    if not dossier.is_pending or not policy.model.registration.return_incomplete or dossier.site is not None:
        return
    missing = missing_fields(dossier, situation)
    if missing and dossier.match.outcome == "none":
        reason = f"Returned: {', '.join(missing)} missing, and the customer is not known."
        dossier.move(RegistrationState.RETURNED, "MISSING_FIELD", reason, policy.rule("registration", "required"))


# ---------------------------------------------------------------- duplicates


def _close_duplicate(dossier: Dossier, site: list[Dossier], situation: Situation) -> None:
    """A claim that still counts makes the later one a duplicate; one that is closed keeps its reason for ever."""
    was_closed = dossier.state == RegistrationState.CLOSED and dossier.closure == ClosureCode.DUPLICATE
    if not (dossier.is_pending or was_closed):
        return
    originals = [d for d in site if _is_original(d, dossier, situation)]
    alive = [d for d in originals if d.is_pending or d.is_approved]
    original = next(iter(alive or (originals if was_closed else ())), None)
    if original is None:
        return
    rule = situation.policy.rule("uniqueness", "product_overlap")
    if dossier.is_pending:
        reason = f"The partner has already registered this business as {original.label}."
        dossier.move(RegistrationState.CLOSED, "DUP_REGISTRATION", reason, rule)
        dossier.closure = ClosureCode.DUPLICATE
    message = f"{dossier.label} repeats {original.label} of the same partner"
    detail = Detail((original.id,), 1.0, _reasons_for(dossier, original))
    situation.findings.add(
        "DUP_REGISTRATION", "registration", dossier.id, message, rule, evidence=(original.label,), detail=detail
    )


def _reasons_for(one: Dossier, original: Dossier) -> tuple[str, ...]:
    """What two claims of a partner have in common, in plain words."""
    shared = sorted(set(one.record.products) & set(original.record.products))
    same_amount = one.record.amount is not None and one.record.amount == original.record.amount
    said = (
        "same partner",
        "same customer",
        f"same products: {', '.join(shared)}" if shared else "",
        "same amount" if same_amount else "",
        "same deal" if one.deal_id and one.deal_id == original.deal_id else "",
    )
    return tuple(text for text in said if text)


def _is_original(one: Dossier, later: Dossier, situation: Situation) -> bool:
    """An earlier claim of the same partner to the same business."""
    if one.partner_id is None or one.partner_id != later.partner_id or one.order >= later.order:
        return False
    return is_same_business(one, later, "any", situation)


# ---------------------------------------------------------------- service level


def find_delays(dossier: Dossier, situation: Situation) -> None:
    """``SLA_WARNING``, then ``SLA_BREACH``, while an answer can be given."""
    due_at, submitted_at = sla_due_at(dossier, situation), dossier.record.submitted_at
    if not dossier.is_pending or dossier.state in _STOPPED or due_at is None or submitted_at is None:
        return
    timeline, policy = situation.timeline, situation.policy
    warned_at = submitted_at + _share(due_at - submitted_at, float(policy.model.approval.warn_at))
    shown = timeline.shown(due_at)
    if timeline.passed(due_at):
        rule = policy.rule("approval", "sla", "value")
        situation.findings.add("SLA_BREACH", "registration", dossier.id, f"the answer was due {shown}", rule)
    elif timeline.passed(warned_at):
        rule = policy.rule("approval", "warn_at")
        situation.findings.add("SLA_WARNING", "registration", dossier.id, f"the answer is due {shown}", rule)


def _share(span: timedelta, share: float) -> timedelta:
    return timedelta(seconds=round(span.total_seconds() * share))


# ---------------------------------------------------------------- what else is to say


def find_problems(dossier: Dossier, situation: Situation) -> None:
    """Everything about a registration that does not need a rival."""
    _find_gaps(dossier, situation)
    if dossier.is_pending or dossier.is_approved:
        _find_partner_problems(dossier, situation)
    find_delays(dossier, situation)
    find_terms(dossier, situation)
    _find_extension(dossier, situation)
    _find_reminder(dossier, situation)
    _find_odd(dossier, situation)


def _find_gaps(dossier: Dossier, situation: Situation) -> None:
    if dossier.state not in (*PENDING, RegistrationState.RETURNED):
        return
    findings, policy = situation.findings, situation.policy
    rule = policy.rule("registration", "required")
    for name in missing_fields(dossier, situation):
        findings.add("MISSING_FIELD", "registration", dossier.id, f"'{name}' is blank", rule, subject=name)
    addresses = (dossier.record.account_domain, dossier.record.contact_email)
    if not dossier.company.domains and any(is_free_mail(text, policy) for text in addresses):
        message = "the customer is only known by an address at a free mail provider"
        findings.add("FREE_MAIL_DOMAIN", "registration", dossier.id, message, policy.rule("identity"))
    if dossier.match.outcome == "ambiguous":
        message = f"{dossier.match.reasons[0]}: {', '.join(_account_names(dossier, situation))}"
        rule = policy.rule("identity")
        ids = dossier.match.candidates
        detail = situation.alike.detail("registration", dossier.id, ids, dossier.match.reasons[:1])
        findings.add("AMBIGUOUS_ACCOUNT", "registration", dossier.id, message, rule, evidence=ids, detail=detail)


def _account_names(dossier: Dossier, situation: Situation) -> list[str]:
    accounts = (situation.accounts.get(account_id) for account_id in dossier.match.candidates)
    return [account.name or account.id for account in accounts if account]


def _find_partner_problems(dossier: Dossier, situation: Situation) -> None:
    partner = situation.partner(dossier.partner_id)
    if partner is None:
        return
    findings, policy = situation.findings, situation.policy
    if situation.is_inactive(partner):
        message = f"{situation.partner_name(partner.id)} is {partner.status}"
        findings.add("PARTNER_INACTIVE", "registration", dossier.id, message, policy.rule("gates"))
    if policy.model.gates.agreement and not has_agreement(partner, situation):
        message = f"{situation.partner_name(partner.id)} has no active agreement"
        findings.add("AGREEMENT_INACTIVE", "registration", dossier.id, message, policy.rule("gates", "agreement"))
    if dossier.is_pending:
        _find_gate(dossier, situation)


def has_agreement(partner: Partner, situation: Situation) -> bool:
    """An agreement whose first day has come and whose last has not passed."""
    if partner.agreement_status != AgreementStatus.ACTIVE:
        return False
    start, end = partner.agreement_start, partner.agreement_end
    if start and not situation.timeline.started(start):
        return False
    return end is None or not situation.timeline.over(end)


def _find_gate(dossier: Dossier, situation: Situation) -> None:
    gate = situation.policy.model.gates.certification
    lacking = [kind for kind in gate if standing_of(dossier.partner_id, situation, (kind,)).status != "active"]
    if lacking:
        message = f"{situation.partner_name(dossier.partner_id)} has no active {' or '.join(lacking)} certification"
        rule = situation.policy.rule("gates", "certification")
        situation.findings.add("CERT_GATE", "registration", dossier.id, message, rule)


def _find_extension(dossier: Dossier, situation: Situation) -> None:
    window = dossier.window
    if window is not None and window.extension in ("pending", "granted") and dossier.is_approved:
        _find_unproved(dossier, situation)
    if window is None or window.extension not in ("pending", "late", "limit"):
        return
    if dossier.state not in (RegistrationState.APPROVED, RegistrationState.EXPIRED):
        return
    code = {"pending": "EXT_PENDING", "late": "EXT_LATE", "limit": "EXT_LIMIT"}[window.extension]
    key = {"pending": "request_by", "late": "request_by", "limit": "max_count"}[window.extension]
    rule = situation.policy.rule("extension", key)
    message, due_at = window.trace[-1], extension_due_at(dossier, situation)
    late = code == "EXT_PENDING" and due_at is not None and situation.timeline.passed(due_at)
    if late and due_at is not None:
        message = f"{message}; the answer was due {situation.timeline.shown(due_at)}"
        rule = situation.policy.rule("extension", "sla", "value")
    severity, occasion = ("error", "late") if late else ("", "")
    situation.findings.add(code, "registration", dossier.id, message, rule, severity=severity, occasion=occasion)


def _find_unproved(dossier: Dossier, situation: Situation) -> None:
    rule = situation.policy.rule("extension", "needs")
    for name in situation.policy.model.extension.needs:
        if is_blank(getattr(dossier.record, name)):
            message = f"'{name}' is blank, but an extension needs it"
            situation.findings.add("MISSING_FIELD", "registration", dossier.id, message, rule, subject=name)


def _find_reminder(dossier: Dossier, situation: Situation) -> None:
    """``REG_EXPIRING``: one finding, and for every reminder day a to-do of its own."""
    window = dossier.window
    if not dossier.is_approved or window is None or window.end is None or window.extension == "pending":
        return
    if dossier.deal is not None and dossier.deal.stage in (Stage.CLOSED_WON, Stage.CLOSED_LOST):
        return
    days = sorted(situation.policy.model.reminders.days_before_end, reverse=True)
    reached = [d for d in days if situation.timeline.started(add_days(window.end, -d))]
    if not reached or not is_open(window, situation):
        return
    situation.findings.add(
        "REG_EXPIRING",
        "registration",
        dossier.id,
        f"{dossier.label} protects to the end of {window.end}",
        situation.policy.rule("reminders", "days_before_end"),
        occasion=f"{window.end}:{reached[-1]}d",
    )


def _find_odd(dossier: Dossier, situation: Situation) -> None:
    findings, policy = situation.findings, situation.policy
    if has_clock_skew(dossier):
        message = "approved before it was submitted: no answer time is reckoned"
        findings.add("CLOCK_SKEW", "registration", dossier.id, message, policy.rule("approval", "sla"))
    if dossier.original_partner_id and dossier.original_partner_id != dossier.partner_id:
        message = f"registered by a partner that is now part of {situation.partner_name(dossier.partner_id)}"
        findings.add(
            "PARTNER_MERGED",
            "registration",
            dossier.id,
            message,
            policy.rule("registration"),
            evidence=(dossier.original_partner_id,),
        )
    if dossier.is_approved and dossier.window is None and policy.model.registration.kind != "post_win":
        message = "approved, but nobody noted when: 'approved_at' is blank"
        rule = policy.rule("registration", "start")
        findings.add("MISSING_FIELD", "registration", dossier.id, message, rule, subject="approved_at")
