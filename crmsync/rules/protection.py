"""The protection window: when it starts and ends, to the instant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from crmsync.records import ClosureCode, Deal, ProtectionStatus, Registration, RegistrationState
from crmsync.rules.background import partner_activity
from crmsync.rules.decision import Rule
from crmsync.rules.expressions import Scope
from crmsync.rules.policy import Length
from crmsync.rules.policy.load import length_text
from crmsync.rules.policy.programme import HardCap
from crmsync.rules.situation import Situation
from crmsync.rules.timeline import add_days, add_length

ExtensionStatus = Literal["none", "pending", "granted", "late", "limit"]

_VOID = (ClosureCode.REJECTED, ClosureCode.DUPLICATE, ClosureCode.CONFLICT_LOST, ClosureCode.INCOMPLETE)

_STARTED_BY = {
    "approved_at": "it was approved",
    "submitted_at": "it was submitted",
    "conditional_at": "it was accepted on conditions",
    "status_changed_at": "its status changed",
}


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


def build_window(
    registration: Registration, deal: Deal | None, account_id: str | None, situation: Situation, *, settled: bool
) -> Window | None:
    """The window of a registration that was approved; ``None`` for any other, and where there is nothing to protect."""
    approved_at = registration.approved_at or registration.decided_at
    terms = situation.policy.model.registration
    if approved_at is None or terms.kind == "post_win":
        return None
    if not was_approved(registration, registration.state, registration.closure_code):
        return None
    scope = situation.scope(registration=registration, deal=deal, account_id=account_id)
    length, rule = _length(scope, situation)
    if settled and registration.extension_granted_at is None and registration.protection_start:
        window = extend(_recorded(registration, situation, rule), scope, situation)
        return replace(window, extension=_after_cut(window)) if _was_cut(window, registration, situation) else window
    start, began = _start(registration, approved_at, situation)
    window = extend(_first(start, began, length, rule, situation), scope, situation)
    window = _capped(window, registration, approved_at, situation)
    if terms.keepalive is None:
        return window
    activity = partner_activity(registration, deal, account_id, situation, terms.keepalive.touches)
    return _kept_alive(window, terms.keepalive.every, activity, situation)


def _start(registration: Registration, approved_at: datetime, situation: Situation) -> tuple[date, str]:
    wanted = situation.policy.model.registration.start
    own: datetime | None = None if wanted == "approved_at" else getattr(registration, wanted)
    start = situation.timeline.day_of(own or approved_at)
    happened = _STARTED_BY[wanted if own or wanted == "submitted_at" else "approved_at"]
    return start, f"starts on {start}, the day {happened}"


def _first(start: date, began: str, length: Length | None, rule: Rule, situation: Situation) -> Window:
    if length is None:
        return Window(start, None, None, "none", rule, (began, "has no end"))
    end = add_length(start, length)
    if not situation.policy.model.registration.end_inclusive:
        end = add_days(end, -1)
    trace = (began, f"runs for {length_text(length)}, to the end of {end} in {situation.policy.zone.key}")
    return Window(start, end, situation.timeline.end_of(end), "none", rule, trace)


def _length(scope: Scope, situation: Situation) -> tuple[Length | None, Rule]:
    policy = situation.policy
    terms = policy.model.registration
    for at, entry in enumerate(terms.length_by):
        if situation.holds(policy.expression("registration", "length_by", at, "when"), scope):
            return entry.length, policy.rule("registration", "length_by", at, "length", "value")
    return terms.length, policy.rule("registration", "length", "value")


def _recorded(registration: Registration, situation: Situation, rule: Rule) -> Window:
    start, end = registration.protection_start, registration.protection_end
    assert start  # noqa: S101 - the caller has looked
    trace = (f"from {start} to the end of {end or 'time'}, as recorded: the registration is history",)
    return Window(start, end, situation.timeline.end_of(end) if end else None, "none", rule, trace)


# ---------------------------------------------------------------- extensions


def extend(window: Window, scope: Scope, situation: Situation) -> Window:
    """The window with what was granted, and what is still asked for."""
    registration = scope.registration
    granted_at, requested_at = registration.extension_granted_at, registration.extension_requested_at
    if (granted_at is None and requested_at is None) or window.end is None:
        return window
    if not situation.holds(situation.policy.expression("extension", "when"), scope):
        return window
    if granted_at is None or not _asks_again(registration):
        return _decide(window, requested_at or granted_at, granted_at, max(_count(registration), 1), situation)
    extended = _decide(window, None, granted_at, _count(registration), situation)
    if extended.extension != "granted":
        return extended
    if _count(registration) >= situation.policy.model.extension.max_count:
        rule = situation.policy.rule("extension", "max_count")
        return _with(extended, "limit", rule, "no further extension is allowed")
    return _decide(extended, requested_at, None, 1, situation)


def _count(registration: Registration) -> int:
    return max(registration.extension_count or 1, 1)


def _asks_again(registration: Registration) -> bool:
    """Whether an extension was asked for after the last one had been granted; only counted ones can be."""
    requested_at, granted_at = registration.extension_requested_at, registration.extension_granted_at
    counted = registration.extension_count is not None
    return counted and bool(requested_at and granted_at and requested_at > granted_at)


def _decide(
    window: Window, requested_at: datetime | None, granted_at: datetime | None, count: int, situation: Situation
) -> Window:
    """What becomes of one request, or of ``count`` extensions that were granted."""
    policy, timeline = situation.policy, situation.timeline
    terms, end, expires_at = policy.model.extension, window.end, window.expires_at
    if end is None or expires_at is None:
        return window
    if terms.max_count == 0:
        return _with(window, "limit", policy.rule("extension", "max_count"), "no extension is allowed")
    latest = _latest_request(window.start, end, situation)
    if requested_at and latest and requested_at >= latest:
        shown = timeline.shown(requested_at)
        return _with(window, "late", policy.rule("extension", "request_by"), f"extension asked for too late, {shown}")
    if terms.decide_by == "end" and count == 1:
        lapsed = granted_at >= expires_at if granted_at else timeline.passed(expires_at)
        if lapsed:
            return _with(window, "late", policy.rule("extension", "decide_by"), "the extension was not granted in time")
    if granted_at is None or not timeline.passed(granted_at):
        shown = timeline.shown(requested_at or expires_at)
        asked = f"an extension was asked for on {shown} and is not decided"
        return _with(window, "pending", policy.rule("extension", "request_by"), asked)
    return _granted(window, end, granted_at, min(count, terms.max_count), situation)


def _granted(window: Window, end: date, granted_at: datetime, count: int, situation: Situation) -> Window:
    terms, rule = situation.policy.model.extension, situation.policy.rule("extension", "length", "value")
    times, base = (1, situation.timeline.day_of(granted_at)) if terms.from_ == "decided_at" else (count, end)
    whole = Length(value=terms.length.value * times, unit=terms.length.unit)
    new_end = max(add_length(base, whole), end)
    trace = (*window.trace, f"extended by {length_text(whole)}, to the end of {new_end}")
    return Window(window.start, new_end, situation.timeline.end_of(new_end), "granted", rule, trace)


def _latest_request(start: date, end: date, situation: Situation) -> datetime | None:
    """The first instant at which it is too late to ask."""
    request_by = situation.policy.model.extension.request_by
    if request_by == "after_ok":
        return None
    if request_by.startswith("start+"):
        return situation.timeline.end_of(add_days(start, int(request_by.removeprefix("start+").removesuffix("d"))))
    days = int(request_by.removeprefix("end-").removesuffix("d")) if request_by != "end" else 0
    return situation.timeline.end_of(add_days(end, -days))


def _with(window: Window, extension: ExtensionStatus, rule: Rule, line: str) -> Window:
    shown = rule if extension in ("late", "limit") else window.rule
    return replace(window, extension=extension, rule=shown, trace=(*window.trace, line))


# ---------------------------------------------------------------- what cuts it short


def _capped(window: Window, registration: Registration, approved_at: datetime, situation: Situation) -> Window:
    """Whatever was extended: not beyond the hard cap."""
    cap = situation.policy.model.registration.hard_cap
    if cap is None:
        return window
    last = _last_allowed(registration, approved_at, cap, situation)
    if window.end is not None and window.end <= last:
        return window
    line = f"cut to the end of {last}: at most {length_text(cap)}"
    return _cut(window, last, situation.policy.rule("registration", "hard_cap"), line, situation)


def _last_allowed(registration: Registration, approved_at: datetime, cap: HardCap, situation: Situation) -> date:
    since = (registration.submitted_at or approved_at) if cap.from_ == "submitted_at" else approved_at
    return add_length(situation.timeline.day_of(since), cap)


def _kept_alive(window: Window, every: Length, activity: list[datetime], situation: Situation) -> Window:
    """Without activity for too long it has ended on the last day that the last activity gave it."""
    last = add_length(window.start, every)
    for at in activity:
        day = situation.timeline.day_of(at)
        if day > last:
            break
        last = max(last, add_length(day, every))
    if (window.end is not None and window.end <= last) or not situation.timeline.over(last):
        return window
    line = f"ended on {last}: no activity of the partner for {length_text(every)}"
    return _cut(window, last, situation.policy.rule("registration", "keepalive"), line, situation)


def _cut(window: Window, last: date, rule: Rule, line: str, situation: Situation) -> Window:
    trace = (*window.trace, line)
    return Window(window.start, last, situation.timeline.end_of(last), _after_cut(window), rule, trace)


def _after_cut(window: Window) -> ExtensionStatus:
    """What was asked for is of no use any more, in time or not."""
    return "none" if window.extension in ("pending", "late") else window.extension


def _was_cut(window: Window, registration: Registration, situation: Situation) -> bool:
    """Whether a recorded window may have ended before its time: then its request was answered by that."""
    terms = situation.policy.model.registration
    if terms.keepalive is not None or terms.hard_cap is None or window.end is None:
        return terms.keepalive is not None
    approved_at = registration.approved_at or registration.decided_at
    last = _last_allowed(registration, approved_at, terms.hard_cap, situation) if approved_at else None
    return last is not None and window.end >= last


# ---------------------------------------------------------------- how it stands


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
