from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from crmsync.sandbox.clock import SandboxClock
from crmsync.sandbox.hubspot.portal import HubSpotPortal
from crmsync.sandbox.salesforce.org import SalesforceOrg
from crmsync.sandbox.world import load_world

NOW = datetime(2026, 3, 9, 15, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def small() -> Iterator[tuple[SalesforceOrg, HubSpotPortal]]:
    """Both CRMs with the small world; to be read only."""
    org, portal = SalesforceOrg(":memory:", SandboxClock()), HubSpotPortal(":memory:", SandboxClock())
    load_world("small", org, portal, NOW)
    yield org, portal
    org.close()
    portal.close()


@pytest.fixture(scope="session")
def salesforce(small: tuple[SalesforceOrg, HubSpotPortal]) -> SalesforceOrg:
    return small[0]


@pytest.fixture(scope="session")
def hubspot(small: tuple[SalesforceOrg, HubSpotPortal]) -> HubSpotPortal:
    return small[1]
