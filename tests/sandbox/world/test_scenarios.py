"""Every scenario is built, stands on its own accounts, and is listed in docs/demo-world.md."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from crmsync.sandbox.world.dates import Calendar
from crmsync.sandbox.world.scenarios import SCENARIOS, Bench, build_scenarios

DOC = Path(__file__).parents[3] / "docs" / "demo-world.md"
COVERED = [1, 3, 4, 6, 7, 9, 11, 12, 15, 20, 22, 24, 26, 28, 30, 32, 34, 35, 37, 38, 39, 41, 43, 45, 46, 48, 52, 53, 58]
BENCHES = list(build_scenarios(Calendar(date(2026, 3, 9))))


def records(bench: Bench):
    return (*bench.accounts, *bench.deals, *bench.registrations, *bench.touches)


@pytest.mark.parametrize("number", COVERED)
def test_the_situation_is_there(number: int):
    assert str(number) in SCENARIOS


@pytest.mark.parametrize("bench", BENCHES, ids=lambda bench: bench.code)
def test_a_scenario_touches_no_other(bench: Bench):
    own = {account.key for account in bench.accounts}
    assert all(record.key.startswith(f"SCN-{bench.code}-") for record in records(bench))
    assert {deal.account for deal in bench.deals} <= own
    assert {r.account for r in bench.registrations} - {None} <= own
    assert {r.deal for r in bench.registrations} - {None} <= {deal.key for deal in bench.deals}


def test_keys_and_names_are_unique():
    keys = [record.key for bench in BENCHES for record in records(bench)]
    assert len(keys) == len(set(keys))
    names = [account.name for bench in BENCHES for account in bench.accounts]
    assert len(names) == len(set(names))


def test_the_page_lists_every_scenario():
    page = DOC.read_text(encoding="utf-8")
    assert [
        code for code, scenario in SCENARIOS.items() if f"`SCN-{code}`" not in page or scenario.shows not in page
    ] == []
