"""Which existing deal a registration could be about: by products, amount and dates, on the account that it means.

The weights are a stated judgement in bits, not a measurement; the result orders deals for people and links none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from crmsync.records import Deal, Registration
from crmsync.rules.alike import MOST_CANDIDATES
from crmsync.rules.decision import Detail

_PRIOR = -1.0
"""On one account few open deals are about anything else than what a partner registers there, but some are."""
_SAME_PRODUCTS, _SOME_PRODUCTS, _OTHER_PRODUCTS = 2.0, 1.0, -4.0
_SAME_AMOUNT, _NEAR_AMOUNT, _OTHER_AMOUNT = 4.0, 2.0, -2.0
_SAME_CLOSE, _NEAR_CLOSE, _OTHER_CLOSE = 2.0, 1.0, -1.0
_NEAR_SHARE = Decimal("0.1")
_NEAR_DAYS = timedelta(days=30)


def match_deal(registration: Registration, deal: Deal) -> tuple[float, tuple[str, ...]]:
    """The probability that both are one business, given that they are on one account, and why."""
    found = [f for f in (_products(registration, deal), _amounts(registration, deal), _dates(registration, deal)) if f]
    bits = _PRIOR + sum(weight for weight, _ in found)
    return 1 / (1 + 2**-bits), ("same account", *(text for _, text in found))


def rank_deals(registration: Registration, deals: Iterable[Deal]) -> Detail:
    """The deals that the registration may be about, the likeliest first."""
    scored = {deal.id: match_deal(registration, deal) for deal in deals}
    ranked = sorted(scored, key=lambda deal_id: (-scored[deal_id][0], deal_id))
    score, reasons = scored[ranked[0]]
    return Detail(tuple(ranked[:MOST_CANDIDATES]), score, reasons)


def _products(registration: Registration, deal: Deal) -> tuple[float, str] | None:
    one, other = set(registration.products), set(deal.products)
    if not one or not other:
        return None
    if one == other:
        return _SAME_PRODUCTS, f"same products: {', '.join(sorted(one))}"
    if shared := sorted(one & other):
        return _SOME_PRODUCTS, f"some of the products: {', '.join(shared)}"
    return _OTHER_PRODUCTS, "other products"


def _amounts(registration: Registration, deal: Deal) -> tuple[float, str] | None:
    one, other = registration.amount, deal.amount
    if not one or not other or registration.currency != deal.currency:
        return None
    if one == other:
        return _SAME_AMOUNT, f"same amount: {one}"
    if abs(one - other) <= _NEAR_SHARE * max(abs(one), abs(other)):
        return _NEAR_AMOUNT, f"nearly the same amount: {one} / {other}"
    return _OTHER_AMOUNT, f"another amount: {one} / {other}"


def _dates(registration: Registration, deal: Deal) -> tuple[float, str] | None:
    one, other = registration.expected_close, deal.close_date
    if one is None or other is None:
        return None
    if one == other:
        return _SAME_CLOSE, f"same close date: {one}"
    if abs(one - other) <= _NEAR_DAYS:
        return _NEAR_CLOSE, f"close dates {abs(one - other).days} days apart"
    return _OTHER_CLOSE, f"another close date: {one} / {other}"
