"""The generated programme: registrations in every state, tied to deals of the base or to companies that no CRM knows.

Each recipe says how many, in which state, how old, and on what. What it does not say follows from the serial number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count, islice
from typing import Any

from crmsync.sandbox.world.base import PRODUCTS
from crmsync.sandbox.world.dates import Calendar, chance, office_hour, spread
from crmsync.sandbox.world.market import Market, Pair, pair_of
from crmsync.sandbox.world.model import Account, Contact, Deal, Partner, Registration
from crmsync.sandbox.world.names import LANDS, country_code, currency_of, mail, person, prospect_name, slug
from crmsync.sandbox.world.partners import MANAGERS, is_registering
from crmsync.sandbox.world.people import domain_of

_CHANNELS = ("form", "form", "e-mail", "import")
_EVIDENCE = (
    "Meeting notes with the customer's IT manager",
    "Discovery call, agenda and attendees attached",
    "Request for quotation received by the partner",
    "Workshop report, signed by the customer",
    "",
)
_REJECTIONS = ("Existing customer project", "Below the minimum size", "No proof of engagement", "Public tender")
_YEN_PER_USD = 150


@dataclass(slots=True)
class Programme:
    """What the recipes have made so far, and where they find partners and accounts."""

    calendar: Calendar
    market: Market
    partners: tuple[Partner, ...]
    contacts: dict[str, list[Contact]]
    made: list[Registration] = field(default_factory=list)
    _serial: Iterator[int] = field(default_factory=count)
    _prospects: Iterator[int] = field(default_factory=count)

    def partner(self, *seed: object, other_than: str | None = None) -> Partner:
        live = [p for p in self.partners if is_registering(p) and p.key != other_than]
        return live[spread(0, len(live) - 1, "partner", *seed)]

    # ------------------------------------------------------------- one registration

    def add(
        self, state: str, submitted_at: datetime | None, product: str, partner: Partner, **more: Any
    ) -> Registration:
        """File a registration; ``more`` overrides what would follow from its serial number."""
        serial = next(self._serial)
        amount, currency = self._amount(product, partner, serial)
        values: dict[str, Any] = {
            "amount": amount,
            "currency": currency,
            "evidence": _EVIDENCE[spread(0, len(_EVIDENCE) - 1, "evidence", serial)] or None,
            "expected_close": self.calendar.day(-spread(20, 150, "expected", serial)),
            "intake_channel": _CHANNELS[spread(0, len(_CHANNELS) - 1, "channel", serial)],
            "submitted_by_type": "channel_user" if chance("behalf", serial) < 0.1 else "partner",
            "submitted_by": self._submitter(partner),
            **more,
        }
        registration = Registration(
            key=f"{serial}",
            partner=partner.key,
            state=state,
            submitted_at=submitted_at,
            created_at=submitted_at or self.calendar.at(spread(1, 30, "drafted", serial)),
            products=(product,),
            **values,
        )
        self.made.append(registration)
        return registration

    def on_account(self, key: str, *seed: object) -> dict[str, Any]:
        """The customer as a record of the CRM, with the partner's own spelling of it."""
        account = self.market.account(key)
        return {"account": key, **_snapshot(account), **self._customer_contact(account, *seed)}

    def on_known_company(self, key: str, *seed: object) -> dict[str, Any]:
        """A customer that the CRM has, though nobody has linked the record yet."""
        return {**self.on_account(key, *seed), "account": None}

    def on_prospect(self) -> dict[str, Any]:
        """A customer that no CRM knows."""
        number = next(self._prospects)
        name = prospect_name(number)
        land = list(LANDS.values())[number % len(LANDS)]
        given, family = person(land.name, "prospect", number)
        domain = f"{slug(name)}.{'invalid' if number % 9 == 8 else 'example'}"
        return {
            "account_name": name,
            "account_domain": domain,
            "account_country": land.code,
            "contact_name": f"{given} {family}",
            "contact_email": mail(given, family, domain),
        }

    def decision(self, approved_at: datetime, *, approved: bool = True) -> dict[str, Any]:
        by = MANAGERS[spread(0, len(MANAGERS) - 1, "by", approved_at)]
        stamp = {"decided_at": approved_at, "decided_by": f"{by.first_name} {by.last_name}"}
        return {**stamp, "approved_at": approved_at} if approved else stamp

    def _amount(self, product: str, partner: Partner, serial: int) -> tuple[int, str]:
        currency = currency_of(partner.country) if chance("local money", serial) < 0.6 else "USD"
        dollars = self.market.prices[product] * spread(2, 40, "units", serial)
        return (dollars * _YEN_PER_USD if currency == "JPY" else dollars), currency

    def _submitter(self, partner: Partner) -> str | None:
        people = self.contacts.get(partner.key, [])
        return people[0].email if people else None

    def _customer_contact(self, account: Account, *seed: object) -> dict[str, Any]:
        people = self.contacts.get(account.key, [])
        if not people:
            return {}
        who = people[spread(0, len(people) - 1, "customer contact", *seed)]
        return {"contact_name": f"{who.first_name} {who.last_name}", "contact_email": who.email}


