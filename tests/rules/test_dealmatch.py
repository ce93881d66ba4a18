"""Which deal a registration could be about."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crmsync.records import Deal, Registration
from crmsync.rules.dealmatch import match_deal, rank_deals

CLAIM = Registration(id="R1", products=("A",), amount=Decimal(10_000), currency="EUR", expected_close=date(2026, 6, 30))


def deal(deal_id: str = "D1", **changes: Any) -> Deal:
    same = {"products": ("A",), "amount": Decimal(10_000), "currency": "EUR", "close_date": date(2026, 6, 30)}
    return Deal(id=deal_id, **{**same, **changes})


def test_the_same_business_is_nearly_certain() -> None:
    probability, reasons = match_deal(CLAIM, deal())
    assert probability > 0.98
    assert reasons == ("same account", "same products: A", "same amount: 10000", "same close date: 2026-06-30")


def test_what_differs_speaks_against_it() -> None:
    assert match_deal(CLAIM, deal(products=("B",)))[0] < match_deal(CLAIM, deal(products=("A", "B")))[0]
    assert match_deal(CLAIM, deal(amount=Decimal(50_000)))[0] < match_deal(CLAIM, deal(amount=Decimal(10_500)))[0]
    assert match_deal(CLAIM, deal(close_date=date(2027, 6, 30)))[0] < match_deal(CLAIM, deal(close_date=None))[0]


def test_amounts_in_other_currencies_say_nothing() -> None:
    assert "amount" not in " ".join(match_deal(CLAIM, deal(currency="USD"))[1])


def test_the_likeliest_deal_comes_first() -> None:
    detail = rank_deals(CLAIM, [deal("D1", products=("B",)), deal("D2"), deal("D3", amount=None)])
    assert detail.candidates == ("D2", "D3", "D1")
    assert detail.score == match_deal(CLAIM, deal("D2"))[0]


@given(
    st.decimals(-1, 10**9, places=2) | st.none(), st.dates() | st.none(), st.lists(st.sampled_from("ABC"), max_size=3)
)
def test_any_deal_gets_a_probability(amount: Decimal | None, on: date | None, products: list[str]) -> None:
    probability, reasons = match_deal(CLAIM, deal(amount=amount, close_date=on, products=tuple(products)))
    assert 0 < probability < 1
    assert reasons[0] == "same account"
