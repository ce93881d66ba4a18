"""Survivors and clusters: nobody is merged because of a third."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from crmsync.records import Account, Deal, Registration, RegistrationState, Stage
from crmsync.rules.survivor import CRITERIA, Surroundings, build_clusters, choose_survivor, surroundings_of

OLD, NEW = datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
FULL = Account(id="B", name="Acme", domain="acme.example", country="DE", created_at=NEW)
OLDEST = Account(id="A", name="Acme", created_at=OLD)


def survivor(*order: str, **around: dict[str, int]) -> tuple[str, str]:
    return choose_survivor([FULL, OLDEST], order, Surroundings(**around))  # type: ignore[arg-type]


def test_the_first_criterion_that_tells_them_apart_decides() -> None:
    assert survivor("most_complete", "oldest") == ("B", "it has the most fields filled")
    assert survivor("oldest", "most_complete") == ("A", "it is the oldest")
    assert survivor("open_deals", "oldest") == ("A", "it is the oldest")
    assert survivor("open_deals", "oldest", open_deals={"B": 1}) == ("B", "it has the most open deals")
    assert survivor("partner_of_record", "oldest", protected={"B": 1})[0] == "B"


def test_where_nothing_tells_them_apart_the_smaller_id_stays() -> None:
    assert survivor() == ("A", "nothing else tells them apart: the smaller id")


def test_open_deals_and_approved_registrations_are_counted_by_account() -> None:
    deals = [Deal(id="1", account_id="A", stage=Stage.PROPOSAL), Deal(id="2", account_id="A", stage=Stage.CLOSED_WON)]
    registrations = [Registration(id="r", account_id="B", state=RegistrationState.APPROVED)]
    around = surroundings_of(deals, registrations)
    assert (around.open_deals["A"], around.protected["B"]) == (1, 1)


def accounts(number: int) -> dict[str, Account]:
    return {f"{i:02}": Account(id=f"{i:02}", name="x" if i % 3 else None) for i in range(number)}


def test_a_chain_does_not_become_one_cluster() -> None:
    chain = [(f"{i:02}", f"{i + 1:02}") for i in range(9)]
    for cluster in build_clusters(accounts(10), chain, CRITERIA, Surroundings()):
        assert len(cluster.members) <= 2


PAIRS = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)).map(lambda p: (f"{p[0]:02}", f"{p[1]:02}")))


@given(PAIRS, st.integers(2, 6), st.randoms(use_true_random=False))
def test_every_member_matches_its_survivor(pairs: list[tuple[str, str]], most: int, random: object) -> None:
    clusters = build_clusters(accounts(20), pairs, CRITERIA, Surroundings(), most=most)
    known = {frozenset(pair) for pair in pairs}
    assert all({c.survivor, member} in known for c in clusters for member in c.members)
    assert all(1 <= len(c.members) < most for c in clusters)
    everybody = [i for c in clusters for i in (c.survivor, *c.members)]
    assert len(everybody) == len(set(everybody))
    shuffled = [(b, a) for a, b in pairs]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert build_clusters(accounts(20), shuffled, CRITERIA, Surroundings(), most=most) == clusters
