"""Policies that changed over time: each deal and registration is judged by the version in force when it came in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, time
from typing import Any

from crmsync.records import Deal, Registration
from crmsync.rules.decision import Decision, Facts, FieldDecision
from crmsync.rules.policy import Policy

DecideOne = Callable[[Facts, Policy, datetime], Decision]

_ROUNDS = 6
"""Versions may wait for each other's answers; more often than this they never did."""

_LISTS: Mapping[str, str] = {
    "account": "accounts",
    "contact": "contacts",
    "deal": "deals",
    "registration": "registrations",
}


def decide_by_versions(facts: Facts, policy: Policy, now: datetime, decide_one: DecideOne) -> Decision:
    """Every version decides its own records, seeing what the others decided, until nobody changes anything."""
    anchors = _Anchors(facts, policy, now)
    known: dict[tuple[str, str, str], FieldDecision] = {}
    runs: dict[str, Decision] = {}
    for _ in range(_ROUNDS):
        runs = {version.fingerprint: decide_one(facts, version, now) for version in anchors.in_use()}
        mine = [f for key, run in runs.items() for f in run.fields if anchors.version_of(f.kind, f.id) == key]
        after = apply_fields(facts, mine)
        for field in mine:
            place = (field.kind, field.id, field.field)
            if place not in known or known[place].value != field.value:
                known[place] = field
        if after == facts:
            break
        facts = after
    findings = [f for key, run in runs.items() for f in run.findings if anchors.version_of(f.kind, f.id) == key]
    credits_ = [c for key, run in runs.items() for c in run.credits if anchors.version_of("deal", c.deal_id) == key]
    due = [run.next_due_at for run in runs.values() if run.next_due_at]
    return Decision(
        tuple(known[place] for place in sorted(known)),
        tuple(sorted(findings, key=lambda f: (f.code, f.kind, f.id, f.subject))),
        min([*due, *anchors.next_starts], default=None),
        tuple(sorted(credits_, key=lambda c: (c.deal_id, c.measure, c.partner_id))),
    )


def apply_fields(facts: Facts, decided: Sequence[FieldDecision]) -> Facts:
    """The facts once these values are written."""
    values: dict[tuple[str, str], dict[str, Any]] = {}
    for field in decided:
        values.setdefault((field.kind, field.id), {})[field.field] = field.value
    changed: dict[str, Any] = {
        name: tuple(_written(record, values.get((kind, record.id))) for record in getattr(facts, name))
        for kind, name in _LISTS.items()
    }
    partners = {i: _written(partner, values.get(("partner", i))) for i, partner in facts.partners.items()}
    return replace(facts, **changed, partners=partners)


def _written(record: Any, values: Mapping[str, Any] | None) -> Any:
    names = {f.name for f in fields(record)} if values else ()
    return replace(record, **{n: v for n, v in (values or {}).items() if n in names}) if values else record


class _Anchors:
    """Which version each record belongs to: by the day on which it came in, all others by today."""

    def __init__(self, facts: Facts, policy: Policy, now: datetime) -> None:
        self._versions = policy.versions
        self._zone = policy.zone
        self._of: dict[tuple[str, str], Policy] = {}
        self._today = self._at(now)
        for deal in facts.deals:
            self._of["deal", deal.id] = self._at(_anchor(deal) or now)
        for registration in facts.registrations:
            self._of["registration", registration.id] = self._at(_anchor(registration) or now)
        starts = (self._start(version) for version in self._versions)
        self.next_starts = [start for start in starts if start > now]

    def in_use(self) -> list[Policy]:
        """The versions that have something to say here, the oldest first."""
        used = {version.fingerprint for version in (*self._of.values(), self._today)}
        return [version for version in self._versions if version.fingerprint in used]

    def version_of(self, kind: str, record_id: str) -> str:
        return self._of.get((kind, record_id), self._today).fingerprint

    def _at(self, at: datetime) -> Policy:
        """The version in force; before the first one, that."""
        started = [version for version in self._versions if self._start(version) <= at]
        return started[-1] if started else self._versions[0]

    def _start(self, version: Policy) -> datetime:
        day = version.model.effective_from or date(1, 1, 2)
        if day.year < 1900:
            return datetime.combine(day, time(), UTC)
        return datetime.combine(day, time(), self._zone).astimezone(UTC)


def _anchor(record: Deal | Registration) -> datetime | None:
    if isinstance(record, Deal):
        return record.created_at
    return record.submitted_at or record.approved_at
