"""Who is credited with what: shares, overlays, rounding, locks and what changes after the close."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.records import Account, Deal, Link, Partner, Registration, RegistrationState, Stage, Touch, TouchType
from crmsync.rules import Credit, Decision, Facts, decide, load_policy_text
from crmsync.rules.credits import apportion

NOW = datetime(2026, 6, 1, tzinfo=UTC)
CREATED = datetime(2026, 3, 1, tzinfo=UTC)


def deal(**values: Any) -> Deal:
    given = {"name": "Deal", "stage": Stage.QUALIFIED, "amount": Decimal(100000), "currency": "USD", **values}
    return Deal(id="D1", account_id="X", created_at=CREATED, **given)


def approved(number: str, partner_id: str, **values: Any) -> Registration:
    at = datetime(2026, 2, 20, tzinfo=UTC)
    given = {"deal_id": "D1", "account_id": "X", "submitted_at": at, "approved_at": at, **values}
    return Registration(
        id=number, number=number, partner_id=partner_id, account_name="Acme", state=RegistrationState.APPROVED, **given
    )


def demo(partner_id: str) -> Touch:
    at = datetime(2026, 3, 20, tzinfo=UTC)
    return Touch(id=f"T{partner_id}", partner_id=partner_id, deal_id="D1", type=TouchType.DEMO, occurred_at=at)


def decided(policy: str, one: Deal, *registrations: Registration, **others: Any) -> Decision:
    facts = Facts(
        accounts=(Account(id="X", name="Acme"),),
        deals=(one,),
        registrations=registrations,
        partners={i: Partner(id=i, name=f"Partner {i}") for i in "ABCZ"},
        **others,
    )
    return decide(facts, load_policy_text(f"version: test\n{policy}"), NOW)


def told(credits_: tuple[Credit, ...]) -> list[tuple[str, str, str, str, str]]:
    return [(c.partner_id, c.measure, f"{c.percent:g}", f"{c.amount:.2f}", c.status) for c in credits_]


def codes(decision: Decision) -> set[str]:
    return {finding.code for finding in decision.findings if finding.kind == "deal"}


def test_sourced_and_influenced_are_measures_of_their_own() -> None:
    """Scenario 52: the distributor gets nothing, the influencer an overlay."""
    links = (Link(name="deal_partner", from_id="D1", to_id="Z", label="Distributor"),)
    decision = decided("", deal(), approved("R1", "A"), touches=(demo("C"),), links=links)
    assert told(decision.credits) == [
        ("A", "sourced", "100", "100000.00", "proposed"),
        ("C", "influenced", "100", "100000.00", "proposed"),
    ]


def test_a_helped_direct_deal_is_influenced_only() -> None:
    """Scenario 46."""
    won = deal(stage=Stage.CLOSED_WON, close_date=date(2026, 5, 1), amount=Decimal(50000))
    decision = decided("", won, touches=(demo("C"),))
    assert told(decision.credits) == [("C", "influenced", "100", "50000.00", "locked")]


def test_shares_over_the_whole_stay_in_review() -> None:
    """Scenario 50: nothing is scaled down."""
    one = deal(credit_split=("A: 60", "Partner B: 30 %", "C = 20 co_sell"))
    decision = decided("attribution: {sourced: split}", one, approved("R1", "A"))
    assert "SPLIT_OVER_100" in codes(decision)
    assert [(c.partner_id, c.percent, c.status) for c in decision.credits] == [
        ("A", 60, "in_review"),
        ("B", 30, "in_review"),
        ("C", 20, "in_review"),
    ]


def test_an_overlay_may_add_up_to_anything() -> None:
    decision = decided("", deal(credit_split=("A: 60", "B: 30", "C: 20")))
    assert not codes(decision) & {"SPLIT_OVER_100", "SPLIT_UNDER_100"}


def test_shares_below_the_whole() -> None:
    decision = decided("attribution: {sourced: split}", deal(credit_split=("A: 60", "B: 39.98")))
    assert "SPLIT_UNDER_100" in codes(decision)


def test_shares_that_hold_for_a_time_are_added_up_day_by_day() -> None:
    split = ("A: 100 resale ..2026-12-31", "B: 100 resale 2027-01-01..")
    decision = decided("attribution: {sourced: split}", deal(credit_split=split))
    assert not codes(decision) & {"SPLIT_OVER_100", "SPLIT_UNDER_100"}
    assert [(c.start, c.end) for c in decision.credits] == [(None, date(2026, 12, 31)), (date(2027, 1, 1), None)]


def test_partners_share_alike_without_weights() -> None:
    claims = [approved(number, partner_id) for number, partner_id in (("R1", "A"), ("R2", "B"), ("R3", "C"))]
    decision = decided(
        "attribution: {sourced: split}\nuniqueness: {second_registrant: accept_all}",
        deal(amount=Decimal("100.00")),
        *claims,
    )
    rows = [c for c in decision.credits if c.measure == "sourced"]
    assert sum(c.percent for c in rows) == 100
    assert [c.amount for c in rows] == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]


@pytest.mark.parametrize(("renormalise", "percents"), [("false", [60, 25]), ("true", [70.5882, 29.4118])])
def test_weights_by_role(renormalise: str, percents: list[float]) -> None:
    policy = f"""
