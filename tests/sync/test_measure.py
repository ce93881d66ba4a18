"""Metrics of a synced mirror, against the CRM's own rows added up by hand, and the same on both CRMs."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from crmsync.errors import UsageError
from crmsync.rules.metrics import Window
from crmsync.sync.measure import measure
from tests.sync.conftest import SYSTEMS, Bench
from tests.sync.people import People


def values(bench: Bench, system: str, window: Window | None = None, **more: str) -> dict[str, Any]:
    with bench.session(system) as session:
        return measure(session, window or Window(), **more).all.values()


def deals_with_partner(bench: Bench, system: str) -> list[Mapping[str, Any]]:
    """Rows of deals that name a partner or partners that helped, as the CRM holds them after the sync."""
    people = People(bench, system)
    names = {n: people.mapping.field("deal", n).remote_field for n in ("partner_id", "influencing_partners", "stage")}
    won = {"salesforce": "Closed Won", "hubspot": "closedwon"}[system]
    amount = {"salesforce": "Amount", "hubspot": "amount"}[system]
    rows = dict(people.rows(people.mapping.object_of("deal"))).values()
    return [
        {"won": row[names["stage"]] == won, "amount": Decimal(str(row.get(amount) or 0))}
        for row in rows
        if row.get(names["partner_id"]) or row.get(names["influencing_partners"])
    ]


@pytest.mark.parametrize("system", SYSTEMS)
def test_sums_agree_with_the_crm(synced: Bench, system: str) -> None:
    rows = deals_with_partner(synced, system)
    found = values(synced, system)
    assert found["total_deals"] == len(rows) > 0
    assert found["won_deal_count"] == sum(row["won"] for row in rows) > 0
    assert found["revenue"] == sum(row["amount"] for row in rows if row["won"])
    assert 0 < found["weighted_pipeline"] < found["open_pipeline"]


def test_both_crms_tell_the_same(synced: Bench) -> None:
    """The demo's worlds hold the same business; only the probability of a stage is each CRM's own."""
    one, other = (values(synced, system) for system in SYSTEMS)
    own = "weighted_pipeline"
    assert {**one, own: None} == {**other, own: None}


def test_partners_and_windows_narrow_it(synced: Bench) -> None:
    everything = values(synced, "salesforce")
    with synced.session("salesforce") as session:
        by_partner = measure(session, Window(), by="partner").groups
    won = {name: tally.values()["won_deal_count"] for name, tally in by_partner.items()}
    best = max(sorted(won), key=lambda name: won[name])
    assert values(synced, "salesforce", partner=best)["won_deal_count"] == won[best] < everything["won_deal_count"]
    last = max(everything["revenue_by_month"])
    window = Window(since=date.fromisoformat(f"{last}-01"))
    assert list(values(synced, "salesforce", window)["revenue_by_month"]) == [last]


def test_an_unknown_partner_is_named(synced: Bench) -> None:
    with pytest.raises(UsageError, match="no partner 'Nobody & Sons'"):
        values(synced, "hubspot", partner="Nobody & Sons")
