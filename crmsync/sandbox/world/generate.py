"""The demo world: the real base, a partner programme over it, and the scenarios. One day gives one world, always."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import lru_cache

from crmsync.sandbox.world.base import Base, read_base
from crmsync.sandbox.world.dates import Calendar
from crmsync.sandbox.world.involvement import build_deal_partners, build_touches, fill_by_hand
from crmsync.sandbox.world.market import Market
from crmsync.sandbox.world.model import Contact, Deal, World
from crmsync.sandbox.world.partners import MANAGERS, build_certifications, build_partners
from crmsync.sandbox.world.people import build_contact_roles, build_contacts, build_twin_accounts
from crmsync.sandbox.world.registrations import Programme, build_registrations
from crmsync.sandbox.world.scenarios import Bench, build_scenarios

REGISTRATION_COUNT = 400
_SMALL_ACCOUNTS, _SMALL_DEALS_EACH, _SMALL_DEALS_WITHOUT_ACCOUNT = 10, 27, 25


@lru_cache(maxsize=2)
def build_demo_world(today: date) -> World:
    """All of it: 8,800 real opportunities, 60 partners, 400 registrations."""
    calendar = Calendar(today)
    base = read_base(calendar)
    benches = list(build_scenarios(calendar))
    partners = build_partners(calendar)
    customers = (
        *base.accounts,
        *build_twin_accounts(base.accounts, calendar),
        *(account for bench in benches for account in bench.accounts),
    )
    contacts = build_contacts(customers, partners)
    programme = Programme(calendar, Market(base, calendar), partners, _by_account(contacts))
    world = _with_programme(base, programme, benches)
    deals = world.deals
    return replace(
        world,
        accounts=customers,
        partners=partners,
        contacts=contacts,
        certifications=build_certifications(partners, contacts, calendar),
        contact_roles=build_contact_roles(deals, contacts),
    )


def _with_programme(base: Base, programme: Programme, benches: Iterable[Bench]) -> World:
    benches = list(benches)
    told = [registration for bench in benches for registration in bench.registrations]
    made = build_registrations(programme, REGISTRATION_COUNT - len(told))
    partners, calendar = programme.partners, programme.calendar
    return World(
        today=calendar.today,
        sellers=(*base.sellers, *MANAGERS),
        deals=(*fill_by_hand(base.deals, made, partners), *(deal for bench in benches for deal in bench.deals)),
        registrations=(*made, *told),
        touches=(
            *build_touches(base.deals, made, partners, calendar),
            *(touch for bench in benches for touch in bench.touches),
        ),
        deal_partners=(
            *build_deal_partners(base.deals, made, partners),
            *(row for bench in benches for row in bench.deal_partners),
        ),
        merges=tuple(merge for bench in benches for merge in bench.merges),
    )


def _by_account(contacts: Iterable[Contact]) -> dict[str, list[Contact]]:
    found: dict[str, list[Contact]] = defaultdict(list)
    for contact in contacts:
        found[contact.account].append(contact)
    return found


def build_small_world(today: date) -> World:
    """Every scenario, all partners, and ten base accounts with some of their deals: for tests that need it fast."""
    world = build_demo_world(today)
    base_keys = sorted((a.key for a in world.accounts if a.key.startswith("acc-")), key=_shuffle)[:_SMALL_ACCOUNTS]
    accounts = tuple(a for a in world.accounts if a.key.startswith("SCN-") or a.key in base_keys)
    kept = {account.key for account in accounts}
    deals = _few_deals(world, kept)
    deal_keys = {deal.key for deal in deals}
    companies = kept | {partner.key for partner in world.partners}
    return replace(
        world,
        accounts=tuple(replace(a, parent=a.parent if a.parent in kept else None) for a in accounts),
        contacts=tuple(c for c in world.contacts if c.account in companies),
        deals=deals,
        registrations=tuple(
            r
            for r in world.registrations
            if (r.deal is None or r.deal in deal_keys) and (r.account is None or r.account in kept)
        ),
        touches=tuple(t for t in world.touches if t.deal in deal_keys or (t.deal is None and t.account in kept)),
        contact_roles=tuple(row for row in world.contact_roles if row.deal in deal_keys),
        deal_partners=tuple(row for row in world.deal_partners if row.deal in deal_keys),
    )


def _few_deals(world: World, accounts: set[str]) -> tuple[Deal, ...]:
    """All deals with a registration or a touch, then as many others as fit."""
    involved = {r.deal for r in world.registrations} | {t.deal for t in world.touches}
    room: dict[str | None, int] = defaultdict(lambda: _SMALL_DEALS_EACH)
    room[None] = _SMALL_DEALS_WITHOUT_ACCOUNT
    chosen: set[str] = set()
    for deal in sorted(world.deals, key=lambda d: (d.key not in involved, _shuffle(d.key))):
        if deal.key.startswith("SCN-"):
            chosen.add(deal.key)
        elif room[deal.account] and (deal.account is None or deal.account in accounts):
            room[deal.account] -= 1
            chosen.add(deal.key)
    return tuple(deal for deal in world.deals if deal.key in chosen)


def build_blank_world(today: date) -> World:
    """People only: an org on the day before the partner programme."""
    world = build_demo_world(today)
    return World(today=today, sellers=world.sellers)


def _shuffle(key: str) -> tuple[int, str]:
    return (zlib.crc32(key.encode()), key)
