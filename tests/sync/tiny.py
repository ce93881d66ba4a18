"""A world of a few neighbourhoods, cut out of the small one: fast enough to be synced hundreds of times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from itertools import groupby

from crmsync.sandbox.world.generate import build_small_world
from crmsync.sandbox.world.model import Contact, World

SCENARIOS = ("SCN-1-", "SCN-3-", "SCN-4-", "SCN-12-", "SCN-EX-")
"""Two undecided partners, a protected claim, touches, an expansion, a window about to end."""
BASE_ACCOUNT = "acc-sumace"
BASE_DEALS = 3


def build_tiny_world(today: date) -> World:
    """Six accounts, about ten deals and registrations, and the partners that they name."""
    small = build_small_world(today)
    accounts = tuple(a for a in small.accounts if a.key.startswith(SCENARIOS) or a.key == BASE_ACCOUNT)
    kept = {account.key for account in accounts}
    base_deals = [d for d in small.deals if d.account == BASE_ACCOUNT][:BASE_DEALS]
    deals = (*base_deals, *(d for d in small.deals if d.key.startswith(SCENARIOS)))
    deal_keys = {deal.key for deal in deals}
    registrations = tuple(r for r in small.registrations if r.key.startswith(SCENARIOS))
    touches = tuple(t for t in small.touches if t.key.startswith(SCENARIOS))
    partner_keys = {record.partner for record in (*registrations, *touches)}
    companies = kept | partner_keys
    return replace(
        small,
        accounts=tuple(replace(a, parent=None) for a in accounts),
        partners=tuple(p for p in small.partners if p.key in partner_keys),
        contacts=tuple(_first_of_each(c for c in small.contacts if c.account in companies)),
        deals=deals,
        registrations=registrations,
        touches=touches,
        certifications=tuple(replace(c, contact=None) for c in small.certifications if c.partner in partner_keys),
        contact_roles=(),
        deal_partners=tuple(r for r in small.deal_partners if r.deal in deal_keys),
        merges=(),
    )


def _first_of_each(contacts: Iterable[Contact]) -> Iterable[Contact]:
    for _, group in groupby(sorted(contacts, key=lambda c: (c.account, c.key)), key=lambda c: c.account):
        yield next(group)
