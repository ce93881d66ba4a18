"""The bench on which scenarios are built: each has its own invented accounts, so nothing else touches its records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from crmsync.sandbox.world.base import seller_key
from crmsync.sandbox.world.dates import Calendar, spread
from crmsync.sandbox.world.model import (
    Account,
    Deal,
    DealPartner,
    Merge,
    Registration,
    Touch,
)
from crmsync.sandbox.world.names import country_code, slug
from crmsync.sandbox.world.partners import cast_key
from crmsync.sandbox.world.people import domain_of

P1, P2 = "GTX Pro", "MG Advanced"
_SELLERS = ("Anna Snelling", "Moses Frase", "Darcel Schlecht", "Cassey Cress", "Vicki Laflamme", "Zane Levy")
_OFFICE = "Hannah Berg"


@dataclass(slots=True)
class Bench:
    """One scenario under construction. Keys are ``SCN-<code>-<suffix>``: ``SCN-11-D1``."""

    code: str
    calendar: Calendar
    accounts: list[Account] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    registrations: list[Registration] = field(default_factory=list)
    touches: list[Touch] = field(default_factory=list)
    deal_partners: list[DealPartner] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)

    def key(self, suffix: str) -> str:
        return f"SCN-{self.code}-{suffix}"

    def ago(self, days: int, clock: str = "10:00") -> datetime:
        return self.calendar.at(days, clock)

    @property
    def fresh(self) -> datetime:
        """Last evening: within every response time, whatever the hour of the demo."""
        return self.ago(1, "20:00")

    @property
    def pair(self) -> tuple[str, str]:
        """Two partners of good standing, A and B of the scenario."""
        number = spread(1, 6, "cast", self.code)
        return cast_key(f"A{number}"), cast_key(f"B{number}")

    def account(self, name: str, suffix: str = "X", **more: Any) -> Account:
        values: dict[str, Any] = {
            "website": f"{slug(name)}.example",
            "country": "Germany",
            "segment": "retail",
            "owner": self._seller(),
            "created_at": self.ago(spread(400, 700, "created", self.code, suffix)),
            **more,
        }
        account = Account(key=self.key(suffix), name=name, **values)
        self.accounts.append(account)
        return account

    def deal(self, account: Account, suffix: str, created_at: datetime, product: str = P1, **more: Any) -> Deal:
        stage = more.get("stage", "qualified")
        closed = stage.startswith("closed")
        values: dict[str, Any] = {
            "stage": stage,
            "motion": "new_business",
            "amount": 48_000,
            "currency": "USD",
            "owner": account.owner,
            "close_date": self.calendar.day(-45),
            "last_activity_on": more["close_date"] if closed else self.calendar.day(2),
            "lead_source": "Web",
            "lost_reason": "Price" if stage == "closed_lost" else None,
            **more,
        }
        key = self.key(suffix)
        name = f"{account.name} – {product} ({key})"
        deal = Deal(key=key, name=name, account=account.key, product=product, created_at=created_at, **values)
        self.deals.append(deal)
        return deal

    def registration(
        self, suffix: str, partner: str, state: str, submitted_at: datetime, account: Account | None, **more: Any
    ) -> Registration:
        """``account`` is linked and described; without one, ``more`` carries the partner's own description."""
        key = self.key(suffix)
        described: dict[str, Any] = {}
        if account:
            described = {
                "account": account.key,
                "account_name": account.name,
                "account_domain": domain_of(account.website),
                "account_country": country_code(account.country),
                "contact_name": "Robin Winter",
                "contact_email": f"{slug(key)}@{domain_of(account.website)}",
            }
        values: dict[str, Any] = {
            "products": (P1,),
            "amount": 48_000,
            "currency": "USD",
            "expected_close": self.calendar.day(-60),
            "evidence": "Meeting notes with the customer",
            "submitted_by": f"channel@{slug(partner)}.example",
            "submitted_by_type": "partner",
            "intake_channel": "form",
            **described,
            **more,
        }
        registration = Registration(
            key=key, partner=partner, state=state, submitted_at=submitted_at, created_at=submitted_at, **values
        )
        self.registrations.append(registration)
        return registration

    def approved(
        self, suffix: str, partner: str, approved_at: datetime, account: Account | None, **more: Any
    ) -> Registration:
        """A registration that the channel desk approved the day after it came in."""
        values = {"state": "approved", "submitted_at": approved_at - timedelta(days=1), **more}
        state, submitted_at = values.pop("state"), values.pop("submitted_at")
        decision = {"approved_at": approved_at, "decided_at": approved_at, "decided_by": _OFFICE}
        return self.registration(suffix, partner, state, submitted_at, account, **{**decision, **values})

    def touch(self, suffix: str, partner: str, kind: str, occurred_at: datetime, **more: Any) -> Touch:
        values: dict[str, Any] = {"logged_at": occurred_at + timedelta(hours=2), "source_ref": "cal-scn", **more}
        name = f"{kind.replace('_', ' ').capitalize()} ({self.key(suffix)})"
        touch = Touch(key=self.key(suffix), name=name, partner=partner, type=kind, occurred_at=occurred_at, **values)
        self.touches.append(touch)
        return touch

    def _seller(self) -> str:
        return seller_key(_SELLERS[spread(0, len(_SELLERS) - 1, "seller", self.code)])


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named situation. ``code`` begins with the number of the field's list of hard cases, where it has one."""

    code: str
    shows: str
    build: Callable[[Bench], None]


SCENARIOS: dict[str, Scenario] = {}
"""Filled by the modules of this package, in reading order."""


def scenario(code: str, shows: str) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
    """Register a builder under its code; ``shows`` is what the demo's reader is told to expect."""

    def register(build: Callable[[Bench], None]) -> Callable[[Bench], None]:
        SCENARIOS[code] = Scenario(code, shows, build)
        return build

    return register
