"""A few seeds of the simulation; ``make prove`` plays as many as fit into its time."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.prove.run import Prover
from tests.prove.simulate import event_log, play
from tests.sync.conftest import SYSTEMS

FIRST = int(os.environ.get("CRMSYNC_PROVE_SEED", "0"))
COUNT = 6

pytestmark = pytest.mark.parametrize("system", SYSTEMS)


def test_random_worlds_under_random_faults(
    prover: Prover, system: str, record_property: Callable[[str, object], None]
) -> None:
    outcomes = [play(prover, seed, system) for seed in range(FIRST, FIRST + COUNT)]
    bad = [one for one in outcomes if one.violations]
    record_property("prove", {"simulation": [len(outcomes), len(bad)]})
    assert not bad, f"python -m tests.prove.simulate --seed {bad[0].seed} --system {system}: {bad[0].violations}"


def test_the_same_seed_leaves_the_same_log(prover: Prover, system: str) -> None:
    """I15."""
    logs, stories = [], []
    for _ in range(2):
        stories.append(play(prover, FIRST + 7, system).story)
        logs.append(event_log(prover.ground, system))
    assert stories[0] == stories[1]
    assert logs[0] == logs[1]
    assert len(logs[0]) > 50