def _snapshot(account: Account) -> dict[str, Any]:
    return {
        "account_name": account.name,
        "account_domain": domain_of(account.website),
        "account_country": country_code(account.country),
        "account_number": account.company_number,
    }


# ---------------------------------------------------------------------- recipes


def build_registrations(programme: Programme, total: int) -> tuple[Registration, ...]:
    """``total`` registrations, numbered in the order of their making in the old system."""
    _sourced(programme, 36)
    _late(programme, 8)
    _lapsed(programme, 30)
    _exclusive(programme, 24)
    _held(programme, 8)
    _pending(programme)
    _rivals(programme, 4)
    _twice(programme, 4)
    _closed(programme, "closed_won", 56)
    _closed(programme, "closed_lost", 28)
    _historic(programme, total - len(programme.made))
    ordered = sorted(programme.made, key=lambda r: (r.created_at, int(r.key)))
    return tuple(replace(r, key=f"DR-{number:05d}") for number, r in enumerate(ordered, 10001))


def _sourced(programme: Programme, number: int) -> None:
    """Registered first, then the deal: the partner brought it."""
    for deal in islice(programme.market.open_alone(youngest=2, oldest=86), number):
        submitted = deal.created_at - timedelta(hours=spread(20, 90, "before", deal.key))
        approved = min(submitted + timedelta(hours=spread(4, 40, "decided", deal.key)), deal.created_at)
        _for_deal(programme, deal, "approved", submitted, approved)


def _late(programme: Programme, number: int) -> None:
    """Our seller was first; the partner registered days later, and a human let it pass."""
    for deal in islice(programme.market.open_alone(youngest=12, oldest=86), number):
        submitted = deal.created_at + timedelta(days=spread(2, 8, "after", deal.key))
        _for_deal(programme, deal, "approved", submitted, submitted + timedelta(days=1))


def _lapsed(programme: Programme, number: int) -> None:
    """Windows that have ended on deals that go on; half of them still say *approved*."""
    for place, deal in enumerate(islice(programme.market.open_alone(youngest=100, oldest=430), number)):
        submitted = deal.created_at - timedelta(hours=spread(20, 90, "before", deal.key))
        state = {"closure_code": "expired"} if place % 2 else {}
        approved = submitted + timedelta(hours=16)
        _for_deal(programme, deal, "expired" if place % 2 else "approved", submitted, approved, **state)


def _exclusive(programme: Programme, number: int) -> None:
    """Protected, and no deal yet; a third of them end within two weeks."""
    for place in range(number):
        account, product = programme.market.quiet()
        age = spread(78, 88, "age", account, product) if place % 3 == 0 else spread(4, 70, "age", account, product)
        _approved_on(programme, (account, product), age)


def _approved_on(programme: Programme, pair: Pair, age: int) -> Registration:
    approved = office_hour(programme.calendar.day(age), *pair)
    more = {**programme.on_account(pair[0], *pair), **programme.decision(approved)}
    return programme.add("approved", approved - timedelta(hours=30), pair[1], programme.partner(*pair), **more)


def _held(programme: Programme, number: int) -> None:
    """A second partner waits behind an exclusive registration."""
    for _ in range(number):
        pair = programme.market.quiet()
        first = _approved_on(programme, pair, spread(10, 60, "age", *pair))
        rival = programme.partner("rival", *pair, other_than=first.partner)
        submitted = office_hour(programme.calendar.day(spread(2, 8, "held", *pair)), "held", *pair)
        programme.add("on_hold", submitted, pair[1], rival, **programme.on_account(pair[0], "rival", *pair))


