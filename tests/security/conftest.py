"""The worlds of the sync tests, here as well."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.sync.conftest import (
    small_world,
    small_world_synced,
    synced,
    tiny,
    tiny_synced,
    tiny_world,
    tiny_world_synced,
)

__all__ = ["small_world", "small_world_synced", "synced", "tiny", "tiny_synced", "tiny_world", "tiny_world_synced"]


@pytest.fixture(autouse=True)
def clean_logging() -> Iterator[None]:
    """Logs go where they went before, whatever a test has set up."""
    handlers = logging.getLogger().handlers
    yield
    logging.getLogger().handlers = handlers
    structlog.reset_defaults()
