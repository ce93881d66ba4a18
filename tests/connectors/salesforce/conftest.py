from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest

from crmsync.connectors.salesforce.connector import SalesforceConnector
from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET
from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.connectors.scripted import settings

Connect: TypeAlias = Callable[..., SalesforceConnector]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(world="blank") as running:
        yield running


@pytest.fixture
def org(box: Sandbox) -> SalesforceOrg:
    return box.salesforce


@pytest.fixture
def connect(box: Sandbox) -> Iterator[Connect]:
    """Connectors to the sandbox org, with the integration user's client credentials unless a test says otherwise."""
    opened: list[SalesforceConnector] = []

    def open_one(**changes: Any) -> SalesforceConnector:
        given = {"auth": {"client_id": SALESFORCE_CLIENT_ID}, "secrets": {"client_secret": SALESFORCE_CLIENT_SECRET}}
        connector = SalesforceConnector(settings(**{"url": box.url, **given, **changes}), sleep=lambda _: None)
        opened.append(connector)
        return connector

    yield open_one
    for connector in opened:
        connector.close()


@pytest.fixture
def connector(connect: Connect) -> SalesforceConnector:
    return connect()
