"""The table at the end of a test run. Counts come with the reports of the tests, so it works with xdist too."""

from __future__ import annotations

from typing import Any

from tests.sandbox.conformance.framework import PROPERTY, render_table


def pytest_terminal_summary(terminalreporter: Any) -> None:
    totals: dict[str, dict[str, int]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                _add(totals, report)
    if totals:
        terminalreporter.section("conformance to recordings")
        for line in render_table(totals):
            terminalreporter.write_line(line)


def _add(totals: dict[str, dict[str, int]], report: Any) -> None:
    for name, value in report.user_properties:
        if name == PROPERTY:
            for source, counts in value.items():
                target = totals.setdefault(source, {})
                for key, count in counts.items():
                    target[key] = target.get(key, 0) + count
