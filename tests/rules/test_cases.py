"""Runs every case of tests/cases: what the rules must decide in the situations that the field argues about."""

from __future__ import annotations

from typing import Any

import pytest

from crmsync.rules import Decision
from tests.rules.casefile import Moment, decide_moment, instant, parse_value, read_cases

MOMENTS = list(read_cases())


@pytest.mark.parametrize("moment", MOMENTS, ids=[m.name for m in MOMENTS])
def test_case(moment: Moment) -> None:
    decision = decide_moment(moment)
    complaints = [line for key, wanted in moment.expect.items() for line in _check(key, wanted, decision)]
    assert not complaints, "\n".join([moment.name, *complaints, "", *_found(decision)])


def _check(key: str, wanted: Any, decision: Decision) -> list[str]:
    if key == "findings":
        found = sorted({f"{f.code} {f.kind} {f.id}" for f in decision.findings})
        return [] if found == sorted(wanted) else [f"findings: wanted {sorted(wanted)}, found {found}"]
    if key == "next_due":
        found = decision.next_due_at
        return [] if found == instant(wanted) else [f"next_due: wanted {wanted}, found {found}"]
    if key == "tasks":
        found = sorted(f.task.key for f in decision.findings if f.task)
        return [] if found == sorted(wanted) else [f"tasks: wanted {sorted(wanted)}, found {found}"]
    kind, _, record_id = key.partition(" ")
    return [line for name, value in wanted.items() for line in _check_field(kind, record_id, name, value, decision)]


def _check_field(kind: str, record_id: str, name: str, wanted: Any, decision: Decision) -> list[str]:
    field_name, _, aspect = name.partition(".")
    found = next((d for d in decision.fields if (d.kind, d.id, d.field) == (kind, record_id, field_name)), None)
    if aspect:
        told = getattr(found, aspect, None)
        told, told_wanted = (list(told), wanted) if isinstance(told, tuple) else (told, wanted)
        return [] if told == told_wanted else [f"{kind} {record_id} {name}: wanted {wanted!r}, found {told!r}"]
    value = found.value if found else None
    expected = parse_value(kind, field_name, wanted)
    same = value == expected or (not value and not expected)
    return [] if same else [f"{kind} {record_id} {name}: wanted {expected!r}, found {value!r}"]


def _found(decision: Decision) -> list[str]:
    findings = [f"  {f.code} on {f.kind} {f.id}: {f.message} ({f.rule.name})" for f in decision.findings]
    fields = [f"  {d.kind} {d.id} {d.field} = {d.value!r}: {d.reason}" for d in decision.fields if d.value]
    return ["what was found:", *findings, "what was decided:", *fields, f"next due: {decision.next_due_at}"]
