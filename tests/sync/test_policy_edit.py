"""An admin changes one number in the policy and sees, before anything is written, exactly what it moves."""

from __future__ import annotations

import re

import pytest

from crmsync.errors import ConfigError, GuardError
from crmsync.sync.cycle import make_plan, sync
from tests.sync.conftest import SYSTEMS, Bench

POLICY = "policies/baseline.yaml"


def line_of(bench: Bench, pattern: str) -> int:
    lines = (bench.directory / POLICY).read_text().splitlines()
    return next(n for n, line in enumerate(lines, 1) if re.search(pattern, line))


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_longer_protection_moves_exactly_the_end_dates(synced: Bench, system: str) -> None:
    length, extension = line_of(synced, "length:.*value: 90"), line_of(synced, "length:.*value: 30")
    synced.edit_yaml(POLICY, "value: 90", "value: 100")
    with synced.session(system) as session:
        plan, _ = make_plan(session)
    places = []
    for change in plan.changes:
        if change.kind == "task":  # a later end asks for its reminder anew
            continue
        moved = next(field for field in change.fields if field.field == "protection_end")
        assert moved.old != moved.new
        places.append(int(moved.where.rpartition(":")[2]))
    assert set(places) <= {length, extension}, "an extended window ends by the extension's rule"
    assert places.count(length) > 10


def test_a_guard_stops_a_run_before_the_first_write(synced: Bench) -> None:
    synced.edit_yaml("crmsync.yaml", "max_changes: 2000", "max_changes: 3")
    synced.edit_yaml(POLICY, "value: 90", "value: 100")
    before = synced.writes("salesforce")
    with synced.session("salesforce") as session, pytest.raises(GuardError, match="allows 3") as caught:
        sync(session)
    assert "guards.max_changes" in caught.value.hint
    assert synced.writes("salesforce") == before


@pytest.mark.parametrize(
    ("name", "old", "new", "meant"),
    [
        ("policies/baseline.yaml", "uniqueness:", "uniquness:", "uniqueness"),
        ("mappings/salesforce.yaml", "close_date:", "close_dat:", "close_date"),
        ("mappings/salesforce.yaml", "closed_won", "closed_one", "closed_won"),
    ],
)
def test_a_misspelling_names_file_line_column_and_intent(
    bench: Bench, name: str, old: str, new: str, meant: str
) -> None:
    bench.edit_yaml(name, old, new)
    before = bench.writes("salesforce")
    with pytest.raises(ConfigError) as caught, bench.session("salesforce"):
        pass
    problem = caught.value.diagnostics[0]
    assert problem.span is not None
    assert problem.span.path.endswith(name)
    text = (bench.directory / name).read_text().splitlines()
    assert new.rstrip(":") in text[problem.span.line - 1]
    assert f"did you mean '{meant}'?" in problem.hint
    assert bench.writes("salesforce") == before
