"""The small world over real HTTP, and other people's clients on it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
import requests
from hubspot import HubSpot
from simple_salesforce import Salesforce

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN, SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET
from tests.sandbox.salesforce.conftest import LoopbackSession

DEAL, ACCOUNT = "01FNZW2T", "acc-bubba-gump"
"""Records that the small world has in both CRMs."""
HUBSPOT_HEADERS = {"Authorization": f"Bearer {HUBSPOT_TOKEN}"}


@pytest.fixture(scope="module")
def small_world() -> Iterator[Sandbox]:
    with Sandbox(world="small") as running:
        yield running


@pytest.fixture
def box(small_world: Sandbox) -> Iterator[Sandbox]:
    """Shared by the tests of a module; whatever was broken is mended after each."""
    yield small_world
    small_world.faults.clear()
    small_world.clock.reset()


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def salesforce(box: Sandbox) -> Iterator[Salesforce]:
    """simple-salesforce as it comes from the registry, signed in by client credentials."""
    with LoopbackSession(box.url) as session:
        yield Salesforce(
            consumer_key=SALESFORCE_CLIENT_ID,
            consumer_secret=SALESFORCE_CLIENT_SECRET,
            domain="sandbox.my",
            session=session,
        )


@pytest.fixture
def hubspot(box: Sandbox) -> Iterator[HubSpot]:
    """hubspot-api-client as it comes from the registry; only the host is ours."""
    yield HubSpot(access_token=HUBSPOT_TOKEN, host=box.url)
    gc.collect()  # it leaves its connection pools to the collector


@pytest.fixture
def opportunity(box: Sandbox) -> str:
    """The Salesforce id of :data:`DEAL`."""
    return str(box.salesforce.rows("Opportunity", '"Legacy_Id__c" = ?', (DEAL,))[0]["Id"])


@pytest.fixture
def hubspot_deal(box: Sandbox) -> str:
    """The HubSpot id of :data:`DEAL`."""
    return next(row["hs_object_id"] for row in box.hubspot.rows("deals") if row["legacy_id"] == DEAL)
