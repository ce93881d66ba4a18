"""What is told about a scenario, as text: for sellers, and for those who ask why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from crmsync.cases import Result
from crmsync.cases.compare import shown
from crmsync.rules import Decision, FieldDecision

SELLER = {"deal": ("attribution_reason", "next_action"), "registration": ("next_action",)}
"""Sentences that sellers read in the CRM."""
ASKED = {
    "deal": ("attribution", "protection_end", "conflict_status", "incumbent_partner", "influencing_partners"),
    "registration": ("account_id", "state", "protection_end", "sla_due_at", "conflict_status"),
}
"""Fields about which people ask why."""


def explained(result: Result) -> str:
    """One scenario: the instants, each record's sentences and reasons, each finding."""
    lines = [f"# {result.scenario.name}"]
    for at, decision in result.decisions:
        lines += ["", f"{shown(at)}", *_records(decision), *_findings(decision)]
    return "\n".join(lines) + "\n"


def _records(decision: Decision) -> Iterator[str]:
    rows = {(row.kind, row.id, row.field): row for row in decision.fields}
    for kind, record_id in sorted({(row.kind, row.id) for row in decision.fields if row.kind in ASKED}):
        yield f"  {kind} {record_id}"
        for name in SELLER[kind]:
            row = rows.get((kind, record_id, name))
            if row is not None and row.value:
                yield f"    {name}: {row.value}"
        for name in ASKED[kind]:
            row = rows.get((kind, record_id, name))
            if row is not None and (row.value or row.trace):
                yield from _why(row)


def _why(row: FieldDecision) -> Iterator[str]:
    evidence = f" ({', '.join(row.evidence)})" if row.evidence else ""
    yield f"    {row.field} = {shown(row.value)}: {row.reason} [{row.code}, {row.rule.name}]{evidence}"
    yield from (f"      - {line}" for line in row.trace)


def _findings(decision: Decision) -> Iterator[str]:
    for finding in decision.findings:
        place = f"{finding.severity} {finding.code} {finding.kind} {finding.id}"
        yield f"  {place}: {finding.message} [{finding.rule.name}]"
        if finding.task:
            due = shown(finding.task.due_at) if isinstance(finding.task.due_at, datetime) else "–"
            yield f"    to-do: {finding.task.subject} due {due}"
