"""At least one clean instance of each hard situation that the rules cover; docs/demo-world.md lists them."""

from __future__ import annotations

from collections.abc import Iterable

from crmsync.sandbox.world.dates import Calendar
from crmsync.sandbox.world.scenarios import claims, clocks, credit, identity
from crmsync.sandbox.world.scenarios.kit import SCENARIOS, Bench, Scenario

__all__ = ["SCENARIOS", "Bench", "Scenario", "build_scenarios"]

_MODULES = (claims, clocks, credit, identity)
"""Importing a module registers its scenarios."""


def build_scenarios(calendar: Calendar) -> Iterable[Bench]:
    """Every scenario, each on a bench of its own."""
    for scenario in SCENARIOS.values():
        bench = Bench(scenario.code, calendar)
        scenario.build(bench)
        yield bench
