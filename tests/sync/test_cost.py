"""Cost follows change: what a sync asks of the CRM, counted by the CRM."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sync.conftest import SYSTEMS, Bench
from tests.sync.people import People

pytestmark = pytest.mark.parametrize("system", SYSTEMS)

QUIET = {"salesforce": 21, "hubspot": 22}
"""Salesforce: sign-in, and for each of ten objects one query and one count. HubSpot: for each of six objects the
recycle bin, a search and a count; two lists of owners, one of stages; the schema; no batch reads."""


def quiet_calls(bench: Bench, system: str) -> int:
    getattr(bench.box, system).reset_requests()
    plan, report = bench.sync(system)
    assert (plan.changes, report.decided, report.written) == ((), 0, 0)
    assert report.api.used == bench.calls(system)
    return bench.calls(system)


def test_a_quiet_sync_costs_a_fixed_number_of_calls(tiny_synced: Bench, system: str) -> None:
    tiny_synced.sync(system)
    assert quiet_calls(tiny_synced, system) <= QUIET[system]


def test_it_costs_no_more_on_a_larger_base(synced: Bench, system: str) -> None:
    synced.sync(system)
    assert quiet_calls(synced, system) <= QUIET[system]


def test_one_edit_costs_its_own_neighbourhood(synced: Bench, system: str) -> None:
    synced.sync(system)
    people = People(synced, system)
    deal = next(d for d in people.ids("deal") if people.value("deal", d, "protection_end"))
    getattr(synced.box, system).reset_requests()
    people.edit("deal", deal, "amount", Decimal(1234))
    synced.box.clock.advance(60)
    _, report = synced.sync(system)
    assert report.decided == 1
    assert synced.calls(system) <= QUIET[system] + 8
