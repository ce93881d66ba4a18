"""What else is known about a registration's customer, partner and deal at the time it was submitted.

Worked out when a term of eligibility asks, and never before: most registrations are asked one or two things.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from crmsync.records import Deal, FieldType, Registration, Stage, TouchType

if TYPE_CHECKING:
    from crmsync.rules.situation import Situation

NAMES: Mapping[str, FieldType] = MappingProxyType(
    {
        "last_vendor_contact_on": FieldType("date"),
        "last_purchase_on": FieldType("date"),
        "last_partner_activity_on": FieldType("date"),
        "last_sold_by": FieldType("text"),
        "open_direct_deals": FieldType("int"),
        "partner_count": FieldType("int"),
        "evidence_count": FieldType("int"),
        "open_registrations": FieldType("int"),
        "annual_value": FieldType("decimal"),
        "region": FieldType("text"),
    }
)
"""The names that conditions on a registration can use beside fields."""

_ITEMS = re.compile(r"[;\n]")
PERPETUAL_YEARS = 6
"""A contract without end is valued as one of so many years, unless the policy says otherwise."""


class Background:
    """One registration's; a neighbour that came later than the registration is not seen."""

    def __init__(
        self, registration: Registration, deal: Deal | None, account_id: str | None, situation: Situation
    ) -> None:
        self._registration = registration
        self._deal = deal
        self._account_id = account_id
        self._situation = situation

    @property
    def last_vendor_contact_on(self) -> date | None:
        """Of our own people: on the account, or on deals there that no partner has to do with."""
        account = self._situation.accounts.get(self._account_id or "")
        found = [account.last_contact_on] if account else []
        found += [deal.last_activity_on for deal in self._deals() if self._is_direct(deal)]
        return max((day for day in found if day and self._was_before(day)), default=None)

    @property
    def last_purchase_on(self) -> date | None:
        return self.last_purchase(same_product=False)

    def last_purchase(self, *, same_product: bool) -> date | None:
        """The close date of the last deal won with the customer before."""
        return max((d.close_date for d in self._won(same_product=same_product) if d.close_date), default=None)

    def _won(self, *, same_product: bool) -> list[Deal]:
        products = self._registration.products
        won = [d for d in self._deals() if d.stage == Stage.CLOSED_WON and d is not self._deal]
        if same_product:
            won = [d for d in won if not products or not d.products or not set(products).isdisjoint(d.products)]
        return [d for d in won if d.close_date and self._was_before(d.close_date)]

    @property
    def last_sold_by(self) -> str:
        """Who sold one of these products last: ``nobody``, ``direct``, ``this_partner``, ``another_partner``."""
        won = self._won(same_product=True)
        last = max(won, key=lambda d: (d.close_date or date.min, d.id), default=None)
        if last is None:
            return "nobody"
        partner_id = self._situation.partner_on.get(last.id)
        if partner_id is None:
            return "direct"
        own = self._situation.resolve(self._registration.partner_id)
        return "this_partner" if partner_id == own else "another_partner"

    @property
    def last_partner_activity_on(self) -> date | None:
        """The day of the partner's latest activity on the deal or the account."""
        moments = partner_activity(self._registration, self._deal, self._account_id, self._situation)
        return self._situation.timeline.day_of(moments[-1]) if moments else None

    @property
    def open_direct_deals(self) -> int:
        """Open deals of our own sellers with the customer, older than the registration, with a product in common."""
        return sum(1 for deal in self._deals() if self._is_direct(deal) and self._is_open_rival(deal))

    @property
    def partner_count(self) -> int:
        """Partners on the deal: by field, by link and by registration."""
        situation, deal = self._situation, self._deal
        found = {situation.resolve(self._registration.partner_id)}
        if deal is not None:
            found.add(situation.partner_on.get(deal.id))
            links = situation.links_of.get(deal.id, ())
            found |= {situation.resolve(link.to_id) for link in links if link.name == "deal_partner"}
            same = (r for r in situation.registrations.values() if r.deal_id == deal.id)
            found |= {situation.resolve(r.partner_id) for r in same}
        return len(found - {None})

    @property
    def evidence_count(self) -> int:
        """Entries of ``evidence``, separated by semicolons or lines."""
        return sum(1 for item in _ITEMS.split(self._registration.evidence or "") if item.strip())

    @property
    def open_registrations(self) -> int:
        """Of the partner, over the whole CRM, as far as is known."""
        return self._situation.open_registrations(self._situation.resolve(self._registration.partner_id))

    @property
    def annual_value(self) -> Decimal | None:
        return self.annual(PERPETUAL_YEARS)

    def annual(self, perpetual_years: int) -> Decimal | None:
        """The amount of one year of the contract, in corporate currency."""
        record = self._registration
        amount = self._situation.in_corporate_of(record)
        if amount is None:
            return None
        if record.is_perpetual:
            return amount / perpetual_years
        return amount * 12 / record.contract_months if record.contract_months else amount

    @property
    def region(self) -> str | None:
        """The customer's country: the account's, or else as the partner gave it."""
        account = self._situation.accounts.get(self._account_id or "")
        country = (account.country if account else None) or self._registration.account_country
        return country.strip().upper() if country else None

    # ------------------------------------------------------------ the customer's deals

    def _deals(self) -> list[Deal]:
        return self._situation.deals_at.get(self._account_id or "", [])

    def _is_direct(self, deal: Deal) -> bool:
        links = self._situation.links_of.get(deal.id, ())
        if deal is self._deal or any(link.name == "deal_partner" for link in links):
            return False
        return self._situation.partner_on.get(deal.id) is None

    def _is_open_rival(self, deal: Deal) -> bool:
        submitted_at, mine = self._registration.submitted_at, self._registration.products
        if deal.stage in (Stage.CLOSED_WON, Stage.CLOSED_LOST) or deal.created_at is None or submitted_at is None:
            return False
        shared = not mine or not deal.products or not set(mine).isdisjoint(deal.products)
        return shared and deal.created_at < submitted_at

    def _was_before(self, day: date) -> bool:
        submitted_at = self._registration.submitted_at
        return submitted_at is None or day <= self._situation.timeline.day_of(submitted_at)


def partner_activity(
    registration: Registration,
    deal: Deal | None,
    account_id: str | None,
    situation: Situation,
    types: Collection[TouchType] | None = None,
) -> list[datetime]:
    """When the registration's partner did something on its deal or account, in order; only what has happened.

    ``types`` says what counts; everything does where it is left out.
    """
    partner_id = situation.resolve(registration.partner_id)
    deal_id = registration.deal_id or (deal.id if deal else None)
    touches = [*situation.touches_on.get(deal_id or "", ()), *situation.touches_at.get(account_id or "", ())]
    touches = [touch for touch in touches if types is None or touch.type is None or touch.type in types]
    own = (t.occurred_at for t in touches if partner_id and situation.resolve(t.partner_id) == partner_id)
    return sorted(at for at in own if at is not None and situation.timeline.passed(at))
