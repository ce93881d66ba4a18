"""How well labelled records are matched, by the code that `make bench-identity` runs."""

import pytest

from tests.identity.conftest import BENCHMARKS


def f1(name: str, method: str) -> float:
    import identity

    return float(identity.run(name, method)["quality"][2])


@pytest.mark.parametrize(
    ("name", "method", "least"),
    [("fake_1000", "no labels", 0.905), ("fodors_zagats", "shipped", 0.98), ("fake_1000", "200 answers", 0.92)],
)
def test_it_matches_labelled_records_that_well(name: str, method: str, least: float) -> None:
    assert f1(name, method) >= least > f1(name, "exact")


def test_the_made_up_crm_is_the_same_for_the_same_seed() -> None:
    import matching_crm

    for make in (matching_crm.accounts, matching_crm.contacts):
        first = list(make(300, 5))
        assert first == list(make(300, 5)) != list(make(300, 6))
        assert len({entry.raw["id"] for entry in first}) == 300
        assert 10 < sum(entry.entity != number for number, entry in enumerate(first)) < 60


def test_relatives_of_the_made_up_crm_are_others_of_one_family() -> None:
    import matching_crm

    relatives = [e for n, e in enumerate(matching_crm.accounts(2_000, 5)) if e.entity == n and e.family != n]
    assert 40 < len(relatives) < 160
    assert matching_crm.__file__ == str(BENCHMARKS / "matching_crm.py")