def _pending(programme: Programme) -> None:
    """Work on the channel desk: half of it fresh, half of it late."""
    for state, number in (("draft", 12), ("submitted", 18), ("under_review", 14), ("pending_approval", 15)):
        for place in range(number):
            submitted = None if state == "draft" else _waiting_since(programme.calendar, state, place)
            where = place % 5
            pair = programme.market.contested() if where == 4 and place < 10 else programme.market.idle()
            if where in (0, 3):
                customer = programme.on_prospect()
            elif where == 1:
                customer = programme.on_known_company(pair[0], state, place)
            else:
                customer = programme.on_account(pair[0], state, place)
            programme.add(state, submitted, pair[1], programme.partner(state, place), **customer)


def _waiting_since(calendar: Calendar, state: str, place: int) -> datetime:
    if place % 2:
        return office_hour(calendar.day(spread(3, 12, "late", state, place)), state, place)
    return calendar.at(1, f"{spread(14, 22, 'fresh', state, place)}:{spread(10, 59, 'minute', state, place)}")


def _rivals(programme: Programme, number: int) -> None:
    """Two partners, one customer, nobody approved yet."""
    for place in range(number):
        pair = programme.market.idle()
        first, submitted = programme.partner("first", *pair), programme.calendar.at(1, f"{14 + place}:05")
        rival = programme.partner("second", *pair, other_than=first.key)
        programme.add("pending_approval", submitted, pair[1], first, **programme.on_account(pair[0], 1))
        programme.add(
            "submitted", submitted + timedelta(hours=2), pair[1], rival, **programme.on_known_company(pair[0], 2)
        )


def _twice(programme: Programme, number: int) -> None:
    """Two people of one partner register the same thing."""
    for place in range(number):
        pair = programme.market.quiet()
        first = _approved_on(programme, pair, spread(5, 40, "age", *pair))
        partner = next(p for p in programme.partners if p.key == first.partner)
        customer = programme.on_known_company(pair[0], "again", place)
        programme.add("submitted", programme.calendar.at(1, f"{15 + place}:20"), pair[1], partner, **customer)


def _closed(programme: Programme, stage: str, number: int) -> None:
    """Registrations of won and lost deals; every fifth still says *approved*."""
    for place, deal in enumerate(islice(programme.market.closed(stage), number)):
        submitted = deal.created_at - timedelta(hours=spread(20, 120, "before", deal.key))
        approved = submitted + timedelta(hours=16)
        if place % 5 == 4:
            _for_deal(programme, deal, "approved", submitted, approved)
        else:
            _for_deal(programme, deal, "closed", submitted, approved, closure_code="converted")


def _for_deal(
    programme: Programme, deal: Deal, state: str, submitted: datetime, approved: datetime, **more: Any
) -> None:
    account, product = pair_of(deal)
    customer = programme.on_account(account, deal.key)
    decision = programme.decision(programme.calendar.past(approved))
    values = {
        **customer,
        **decision,
        "deal": deal.key,
        "motion": deal.motion,
        "expected_close": deal.close_date,
        **more,
    }
    programme.add(state, submitted, product, programme.partner("deal", deal.key), **values)


def _historic(programme: Programme, number: int) -> None:
    """Old business, mostly with companies that never became customers."""
    kinds = (
        ("rejected", "rejected"), ("expired", "expired"), ("withdrawn", "withdrawn"), ("returned", None),
        ("rejected", "conflict_lost"), ("expired", "expired"), ("closed", "incomplete"), ("revoked", "policy"),
        ("closed", "duplicate"), ("rejected", "rejected"), ("returned", None), ("revoked", "customer_choice"),
        ("closed", "superseded"), ("expired", "expired"),
    )  # fmt: skip
    for place in range(number):
        state, closure = kinds[place % len(kinds)]
        age = spread(3, 25, "age", place) if state == "returned" else spread(100, 420, "age", place)
        submitted = office_hour(programme.calendar.day(age), "historic", place)
        more: dict[str, Any] = {**programme.on_prospect(), "closure_code": closure}
        if state in ("expired", "revoked"):
            more |= programme.decision(submitted + timedelta(hours=26))
        elif state != "withdrawn":
            more |= programme.decision(submitted + timedelta(hours=26), approved=False)
        if state == "rejected":
            more["decision_reason"] = _REJECTIONS[place % len(_REJECTIONS)]
        product = PRODUCTS[place % len(PRODUCTS)]
        programme.add(state, submitted, product, programme.partner("historic", place), **more)
