"""A sample of the matrix: some cases of every fault in both CRMs. ``make prove`` plays them all.

``CRMSYNC_PROVE_SEED`` chooses which; a failure names its case, and ``python -m tests.prove --case …`` plays it again.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.prove.case import Case
from tests.prove.cases import every_case, sample
from tests.prove.matrix import BY_ID, FAULTS
from tests.prove.run import Prover
from tests.prove.simulate import event_log
from tests.sync.conftest import SYSTEMS

SEED = int(os.environ.get("CRMSYNC_PROVE_SEED", "0"))
KNOWN = {
    "F20": "before the first sync ever, what stands in a field of ours is no edit: nothing was agreed on yet",
}
"""What is known to be red in some cells; ``make prove`` counts them as violations."""
EACH = int(os.environ.get("CRMSYNC_PROVE_EACH", "2"))


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("fault", [fault.id for fault in FAULTS if fault.points])
def test_after_a_fault_everything_holds(
    prover: Prover, fault: str, system: str, record_property: Callable[[str, object], None]
) -> None:
    usual = {place: normal for place, normal in prover.usual.items() if place[0] == system}
    cases = sample(every_case(usual, [BY_ID[fault]]), EACH, SEED)
    results = [prover.play(case) for case in cases]
    record_property("prove", {fault: [len(results), sum(bool(result.violations) for result in results)]})
    if (why := KNOWN.get(fault)) and any(result.violations for result in results):
        pytest.xfail(why)
    bad = {str(result.case): result.violations for result in results if result.violations}
    assert not bad, f"play one again: python -m tests.prove --case {next(iter(bad))}"
    assert cases


@pytest.mark.parametrize("text", ["F4:R:hubspot:k=21:date", "F20:W:salesforce:k=40:owned", "F8:P:hubspot:k=2:midway"])
def test_a_case_played_twice_leaves_the_same_log(prover: Prover, text: str) -> None:
    """I15."""
    logs = []
    case = Case.parse(text)
    for _ in range(2):
        prover.play(case)
        logs.append(event_log(prover.ground, case.system))
    assert logs[0] == logs[1]


def test_a_case_is_written_as_it_is_read() -> None:
    for text in ("F7:W:salesforce:k=12:after", "F12:P:hubspot:k=3", "F28:S:hubspot:k=1:pages:later"):
        assert str(Case.parse(text)) == text
    with pytest.raises(ValueError, match="write it as"):
        Case.parse("F7")


def test_every_fault_of_the_matrix_is_played_or_says_why_not() -> None:
    assert [fault.id for fault in FAULTS] == [f"F{number}" for number in range(1, 39)]
    assert all(fault.points or fault.not_applicable for fault in FAULTS)
