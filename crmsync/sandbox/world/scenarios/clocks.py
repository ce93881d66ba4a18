"""Windows, deadlines and extensions, all counted back from today."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from crmsync.sandbox.world.partners import cast_key
from crmsync.sandbox.world.scenarios.kit import Bench, scenario


@scenario(
    "15", "Approved half an hour before midnight UTC: the window begins on that day, or on another in another zone"
)
def day_boundary(bench: Bench) -> None:
    account = bench.account("Lauterbach Optik")
    bench.approved("R1", bench.pair[0], bench.ago(30, "23:30"), account)


@scenario("20", "Four days without an answer: R1 is past its response time, R2 (on another account) is not")
def response_time(bench: Bench) -> None:
    first, second = bench.pair
    late, fresh = bench.account("Mattersburg Papier"), bench.account("Neuwied Pumpen", "Y")
    bench.registration("R1", first, "under_review", bench.ago(4, "17:00"), late)
    bench.registration("R2", second, "under_review", bench.fresh, fresh)


@scenario("22", "An extension asked for in time and not yet decided: R1 pending beyond its end, R2 waits")
def extension_pending(bench: Bench) -> None:
    first, second = bench.pair
    account = bench.account("Oberwart Druck")
    asked = {"extension_requested_at": bench.ago(3, "16:00"), "extension_reason": "Tender postponed by the customer"}
    bench.approved("R1", first, bench.ago(92), account, **asked)
    bench.registration("R2", second, "pending_approval", bench.fresh, account)


@scenario("22B", "The same, granted after the end: the new end counts from the old one, without a gap, and R2 loses")
def extension_granted_late(bench: Bench) -> None:
    first, second = bench.pair
    account = bench.account("Pinkafeld Technik")
    asked = {"extension_requested_at": bench.ago(5, "16:00"), "extension_granted_at": bench.ago(1, "09:00")}
    bench.approved("R1", first, bench.ago(94), account, **asked, extension_reason="Budget moved to the next quarter")
    bench.registration("R2", second, "on_hold", bench.ago(3, "08:00"), account)


@scenario("24", "An extension asked for after the end: refused, R1 expires")
def extension_late(bench: Bench) -> None:
    account = bench.account("Quedlinburg Saaten")
    asked = {"extension_requested_at": bench.ago(4, "00:00"), "extension_reason": "Forgotten"}
    bench.approved("R1", bench.pair[0], bench.ago(95), account, **asked)


@scenario("26", "Won after the window had ended, with no rival: D1 still sourced, in full")
def won_after_window(bench: Bench) -> None:
    account = bench.account("Radstadt Ski")
    won: dict[str, Any] = {"stage": "closed_won", "close_date": bench.calendar.day(20)}
    deal = bench.deal(account, "D1", bench.ago(118), **won)
    bench.approved("R1", bench.pair[0], bench.ago(120), account, deal=deal.key)


@scenario("32", "A lost deal reopened after the window: R1 stays expired, D1 stays sourced, B's R2 may be approved")
def reopened_after_end(bench: Bench) -> None:
    first, second = bench.pair
    account = bench.account("Saalfelden Glas")
    deal = bench.deal(account, "D1", bench.ago(119), lost_reason="Timing")
    expired = {"state": "expired", "closure_code": "expired"}
    bench.approved("R1", first, bench.ago(120), account, deal=deal.key, **expired)
    bench.registration("R2", second, "pending_approval", bench.fresh, account)


@scenario("EX", "R1 ends in ten days: expiring, with a reminder")
def expiring(bench: Bench) -> None:
    account = bench.account("Tamsweg Mode")
    deal = bench.deal(account, "D1", bench.ago(78), stage="negotiation")
    bench.approved("R1", bench.pair[0], bench.ago(80), account, deal=deal.key)


@scenario("EX2", "R1 ended ten days ago and still says approved: the next sync expires it and clears the deal's dates")
def expired_but_approved(bench: Bench) -> None:
    account = bench.account("Umhausen Seile")
    deal = bench.deal(account, "D1", bench.ago(98), stage="negotiation")
    bench.approved("R1", bench.pair[0], bench.ago(100), account, deal=deal.key)


@scenario("58", "Approved before it was submitted: clocks disagree, and no response time is computed")
def clock_skew(bench: Bench) -> None:
    account = bench.account("Villach Funk")
    bench.approved("R1", bench.pair[0], bench.ago(9), account, submitted_at=bench.ago(9) + timedelta(hours=3))


@scenario(
    "43",
    "The partner's certificate lapsed: R1 stays active, partner and D1 are flagged; a policy with that gate stops R2",
)
def certificate_lapsed(bench: Bench) -> None:
    partner = cast_key("L")
    account, other = bench.account("Wolfsberg Stahl"), bench.account("Ybbsitz Schmiede", "Y")
    deal = bench.deal(account, "D1", bench.ago(39))
    bench.approved("R1", partner, bench.ago(40), account, deal=deal.key)
    bench.registration("R2", partner, "pending_approval", bench.fresh, other)


@scenario("AG", "A registration by a partner whose agreement has ended")
def agreement_ended(bench: Bench) -> None:
    bench.registration("R1", cast_key("N"), "pending_approval", bench.fresh, bench.account("Zistersdorf Energie"))


@scenario("PI", "A registration by a suspended partner")
def partner_suspended(bench: Bench) -> None:
    bench.registration("R1", cast_key("S"), "pending_approval", bench.fresh, bench.account("Ansfelden Transport"))
