"""One ground and one look at the usual per process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.prove.ground import open_ground
from tests.prove.run import Prover


@pytest.fixture(scope="session")
def kept() -> Iterator[Prover]:
    """Made once; other tests may run in between, so nobody stands on its ground yet."""
    with open_ground() as ground:
        with ground.stand():
            prover = Prover.on(ground)
        yield prover


@pytest.fixture
def prover(kept: Prover) -> Iterator[Prover]:
    with kept.ground.stand():
        yield kept
