"""One empty portal per test, and a connector that is closed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crmsync.connectors.base import ConnectionSettings
from crmsync.connectors.hubspot.connector import HubSpotConnector
from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN
from crmsync.sandbox.hubspot.portal import HubSpotPortal


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(world="blank") as box:
        yield box


@pytest.fixture
def fail(box: Sandbox) -> Callable[..., None]:
    """Let the next matching request to HubSpot go wrong."""

    def _fail(kind: str, **more: Any) -> None:
        box.faults.add(system="hubspot", kind=kind, **more)

    return _fail


@pytest.fixture
def portal(box: Sandbox) -> HubSpotPortal:
    return box.hubspot


@pytest.fixture
def connect(box: Sandbox) -> Iterator[Callable[..., HubSpotConnector]]:
    opened: list[HubSpotConnector] = []

    def _connect(api_version: str = "", **secrets: str) -> HubSpotConnector:
        given = secrets or {"token": HUBSPOT_TOKEN}
        settings = ConnectionSettings("test", "hubspot", box.url, secrets=given, api_version=api_version)
        opened.append(HubSpotConnector(settings))
        return opened[-1]

    yield _connect
    for connector in opened:
        connector.close()


@pytest.fixture
def hubspot(connect: Callable[..., HubSpotConnector]) -> HubSpotConnector:
    return connect()
