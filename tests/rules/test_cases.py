"""Runs every scenario of tests/cases: what the rules must decide in the situations that the field argues about."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmsync.cases import CaseSettings, Scenario, failure_lines, load_cases, run_scenario
from crmsync.starter import starter_dir

CASES = Path(__file__).parents[1] / "cases"
SCENARIOS = load_cases([CASES], CaseSettings(starter_dir() / "policies" / "baseline.yaml"))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[f"{Path(s.span.path).stem}: {s.name}" for s in SCENARIOS])
def test_scenario(scenario: Scenario) -> None:
    result = run_scenario(scenario)
    assert result.passed, "\n".join(failure_lines(result))
