"""Collects findings, and the tasks that the policy asks for with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time

from crmsync.rules.codes import FLAGS
from crmsync.rules.decision import Detail, Finding, Rule, TaskRequest
from crmsync.rules.policy import Policy
from crmsync.rules.policy.model import TaskRule
from crmsync.rules.reasons import NEXT_ACTIONS, clip
from crmsync.rules.timeline import Timeline, add_days

Addressee = Callable[[str, str, str], str | None]
"""``(to, kind, id)``: the user who gets a task about that record."""

_END_OF_WORK = time(17)


class Findings:
    """What was found so far, without repetition."""

    def __init__(self, policy: Policy, timeline: Timeline, addressee: Addressee) -> None:
        self._policy = policy
        self._timeline = timeline
        self._addressee = addressee
        self._found: dict[tuple[str, str, str, str], Finding] = {}
        self._codes: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._on: dict[tuple[str, str], list[Finding]] = defaultdict(list)

    def add(
        self,
        code: str,
        kind: str,
        record_id: str,
        message: str,
        rule: Rule,
        *,
        subject: str = "",
        evidence: Sequence[str] = (),
        severity: str = "",
        task: TaskRule | None = None,
        occasion: str = "",
        overrule: TaskRule | None = None,
        detail: Detail | None = None,
    ) -> None:
        """Note a finding. ``task`` asks for a to-do whatever the policy says; ``overrule``
        says how, whatever the policy says; ``occasion`` tells repeats apart."""
        level = self._policy.model.findings.get(code)
        if level == "off" or (code, kind, record_id, subject) in self._found:
            return
        asked = overrule or self._policy.model.tasks.get(code) or task
        request = self._task(code, kind, record_id, message, f"{subject}:{occasion}", asked)
        self._codes[kind, record_id].add(code)
        finding = Finding(
            code=code,
            severity=level or severity or FLAGS[code][0],
            kind=kind,
            id=record_id,
            message=message,
            rule=rule,
            subject=subject,
            evidence=tuple(evidence),
            task=request,
            detail=detail,
        )
        self._found[code, kind, record_id, subject] = finding
        self._on[kind, record_id].append(finding)

    def codes(self, kind: str, record_id: str) -> tuple[str, ...]:
        """The codes on one record, sorted: its flags."""
        return tuple(sorted(self._codes.get((kind, record_id), ())))

    def first_action(self, kind: str, record_id: str) -> str | None:
        """What to do first about the record."""
        codes = self._codes.get((kind, record_id), ())
        return next((text for code, text in NEXT_ACTIONS.items() if code in codes), None) if codes else None

    def rule_of(self, kind: str, record_id: str) -> Rule | None:
        """The rule behind the most urgent finding on the record."""
        found = self._on.get((kind, record_id))
        if not found:
            return None
        order = list(NEXT_ACTIONS)
        ranked = sorted(
            found, key=lambda f: (order.index(f.code) if f.code in order else len(order), f.code, f.subject)
        )
        return ranked[0].rule

    def messages(self, kind: str, record_id: str) -> tuple[str, ...]:
        """What was found on the record, a line each."""
        return tuple(sorted(f"{f.code}: {f.message}" for f in self._on.get((kind, record_id), ())))

    def on(self, kind: str, record_id: str) -> Sequence[Finding]:
        """What was found on one record."""
        return self._on.get((kind, record_id), ())

    def all(self) -> tuple[Finding, ...]:
        return tuple(self._found[key] for key in sorted(self._found))

    def _task(
        self, code: str, kind: str, record_id: str, message: str, occasion: str, asked: TaskRule | None
    ) -> TaskRequest | None:
        if asked is None:
            return None
        today = self._timeline.day_of(self._timeline.now)
        due = datetime.combine(add_days(today, asked.due_in_days), _END_OF_WORK, self._timeline.zone)
        return TaskRequest(
            key=":".join(part for part in (code, kind, record_id, *occasion.split(":")) if part),
            subject=clip(NEXT_ACTIONS.get(code, FLAGS[code][1])),
            body=message,
            owner_id=self._addressee(asked.to, kind, record_id),
            due_at=due.astimezone(UTC),
        )
