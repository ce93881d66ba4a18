"""Who is credited, what must be filled in, and what money it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from crmsync.sandbox.world.model import DealPartner
from crmsync.sandbox.world.partners import cast_key
from crmsync.sandbox.world.scenarios.kit import Bench, scenario


@scenario(
    "45", "A reseller's deal without a registration number reaches Proposal (D1): flagged; the direct one (D2) is not"
)
def stage_validation(bench: Bench) -> None:
    reseller, direct = bench.account("Feldbach Früchte"), bench.account("Gmunden Keramik", "Y")
    by_hand: dict[str, Any] = {"stage": "proposal", "partner": cast_key("A1"), "partner_role": "resale"}
    bench.deal(reseller, "D1", bench.ago(25), **by_hand)
    bench.deal(direct, "D2", bench.ago(25), stage="proposal")


@scenario("46", "A direct deal, won, on which a partner gave a demo: influenced, no registration, no protection")
def influenced(bench: Bench) -> None:
    account = bench.account("Horn Maschinen")
    won: dict[str, Any] = {"stage": "closed_won", "close_date": bench.calendar.day(5), "amount": 50_000}
    deal = bench.deal(account, "D1", bench.ago(60), **won)
    bench.touch("T1", cast_key("C"), "demo", bench.ago(40), deal=deal.key, account=account.key)


@scenario(
    "48", "The introduction was entered at the very end of the lock (14 days to the second): accepted, D1 sourced"
)
def lock_edge(bench: Bench) -> None:
    _introduced(bench, "Imst Bergbahn", entered_after=timedelta(days=14))


@scenario("48B", "Entered one second later: the attribution is locked and D1 stays direct")
def lock_passed(bench: Bench) -> None:
    _introduced(bench, "Jenbach Motoren", entered_after=timedelta(days=14, seconds=1))


@scenario("48C", "The same with an override by name and reason: D1 sourced, and no later run turns it back")
def lock_overridden(bench: Bench) -> None:
    override = {
        "attribution_override": "sourced",
        "attribution_override_by": "Hannah Berg",
        "attribution_override_reason": "Introduction documented before the deal was created",
    }
    _introduced(bench, "Kitzbühel Hotels", entered_after=timedelta(days=14, seconds=1), **override)


def _introduced(bench: Bench, name: str, *, entered_after: timedelta, **more: str) -> None:
    """A partner introduces the customer; the deal follows, and only then does somebody enter the introduction."""
    account = bench.account(name)
    created = bench.ago(40, "00:00")
    deal = bench.deal(account, "D1", created, **more)
    entered = {"logged_at": created + entered_after, "deal": deal.key, "account": account.key}
    bench.touch("T1", bench.pair[0], "intro", created - timedelta(days=6), **entered)


@scenario("52", "Sourced by one partner, influenced by a second, delivered through a distributor: D1 counts once")
def several_roles(bench: Bench) -> None:
    account = bench.account("Lienz Elektro")
    deal = bench.deal(account, "D1", bench.ago(50), stage="negotiation", amount=100_000)
    bench.approved("R1", bench.pair[0], bench.ago(51), account, deal=deal.key, amount=100_000)
    bench.touch("T1", cast_key("C"), "technical_validation", bench.ago(30), deal=deal.key, account=account.key)
    bench.deal_partners.append(DealPartner(deal=deal.key, partner=cast_key("Z"), role="Distributor"))


@scenario(
    "53",
    "For policies with a minimum size: euro (R1), converted at its month's rate, and a currency without a rate (R2)",
)
def currencies(bench: Bench) -> None:
    first, second = bench.pair
    euro, krona = bench.account("Mistelbach Wein"), bench.account("Höfn Fiskur", "Y", country="Iceland")
    bench.registration("R1", first, "pending_approval", bench.fresh, euro, amount=23_000, currency="EUR")
    bench.registration("R2", second, "pending_approval", bench.fresh, krona, amount=3_200_000, currency="ISK")


@scenario("BD", "A demo written down 55 days after it took place: not counted, D1 stays direct")
def backdated_touch(bench: Bench) -> None:
    account = bench.account("Neunkirchen Schrauben")
    deal = bench.deal(account, "D1", bench.ago(70))
    late = {"logged_at": bench.ago(5), "deal": deal.key, "account": account.key}
    bench.touch("T1", cast_key("C"), "demo", bench.ago(60), **late)


@scenario("ST", "An open partner deal without activity for four months: stale")
def stale_deal(bench: Bench) -> None:
    account = bench.account("Oberndorf Glocken")
    quiet: dict[str, Any] = {
        "last_activity_on": bench.calendar.day(120),
        "partner": bench.pair[0],
        "partner_role": "sourcing",
    }
    deal = bench.deal(account, "D1", bench.ago(199), registration_number=bench.key("R1"), **quiet)
    expired = {"state": "expired", "closure_code": "expired"}
    bench.approved("R1", bench.pair[0], bench.ago(200), account, deal=deal.key, **expired)


@scenario(
    "RF", "Required fields: a lost partner deal without a reason (D1), a registration without the customer's name (R1)"
)
def required_fields(bench: Bench) -> None:
    account, other = bench.account("Perg Granit"), bench.account("Retz Windmühlen", "Y")
    lost: dict[str, Any] = {"stage": "closed_lost", "close_date": bench.calendar.day(3), "lost_reason": None}
    bench.deal(account, "D1", bench.ago(60), partner=cast_key("A2"), partner_role="resale", **lost)
    bare = {"account_name": None, "products": (), "amount": None, "expected_close": None, "contact_name": None}
    bench.registration("R1", bench.pair[0], "submitted", bench.fresh, other, **bare)


@scenario("WR", "A seller typed another partner and a number that does not exist (D1): kept, and put up for review")
def wrong_by_hand(bench: Bench) -> None:
    first, second = bench.pair
    account = bench.account("Schwaz Silber")
    typed = {"partner": second, "partner_role": "sourcing", "registration_number": "DR-99999"}
    deal = bench.deal(account, "D1", bench.ago(30), stage="proposal", **typed)
    bench.approved("R1", first, bench.ago(31), account, deal=deal.key)


@scenario("GBP", "A sourced deal in pounds (D1) and one in yen (D2)")
def foreign_money(bench: Bench) -> None:
    first, second = bench.pair
    british = bench.account("Harrogate Toffee", country="United Kingdom")
    japanese = bench.account("Takayama Lacquer", "Y", country="Japan")
    pounds = bench.deal(british, "D1", bench.ago(30), currency="GBP", amount=36_500)
    yen = bench.deal(japanese, "D2", bench.ago(28), currency="JPY", amount=7_400_000)
    bench.approved("R1", first, bench.ago(32), british, deal=pounds.key, currency="GBP", amount=36_500)
    bench.approved("R2", second, bench.ago(30), japanese, deal=yen.key, currency="JPY", amount=7_400_000)
