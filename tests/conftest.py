"""What holds for every test: hypothesis without a stopwatch, and the conformance table at the end.

The table is printed by whoever gathers the results; with xdist that is not who collects the tests.
``HYPOTHESIS_PROFILE=nightly pytest tests/rules`` makes a thousand worlds instead of a hundred. A failure prints the
``@reproduce_failure`` line that repeats it, and ``pytest --hypothesis-seed=N`` repeats a whole run.
``pytest tests/cases --update-snapshots`` writes anew what is kept of every scenario's explanation: read the difference.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings

from tests.prove import summary as proof
from tests.sandbox.conformance import summary as conformance


def pytest_addoption(parser: Any) -> None:
    parser.addoption("--update-snapshots", action="store_true", help="write the kept explanations of scenarios anew")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    conformance.pytest_terminal_summary(terminalreporter)
    proof.terminal_summary(terminalreporter)


_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("normal", max_examples=100, deadline=None, print_blob=True, suppress_health_check=_SLOW)
settings.register_profile("nightly", max_examples=1000, deadline=None, print_blob=True, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "normal"))
