"""A blank portal over real HTTP, the vendor's own client on it, and a plain session for what the client hides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from hubspot import HubSpot

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN
from crmsync.sandbox.hubspot import HubSpotPortal

Send = Callable[..., requests.Response]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(world="blank") as box:
        yield box


@pytest.fixture
def portal(box: Sandbox) -> HubSpotPortal:
    return box.hubspot


@pytest.fixture
def client(box: Sandbox) -> HubSpot:
    """As it comes from the registry; only the host is ours."""
    return HubSpot(access_token=HUBSPOT_TOKEN, host=box.url)


@pytest.fixture
def send(box: Sandbox) -> Iterator[Send]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {HUBSPOT_TOKEN}"

        def call(method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
            return session.request(method, box.url + path, json=body, timeout=10, **more)

        yield call


@pytest.fixture(autouse=True)
def _no_open_sockets(recwarn: pytest.WarningsRecorder) -> Iterator[None]:
    """The vendor's client leaves its pools to the garbage collector; collect them inside the test that made them."""
    yield
    import gc

    gc.collect()
