"""One ground and one look at the usual per process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.prove.ground import open_ground
from tests.prove.run import Prover


@pytest.fixture(scope="session")
def prover() -> Iterator[Prover]:
    with open_ground() as ground:
        yield Prover.on(ground)
