"""A sandbox for other people's tests: ``pytest_plugins = ["crmsync.sandbox.pytest_plugin"]`` in a conftest.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from crmsync.sandbox.server import Sandbox

DEFAULT_WORLD = "blank"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "crm_sandbox_world", "What the crm_sandbox fixture holds: demo, small or blank.", default=DEFAULT_WORLD
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "crm_sandbox(world): what the crm_sandbox fixture of this test holds")


@pytest.fixture
def crm_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A Salesforce org and a HubSpot portal of this test's own, on a free port; gone when the test ends."""
    from crmsync.sandbox.server import Sandbox

    marker = request.node.get_closest_marker("crm_sandbox")
    world = marker.kwargs.get("world") if marker else None
    with Sandbox(world=str(world or request.config.getini("crm_sandbox_world"))) as box:
        yield box
