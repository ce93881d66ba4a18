"""The protection window: when it starts and ends, to the instant, and what an extension does to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from crmsync.records import ClosureCode, ProtectionStatus, Registration, RegistrationState
from crmsync.rules.decision import Rule
from crmsync.rules.policy import Length
from crmsync.rules.policy.load import length_text
from crmsync.rules.situation import Situation
from crmsync.rules.timeline import add_days, add_length

ExtensionStatus = Literal["none", "pending", "granted", "late", "limit"]

SETTLED = (
    RegistrationState.EXPIRED,
    RegistrationState.REVOKED,
    RegistrationState.CLOSED,
    RegistrationState.WITHDRAWN,
    RegistrationState.REJECTED,
)
"""The window of such a registration is history: a changed policy does not move it."""


_VOID = (ClosureCode.REJECTED, ClosureCode.DUPLICATE, ClosureCode.CONFLICT_LOST, ClosureCode.INCOMPLETE)


def was_approved(registration: Registration, state: RegistrationState | None, closure: ClosureCode | None) -> bool:
    """Whether a registration in that state gives the partner rights, or once did, whatever became of it."""
    if state == RegistrationState.CLOSED:
        return registration.approved_at is not None and closure not in _VOID
    return state in (RegistrationState.APPROVED, RegistrationState.EXPIRED, RegistrationState.REVOKED)


@dataclass(frozen=True, slots=True)
class Window:
    """``end`` is the last protected day; ``None``: for ever. ``expires_at`` is the first unprotected instant."""

    start: date
    end: date | None
    expires_at: datetime | None
    extension: ExtensionStatus
    rule: Rule
    trace: tuple[str, ...]


def build_window(registration: Registration, situation: Situation, *, settled: bool) -> Window | None:
    """The window of a registration that was approved; ``None`` for any other."""
    approved_at = registration.approved_at or registration.decided_at
    if approved_at is None or not was_approved(registration, registration.state, registration.closure_code):
        return None
    timeline, terms = situation.timeline, situation.policy.model.registration
    anchor = (registration.submitted_at or approved_at) if terms.start == "submitted_at" else approved_at
    start = timeline.day_of(anchor)
    length, rule = _length(registration, situation)
    if settled and registration.extension_granted_at is None and registration.protection_start:
        return _extended(_recorded(registration, situation, rule), registration, situation)
    began = f"starts on {start}, the day it was {'submitted' if terms.start == 'submitted_at' else 'approved'}"
    if length is None:
        return Window(start, None, None, "none", rule, (began, "has no end"))
    end = add_length(start, length)
    if not terms.end_inclusive:
        end = add_days(end, -1)
    trace = (began, f"runs for {length_text(length)}, to the end of {end} in {situation.policy.zone.key}")
    window = Window(start, end, timeline.end_of(end), "none", rule, trace)
    return _extended(window, registration, situation)


def _length(registration: Registration, situation: Situation) -> tuple[Length | None, Rule]:
    policy = situation.policy
    terms = policy.model.registration
    for at, entry in enumerate(terms.length_by):
        deal = situation.all_deals.get(registration.deal_id or "")
        scope = situation.scope(registration=registration, deal=deal)
        if situation.holds(policy.expression("registration", "length_by", at, "when"), scope):
            return entry.length, policy.rule("registration", "length_by", at, "length", "value")
    return terms.length, policy.rule("registration", "length", "value")


def _recorded(registration: Registration, situation: Situation, rule: Rule) -> Window:
    start, end = registration.protection_start, registration.protection_end
    assert start  # noqa: S101 - the caller has looked
    trace = (f"from {start} to the end of {end or 'time'}, as recorded: the registration is history",)
    return Window(start, end, situation.timeline.end_of(end) if end else None, "none", rule, trace)


def _extended(window: Window, registration: Registration, situation: Situation) -> Window:
    granted_at = registration.extension_granted_at
    requested_at = registration.extension_requested_at or granted_at
    if requested_at is None or window.end is None or window.expires_at is None:
        return window
    policy, timeline = situation.policy, situation.timeline
    terms = policy.model.extension
    if terms.max_count == 0:
        return _with(window, "limit", policy.rule("extension", "max_count"), "no extension is allowed")
    if terms.request_by == "end" and requested_at >= window.expires_at:
        shown = timeline.shown(requested_at)
        return _with(window, "late", policy.rule("extension", "request_by"), f"extension asked for too late, {shown}")
    if terms.decide_by == "end":
        lapsed = granted_at >= window.expires_at if granted_at else timeline.passed(window.expires_at)
        if lapsed:
            return _with(window, "late", policy.rule("extension", "decide_by"), "the extension was not granted in time")
    if granted_at is None or not timeline.passed(granted_at):
        asked = f"an extension was asked for on {timeline.shown(requested_at)} and is not decided"
        return _with(window, "pending", policy.rule("extension", "request_by"), asked)
    base = timeline.day_of(granted_at) if terms.from_ == "decided_at" else window.end
    end = max(add_length(base, terms.length), window.end)
    trace = (*window.trace, f"extended by {length_text(terms.length)}, to the end of {end}")
    return Window(
        window.start, end, timeline.end_of(end), "granted", policy.rule("extension", "length", "value"), trace
    )


def _with(window: Window, extension: ExtensionStatus, rule: Rule, line: str) -> Window:
    shown = rule if extension in ("late", "limit") else window.rule
    return Window(window.start, window.end, window.expires_at, extension, shown, (*window.trace, line))


def is_open(window: Window, situation: Situation) -> bool:
    """Whether the window still holds: its end has not come, or an extension asked for in time is undecided."""
    if window.expires_at is None or window.extension == "pending":
        return True
    return not situation.timeline.passed(window.expires_at)


def status_of(window: Window, situation: Situation) -> ProtectionStatus:
    """The status of an approved registration's window, as time has it."""
    timeline = situation.timeline
    if window.end is None or window.expires_at is None:
        return ProtectionStatus.ACTIVE
    if timeline.passed(window.expires_at):
        return ProtectionStatus.PENDING if window.extension == "pending" else ProtectionStatus.EXPIRED
    warning = max(situation.policy.model.reminders.days_before_end, default=0)
    if warning and timeline.started(add_days(window.end, -warning)):
        return ProtectionStatus.EXPIRING
    return ProtectionStatus.ACTIVE
