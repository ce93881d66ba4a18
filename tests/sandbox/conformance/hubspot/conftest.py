"""A blank portal and a bare HTTP session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from crmsync.sandbox import Sandbox


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(world="blank") as box:
        yield box


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session
