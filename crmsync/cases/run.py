"""Run scenarios: build the facts, decide, compare; in a sequence, go on from what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from crmsync.cases.compare import Failure, Seen, compare
from crmsync.cases.documents import merged
from crmsync.cases.likenesses import likenesses_of
from crmsync.cases.load import Rows, Scenario, Step
from crmsync.cases.model import RECORDS
from crmsync.cases.modes import ModeOf, is_written, starter_mode
from crmsync.records import KINDS, Link, Record
from crmsync.rules import Decision, Facts, Policy, decide
from crmsync.rules.metrics import Metrics

__all__ = ["Failure", "Result", "build_facts", "run_scenario"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a scenario."""

    scenario: Scenario
    failures: tuple[Failure, ...]
    decisions: tuple[tuple[datetime, Decision], ...] = field(repr=False)
    """One per step."""

    @property
    def passed(self) -> bool:
        return not self.failures


def run_scenario(scenario: Scenario, mode_of: ModeOf = starter_mode) -> Result:
    """Decide every step and compare. ``mode_of`` says which decided fields a sequence writes back."""
    failures: list[Failure] = []
    decisions: list[tuple[datetime, Decision]] = []
    rows = scenario.given
    before: frozenset[str] = frozenset()
    for step in scenario.steps:
        here = _changed(rows, step, scenario.defaults)
        facts = build_facts(here, scenario.policy)
        decision = decide(facts, scenario.policy, step.at)
        seen = Seen(decision, before, partial(_measure, facts, decision, scenario.policy, step.at))
        failures += compare(step, seen)
        decisions.append((step.at, decision))
        if scenario.is_sequence:
            rows, before = _written_back(here, decision, mode_of), seen.names
    return Result(scenario, tuple(failures), tuple(decisions))


def _measure(facts: Facts, decision: Decision, policy: Policy, at: datetime) -> Mapping[str, Any]:
    metrics = Metrics(policy, at)
    metrics.add(facts, decision)
    return metrics.all.values()


def build_facts(rows: Rows, policy: Policy) -> Facts:
    """Canonical records out of rows; ``None`` in place of a row is no record."""
    records = {kind: tuple(_records(kind, rows.get(kind, {}))) for kind in RECORDS}
    listed: dict[str, Any] = {plural: records[kind] for kind, plural in _LISTED.items()}
    facts = Facts(
        **listed,
        links=tuple(Link(**row) for row in rows.get("links") or ()),
        partners={record.id: record for record in records["partner"]},  # type: ignore[misc]
        users={record.id: record for record in records["user"]},  # type: ignore[misc]
        merged=rows.get("merged") or {},
        open_registrations=rows.get("open_registrations") or {},
    )
    return replace(facts, likenesses=likenesses_of(facts, rows.get("likenesses") or (), policy))


_LISTED = {
    "account": "accounts",
    "contact": "contacts",
    "deal": "deals",
    "registration": "registrations",
    "touch": "touches",
    "certification": "certifications",
}


def _records(kind: str, rows: Mapping[str, Mapping[str, Any] | None]) -> Iterator[Record]:
    for record_id, row in sorted(rows.items()):
        if row is not None:
            given = {name: value for name, value in row.items() if value is not None or name not in _NEVER_NONE}
            yield KINDS[kind](id=record_id, **given)


_NEVER_NONE = frozenset({"domain_aliases", "flags", "partner_flags", "products", "influencing_partners", "extra"})


def _changed(rows: Rows, step: Step, defaults: Rows) -> Rows:
    """The records of a step; those that it adds get the defaults of their kind."""
    changes = dict(step.changes)
    for kind in RECORDS.keys() & changes.keys():
        changes[kind] = {i: _with_defaults(rows, defaults, kind, i, row) for i, row in changes[kind].items()}
    return merged(rows, changes)  # type: ignore[no-any-return]


def _with_defaults(rows: Rows, defaults: Rows, kind: str, record_id: str, row: Any) -> Any:
    is_new = row is not None and rows.get(kind, {}).get(record_id) is None
    return merged(defaults.get(kind, {}), row) if is_new else row


def _written_back(rows: Rows, decision: Decision, mode_of: ModeOf) -> Rows:
    """The records as the CRM holds them once everything decided is written."""
    after = deepcopy({kind: dict(given) if kind in RECORDS else given for kind, given in rows.items()})
    for decided in _storable(decision):
        row = after.get(decided.kind, {}).get(decided.id)
        if row is not None and is_written(mode_of(decided.kind, decided.field), row.get(decided.field)):
            after[decided.kind][decided.id] = {**row, decided.field: decided.value}
    return after


def _storable(decision: Decision) -> Iterable[Any]:
    return (row for row in decision.fields if row.kind in RECORDS and row.field in _fields(row.kind))


def _fields(kind: str) -> frozenset[str]:
    return frozenset(KINDS[kind].__dataclass_fields__)