attribution: {{sourced: split, influenced: none}}
credit: {{weights: {{sourcing: 60, co_sell: 25, implementation: 15}}, renormalise: {renormalise}}}
"""
    one = deal(partner_id="B", partner_role="co_sell")
    rows = decided(policy, one, approved("R1", "A")).credits
    assert [float(c.percent) for c in rows if c.measure == "sourced"] == percents


def test_a_change_after_the_close_is_a_row_of_its_own() -> None:
    """Scenario 56."""
    won = {"stage": Stage.CLOSED_WON, "close_date": date(2026, 3, 31)}
    locked = {"locked_amount": Decimal(50000), "locked_on": date(2026, 3, 31), "adjusted_on": date(2026, 4, 10)}
    policy = "credit: {lock_at_close: true}"
    before = decided(policy, deal(amount=Decimal(50000), **won), approved("R1", "A"))
    assert told(before.credits) == [("A", "sourced", "100", "50000.00", "locked")]
    assert {f.field: f.value for f in before.fields}["locked_amount"] == 50000
    after = decided(policy, deal(amount=Decimal(45000), **won, **locked), approved("R1", "A"))
    assert "POST_CLOSE_CHANGE" in codes(after)
    assert [(c.amount, c.status, c.booked_on) for c in after.credits] == [
        (50000, "locked", date(2026, 3, 31)),
        (-5000, "adjustment", date(2026, 4, 10)),
    ]


def test_whoever_lost_is_paid_where_the_policy_says_so() -> None:
    policy = "registration: {kind: credit_only}\ncredit: {loser_credit: {percent: 5}}"
    won = deal(stage=Stage.CLOSED_WON, close_date=date(2026, 3, 31))
    rows = decided(policy, won, approved("R1", "A"), approved("R2", "B", deal_id=None)).credits
    assert [(c.partner_id, c.amount) for c in rows if c.measure == "loser"] == [("B", 5000)]


def test_the_loser_that_withdrew_forfeits() -> None:
    policy = "registration: {kind: credit_only}\ncredit: {loser_credit: {amount: 500}}"
    won = deal(stage=Stage.CLOSED_WON, close_date=date(2026, 3, 31))
    gone = Registration(id="R2", partner_id="B", account_id="X", state=RegistrationState.WITHDRAWN)
    assert not [c for c in decided(policy, won, approved("R1", "A"), gone).credits if c.measure == "loser"]


@given(
    total=st.decimals(-(10**9), 10**9, places=2),
    parts=st.lists(st.decimals(0, 100, places=4), min_size=1, max_size=9),
)
def test_no_cent_is_lost(total: Decimal, parts: list[Decimal]) -> None:
    shares = apportion(total, parts, Decimal("0.01"))
    assert sum(shares) == (total if sum(parts) else 0)
    exact = [total * part / sum(parts) for part in parts] if sum(parts) else shares
    assert all(abs(share - want) < Decimal("0.01") for share, want in zip(shares, exact, strict=True))
