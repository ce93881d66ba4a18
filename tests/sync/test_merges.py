"""When people merge records, what named the one that is gone means the survivor at once, not at the next full sync."""

from __future__ import annotations

import pytest

from tests.sync.conftest import SYSTEMS, Bench
from tests.sync.people import People

pytestmark = pytest.mark.parametrize("system", SYSTEMS)


def accounts_with_claims(people: People) -> list[str]:
    claimed = {people.value("registration", r, "account_id") for r in people.ids("registration")}
    return sorted(account for account in claimed if account)


def test_claims_on_two_accounts_meet_when_these_are_merged(tiny_synced: Bench, system: str) -> None:
    people = People(tiny_synced, system)
    master, loser = accounts_with_claims(people)[:2]
    people.merge("account", master, loser)
    tiny_synced.box.clock.advance(60)
    _, report = tiny_synced.sync(system)
    assert report.status == "ok"
    with tiny_synced.session(system) as session:
        survivor = session.store.resolve(session.mapping.object_of("account"), loser)
        root = session.store.neighbourhood_of("account", survivor)
        assert root
        kinds = [kind for kind, _ in session.store.neighbourhood_members(root)]
        assert kinds.count("registration") >= 2, "the claims of both"
    plan, _ = tiny_synced.sync(system, full=True)
    assert plan.changes == ()


def test_a_merged_partner_hands_over_its_registrations(tiny_synced: Bench, system: str) -> None:
    people = People(tiny_synced, system)
    named = {r: people.value("registration", r, "partner_id") for r in people.ids("registration")}
    loser = next(iter(named.values()))
    master = next(partner for partner in people.ids("partner") if partner != loser)
    people.merge("partner", master, loser)
    tiny_synced.box.clock.advance(60)
    tiny_synced.sync(system)
    with tiny_synced.session(system) as session:
        survivor = session.store.resolve(session.mapping.object_of("partner"), loser)
    for registration, partner in named.items():
        if partner == loser:
            assert people.value("registration", registration, "partner_id") == survivor
    plan, _ = tiny_synced.sync(system, full=True)
    assert plan.changes == ()


def test_a_merger_is_nobodys_edit(tiny_synced: Bench, system: str) -> None:
    """The survivor keeps its own values, or the CRM gives it the other's: both are ours."""
    people = People(tiny_synced, system)
    certified = {p: bool(people.value("partner", p, "cert_status")) for p in people.ids("partner")}
    master = next(partner for partner, is_certified in certified.items() if not is_certified)
    loser = next(partner for partner, is_certified in certified.items() if is_certified)
    people.merge("partner", master, loser)
    tiny_synced.box.clock.advance(60)
    tiny_synced.sync(system)
    with tiny_synced.session(system) as session:
        survivor = session.store.resolve(session.mapping.object_of("partner"), loser)
        assert session.store.findings(code="USER_EDIT") == []
    assert people.value("partner", survivor, "cert_status")
