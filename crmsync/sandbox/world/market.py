"""What the generated registrations may be about, so that no two of them collide by accident."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator

from crmsync.sandbox.world.base import PRODUCTS, Base, listed
from crmsync.sandbox.world.dates import Calendar
from crmsync.sandbox.world.model import Account, Deal

Pair = tuple[str, str]
"""Account key and product of the price list."""
_QUIET_DAYS = 100


class Market:
    """Hands out each account-product pair, and each deal, at most once, always in the same order."""

    def __init__(self, base: Base, calendar: Calendar) -> None:
        self._calendar = calendar
        self.accounts = {account.key: account for account in base.accounts}
        self.prices = base.prices
        self._on: dict[Pair, list[Deal]] = defaultdict(list)
        for deal in base.deals:
            if deal.account:
                self._on[deal.account, listed(deal.product)].append(deal)
        families = {a.parent for a in base.accounts if a.parent}
        self._used: set[Pair] = set()
        self._pairs = _shuffled(
            (account.key, product)
            for account in base.accounts
            for product in PRODUCTS
            if not account.parent and account.key not in families
        )
        self._quiet = (pair for pair in self._pairs if self._is_quiet(pair))
        self._idle = (pair for pair in self._pairs if not any(map(is_open, self._on[pair])))
        self._contested = (pair for pair in self._pairs if any(map(is_open, self._on[pair])))
        by_key = {deal.key: deal for deals in self._on.values() for deal in deals}
        self._deals = [by_key[key] for key, _ in _shuffled((key, "") for key in by_key)]

    def quiet(self) -> Pair:
        """A pair without an open deal and without a new one for months: room for an exclusive registration."""
        return self._take(self._quiet)

    def idle(self) -> Pair:
        """A pair without an open deal."""
        return self._take(self._idle)

    def contested(self) -> Pair:
        """A pair on which our own sellers have an open deal."""
        return self._take(self._contested)

    def open_alone(self, *, youngest: int, oldest: int) -> Iterator[Deal]:
        """Open deals of that age in days which are the only open ones on their pair."""
        for deal in self._deals:
            alone = is_open(deal) and sum(map(is_open, self._on[pair_of(deal)])) == 1
            if alone and youngest <= self._age(deal) <= oldest and self._claim(pair_of(deal)):
                yield deal

    def closed(self, stage: str) -> Iterator[Deal]:
        """Deals closed at ``stage``, one a pair."""
        for deal in self._deals:
            if deal.stage == stage and self._claim(pair_of(deal)):
                yield deal

    def account(self, key: str) -> Account:
        return self.accounts[key]

    def _age(self, deal: Deal) -> int:
        return (self._calendar.today - deal.created_at.date()).days

    def _is_quiet(self, pair: Pair) -> bool:
        return all(not is_open(deal) and self._age(deal) > _QUIET_DAYS for deal in self._on[pair])

    def _take(self, pairs: Iterator[Pair]) -> Pair:
        return next(pair for pair in pairs if self._claim(pair))

    def _claim(self, pair: Pair) -> bool:
        fresh = pair not in self._used
        self._used.add(pair)
        return fresh


def is_open(deal: Deal) -> bool:
    return not deal.stage.startswith("closed")


def pair_of(deal: Deal) -> Pair:
    return (deal.account or "", listed(deal.product))


def _shuffled(items: Iterable[Pair]) -> list[Pair]:
    """A fixed order that follows no alphabet."""
    return sorted(items, key=lambda item: (zlib.crc32(repr(item).encode()), item))
