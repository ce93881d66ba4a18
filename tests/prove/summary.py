"""The count of cases and violations at the end of a test run, whoever gathers the results."""

from __future__ import annotations

from collections import Counter
from typing import Any


def terminal_summary(reporter: Any) -> None:
    played: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for reports in reporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "prove" and getattr(report, "when", "") == "call":
                    for fault, (cases, bad) in value.items():
                        played[fault] += cases
                        broken[fault] += bad
    if played:
        reporter.section("proof")
        text = f"{sum(played.values())} cases of {len(played)} faults, {sum(broken.values())} with violations"
        reporter.write_line(f"{text}{': ' + ', '.join(sorted(f for f in broken if broken[f])) if +broken else ''}")
