"""What sellers read in the CRM, over every scenario: short, whole sentences, and no partner's name."""

from pathlib import Path

import pytest

from crmsync.cases import CaseSettings, Scenario, load_cases, run_scenario
from crmsync.starter import starter_dir

SCENARIOS = load_cases([Path(__file__).parent], CaseSettings(starter_dir() / "policies" / "baseline.yaml"))
TOLD = ("attribution_reason", "next_action")
LONGEST = 255


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[f"{Path(s.span.path).stem}: {s.name}" for s in SCENARIOS])
def test_what_sellers_read(scenario: Scenario) -> None:
    partners = [row["name"] for row in scenario.given["partner"].values() if row and row.get("name")]
    for _, decision in run_scenario(scenario).decisions:
        for row in decision.fields:
            assert row.reason.endswith((".", "!", "?", "…")), row
            assert row.rule.name, row
            if row.field in TOLD and row.value:
                text = str(row.value)
                assert len(text) <= LONGEST
                assert [name for name in partners if name in text] == [], text
