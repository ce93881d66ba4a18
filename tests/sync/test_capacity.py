"""How many registrations a partner has open is counted over all its customers, and every one of them hears of it."""

from collections import defaultdict

import pytest

from tests.sync.conftest import SYSTEMS, Bench
from tests.sync.people import People

PENDING = ("submitted", "under_review", "pending_approval", "on_hold")


def open_by_partner(people: People) -> dict[str, dict[str, str]]:
    """State of every open registration by partner and id, as the CRM holds them."""
    names = {name: people.mapping.field("registration", name).remote_field for name in ("partner_id", "state")}
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for record_id, row in people.rows(people.mapping.object_of("registration")):
        if row.get(names["state"]) in (*PENDING, "approved") and row.get(names["partner_id"]):
            found[row[names["partner_id"]]][record_id] = row[names["state"]]
    return found


def flagged(bench: Bench, system: str) -> set[str]:
    with bench.session(system) as session:
        return {row.id for row in session.store.findings(code="CAPACITY")}


def expected(people: People, limit: int) -> set[str]:
    rows = [states for states in open_by_partner(people).values() if len(states) > limit]
    return {record_id for states in rows for record_id, state in states.items() if state in PENDING}


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_count_goes_over_all_customers(synced: Bench, system: str) -> None:
    people = People(synced, system)
    counts = sorted(len(states) for states in open_by_partner(people).values())
    limit = counts[-1] - 1
    synced.edit_yaml(
        "policies/baseline.yaml", "open_registrations_per_partner: null", f"open_registrations_per_partner: {limit}"
    )
    synced.sync(system)
    assert flagged(synced, system) == expected(people, limit) != set()
    assert synced.sync(system)[0].changes == ()

    states = max(open_by_partner(people).items(), key=lambda item: (len(item[1]), item[0]))[1]
    one = next(i for i, state in sorted(states.items()) if state in PENDING)
    people.edit("registration", one, "state", "withdrawn")
    synced.box.clock.advance(60)
    synced.sync(system)
    assert flagged(synced, system) == expected(people, limit)
    assert not flagged(synced, system) & states.keys()
    assert synced.sync(system)[0].changes == ()
    assert synced.sync(system, full=True)[0].changes == ()
