"""The ledger that every replaying test writes to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.conformance.framework import PROPERTY, Ledger


@pytest.fixture
def ledger(record_property: Callable[[str, object], None]) -> Ledger:
    ledger = Ledger()
    record_property(PROPERTY, ledger.counts)
    return ledger
