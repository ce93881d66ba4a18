"""Expected against decided, statement by statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

from crmsync.cases.expectations import Expectation
from crmsync.cases.load import Step
from crmsync.diagnostics import Span
from crmsync.rules import Decision, FieldDecision, Finding, Rule


@dataclass(frozen=True, slots=True)
class Failure:
    """One statement that does not hold, and what the rules say instead."""

    at: datetime
    span: Span
    what: str
    expected: Any
    got: Any
    reason: str = ""
    rule: Rule | None = None
    trace: tuple[str, ...] = ()


class Seen:
    """A decision as scenarios speak of it."""

    def __init__(self, decision: Decision, before: frozenset[str], metrics: Callable[[], Mapping[str, Any]]) -> None:
        self.decision = decision
        self._metrics = metrics
        self.before = before
        """Findings of the step before."""

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(name_of(finding) for finding in self.decision.findings)

    @cached_property
    def metrics(self) -> Mapping[str, Any]:
        return self._metrics()

    def find(self, name: str) -> list[Finding]:
        """Findings by ``CODE``, ``CODE kind id`` or with their subject."""
        found = self.decision.findings
        exact = [f for f in found if name in (f.code, name_of(f))]
        return exact or [f for f in found if f"{name_of(f)} {f.subject}" == name]

    def field(self, wanted: Expectation) -> FieldDecision | None:
        place = (wanted.kind, wanted.id, wanted.field)
        return next((d for d in self.decision.fields if (d.kind, d.id, d.field) == place), None)


def name_of(finding: Finding) -> str:
    """``DUP_DEAL deal D1``."""
    return f"{finding.code} {finding.kind} {finding.id}"


def compare(step: Step, seen: Seen) -> Iterator[Failure]:
    """Every statement of the step that does not hold."""
    for wanted in step.expectations:
        yield from _CHECKS.get(wanted.about, _field)(step.at, wanted, seen)


def _field(at: datetime, wanted: Expectation, seen: Seen) -> Iterator[Failure]:
    found = seen.field(wanted)
    name = f"{wanted.kind} {wanted.id} {wanted.field}"
    if wanted.aspect:
        got = _aspect(found, wanted.aspect)
        same = _same_aspect(wanted.wanted, got)
        name += f".{wanted.aspect}"
    else:
        got = found.value if found else None
        same = got == wanted.wanted or (not got and not wanted.wanted)
    if same:
        return
    if found is None:
        yield Failure(at, wanted.span, name, wanted.wanted, got, "nothing was decided for this field")
    else:
        yield Failure(at, wanted.span, name, wanted.wanted, got, found.reason, found.rule, found.trace)


def _aspect(found: FieldDecision | None, aspect: str) -> Any:
    if found is None:
        return None
    if aspect == "rule":
        return found.rule.name
    got = getattr(found, aspect)
    return list(got) if isinstance(got, tuple) else got


def _same_aspect(wanted: Any, got: Any) -> bool:
    """A trace is met by lines that occur in it, in their order."""
    if isinstance(wanted, str) and isinstance(got, list):
        return any(wanted in line for line in got)
    return bool(wanted == got)


def _findings(at: datetime, wanted: Expectation, seen: Seen) -> Iterator[Failure]:
    yield from _names(at, wanted, seen, seen.names)


def _opened(at: datetime, wanted: Expectation, seen: Seen) -> Iterator[Failure]:
    yield from _names(at, wanted, seen, seen.names - seen.before)


def _cleared(at: datetime, wanted: Expectation, seen: Seen) -> Iterator[Failure]:
    yield from _names(at, wanted, seen, seen.before - seen.names)


def _names(at: datetime, wanted: Expectation, seen: Seen, got: frozenset[str]) -> Iterator[Failure]:
    """Exactly these: one failure for each that is missing or too many, so that each shows its rule."""
    listed = frozenset(wanted.wanted)
    for name in sorted(listed - got):
        yield Failure(at, wanted.span, f"{wanted.about}: {name}", "there", "missing", _instead(seen, name))
    for name in sorted(got - listed):
        yield _unwanted(at, wanted, name, next(iter(seen.find(name)), None))


def _instead(seen: Seen, name: str) -> str:
    about = [f.code for f in seen.decision.findings if name.endswith(f" {f.kind} {f.id}")]
    return f"found about the record: {', '.join(about)}" if about else "nothing was found about the record"


def _unwanted(at: datetime, wanted: Expectation, name: str, finding: Finding | None) -> Failure:
    what = f"{wanted.about}: {name}"
    if finding is None:
        return Failure(at, wanted.span, what, "not there", "there")
    return Failure(at, wanted.span, what, "not there", "there", finding.message, finding.rule)


def _present(at: datetime, wanted: Expectation, seen: Seen) -> Iterator[Failure]:
    for name in wanted.wanted:
        if not seen.find(name):
            yield Failure(at, wanted.span, f"present: {name}", "there", "missing", _instead(seen, name))


def _absent(at: datetime, wanted: Expectation, seen: Seen) -> Iterator[Failure]:
    for name in wanted.wanted:
        for finding in seen.find(name)[:1]:
            yield _unwanted(at, wanted, name, finding)


def _messages(at: datetime, wanted: Expectation, seen: Seen) -> Iterator[Failure]:
    found = seen.find(wanted.id)
    if not any(wanted.wanted in finding.message for finding in found):
        got = "; ".join(finding.message for finding in found) or "no such finding"
        rule = found[0].rule if found else None
        yield Failure(at, wanted.span, f"message of {wanted.id}", wanted.wanted, got, rule=rule)


def _winner(at: datetime, wanted: Expectation, seen: Seen) -> Iterator[Failure]:
    """Conflicts name who is recommended as their first piece of evidence."""
    conflicts = [
        finding
        for finding in seen.decision.findings
        if finding.code in ("CONFLICT_PARTNER", "CONFLICT_INCUMBENT") and f"{finding.kind} {finding.id}" == wanted.id
    ]
    got = sorted({finding.evidence[0] for finding in conflicts if finding.evidence})
    if got != [wanted.wanted]:
        reason = "; ".join(finding.message for finding in conflicts) or "no conflict was found about the record"
        rule = conflicts[0].rule if conflicts else None
        yield Failure(at, wanted.span, f"winner for {wanted.id}", wanted.wanted, ", ".join(got) or None, reason, rule)


def _tasks(at: datetime, wanted: Expectation, seen: Seen) -> Iterator[Failure]:
    got = sorted(finding.task.key for finding in seen.decision.findings if finding.task)
    if got != sorted(wanted.wanted):
        yield Failure(at, wanted.span, "tasks", sorted(wanted.wanted), got)


def _next_due(at: datetime, wanted: Expectation, seen: Seen) -> Iterator[Failure]:
    got = seen.decision.next_due_at
    if got != wanted.wanted:
        yield Failure(at, wanted.span, "next_due", wanted.wanted, got)


def _metric(at: datetime, wanted: Expectation, seen: Seen) -> Iterator[Failure]:
    got = seen.metrics.get(wanted.id)
    if _as_number(wanted.wanted) != _as_number(got):
        yield Failure(at, wanted.span, f"metric {wanted.id}", wanted.wanted, got)


def _as_number(value: Any) -> Any:
    """Numbers compare as numbers, however they are written; ``2/3`` is written out to four digits."""
    if isinstance(value, Mapping):
        return {key: _as_number(item) for key, item in value.items()}
    try:
        part, _, whole = str(value).partition("/")
        return (Decimal(part) / Decimal(whole or 1)).quantize(Decimal("0.0001"))
    except ArithmeticError:
        return value


_CHECKS = {
    "findings": _findings,
    "present": _present,
    "absent": _absent,
    "opened": _opened,
    "cleared": _cleared,
    "messages": _messages,
    "winner": _winner,
    "tasks": _tasks,
    "next_due": _next_due,
    "metrics": _metric,
}


def shown(value: Any) -> str:
    """A value as the scenario file would write it."""
    if value is None or value == ():
        return "(blank)"
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list | tuple | frozenset):
        return f"[{', '.join(shown(item) for item in value)}]"
    return str(value)
