"""Several parties want one customer: partners against partners, and partners against our own sellers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from crmsync.sandbox.world.partners import cast_key
from crmsync.sandbox.world.scenarios.kit import P1, P2, Bench, scenario


@scenario("1", "Two partners, both undecided: conflict suspected, the earlier one (R1) recommended, R2 waits behind it")
def both_pending(bench: Bench) -> None:
    first, second = bench.pair
    account = bench.account("Almstedt Werke")
    bench.registration("R1", first, "pending_approval", bench.fresh, account)
    bench.registration("R2", second, "pending_approval", bench.fresh + timedelta(minutes=5), account)


@scenario("3", "An approved registration (R1) beats a later, better certified one: R2 on hold")
def approved_beats_pending(bench: Bench) -> None:
    account = bench.account("Brackwede Metall")
    bench.approved("R1", cast_key("U"), bench.ago(10), account)
    bench.registration("R2", bench.pair[1], "submitted", bench.fresh, account)


@scenario("4", "Registered beats unregistered: D1 sourced by the registering partner, the other one influenced it")
def registered_beats_unregistered(bench: Bench) -> None:
    registered, other = bench.pair
    account = bench.account("Castrop Handel")
    deal = bench.deal(account, "D1", bench.ago(10))
    for number, kind in enumerate(("intro", "meeting", "demo"), 1):
        bench.touch(f"T{number}", other, kind, bench.ago(22 - 2 * number), account=account.key)
    bench.approved("R1", registered, bench.ago(11), account, deal=deal.key)


@scenario("6", "One partner registers the same thing twice: R2 closed as a duplicate, and no conflict")
def same_partner_twice(bench: Bench) -> None:
    partner, _ = bench.pair
    account = bench.account("Dornbirn Textil", country="Italy")
    bench.approved("R1", partner, bench.ago(4), account)
    bench.registration("R2", partner, "submitted", bench.fresh, account, contact_name="Kim Sommer")


@scenario("7", "Two partners, two products, one account: no conflict, both may be approved")
def different_products(bench: Bench) -> None:
    first, second = bench.pair
    account = bench.account("Eschweiler Glas")
    bench.approved("R1", first, bench.ago(8), account)
    bench.registration("R2", second, "pending_approval", bench.fresh, account, products=(P2,))


@scenario("9", "The customer's letter names partner B (R2): a person must decide; D1 stays sourced by A")
def customer_letter(bench: Bench) -> None:
    first, second = bench.pair
    account = bench.account("Falkenstein Bau")
    deal = bench.deal(account, "D1", bench.ago(28), stage="proposal")
    bench.approved("R1", first, bench.ago(30), account, deal=deal.key)
    letter = {"customer_letter_on": bench.calendar.day(2), "submitted_by_type": "channel_user"}
    bench.registration("R2", second, "pending_approval", bench.fresh, account, **letter)


@scenario("11", "Our seller was there first (D1): R1 in conflict with direct sales, never approved by machine")
def direct_deal_first(bench: Bench) -> None:
    account = bench.account("Gerolstein Quellen")
    bench.deal(account, "D1", bench.ago(12))
    bench.registration("R1", bench.pair[0], "pending_approval", bench.fresh, account)


@scenario("11B", "The same, but a human approved R1 and linked it: D1 influenced, not sourced")
def direct_deal_first_approved(bench: Bench) -> None:
    account = bench.account("Hallein Chemie")
    deal = bench.deal(account, "D1", bench.ago(20))
    bench.approved("R1", bench.pair[0], bench.ago(4), account, deal=deal.key, submitted_at=bench.ago(10))


@scenario(
    "12", "A second, direct deal (D2) on a protected account: possible duplicate of D1, attribution to be reviewed"
)
def direct_on_protected(bench: Bench) -> None:
    account = bench.account("Iserlohn Draht")
    deal = bench.deal(account, "D1", bench.ago(19), stage="proposal")
    bench.approved("R1", bench.pair[0], bench.ago(20), account, deal=deal.key)
    bench.deal(account, "D2", bench.ago(5), amount=53_500, owner="rosie.papadopoulos@gtx-systems.example")


@scenario("28", "A renewal (D1) after partner A's sale (D0): A is the incumbent, B's registration R2 is held")
def incumbent_on_renewal(bench: Bench) -> None:
    incumbent, rival = bench.pair
    account = bench.account("Jennersdorf Holz")
    _won_through(bench, incumbent)
    bench.deal(account, "D1", bench.ago(1, "21:30"), motion="renewal")
    bench.registration("R2", rival, "pending_approval", bench.fresh, account, motion="renewal", products=(P1,))


@scenario("30", "A cross-sell of another product (D2): the incumbent of the first has no claim, R2 may be approved")
def cross_sell(bench: Bench) -> None:
    incumbent, rival = bench.pair
    account = bench.account("Kufstein Sport")
    _won_through(bench, incumbent)
    deal = bench.deal(account, "D2", bench.ago(1, "22:00"), P2, motion="cross_sell")
    more = {"motion": "cross_sell", "products": (P2,), "deal": deal.key}
    bench.registration("R2", rival, "pending_approval", bench.fresh, account, **more)


def _won_through(bench: Bench, partner: str) -> None:
    """A sale on the scenario's account, registered by ``partner`` and won half a year ago."""
    account = bench.accounts[-1]
    won: dict[str, Any] = {"stage": "closed_won", "close_date": bench.calendar.day(210)}
    filled = {"partner": partner, "partner_role": "sourcing", "registration_number": bench.key("R0")}
    deal = bench.deal(account, "D0", bench.ago(258), **won, **filled)
    closed = {"state": "closed", "closure_code": "converted"}
    bench.approved("R0", partner, bench.ago(259), account, deal=deal.key, **closed)
