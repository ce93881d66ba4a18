"""What else ties partners to deals: touches, opportunity partners, and fields that sellers filled in by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from crmsync.sandbox.world.dates import Calendar, chance, office_hour, spread
from crmsync.sandbox.world.model import Deal, DealPartner, Partner, Registration, Touch
from crmsync.sandbox.world.partners import is_registering

TOUCH_TYPES = (
    "intro", "meeting", "demo", "technical_validation", "referral_link", "rfp_help", "exec_sponsor",
    "implementation_scoping", "email",
)  # fmt: skip
PARTNER_ROLES = ("VAR/Reseller", "System Integrator", "Distributor", "Consultant")
"""Values of Salesforce's standard PartnerRole that the world uses."""
_INFLUENCED_DEALS = 78
_ROLE_OF_TYPE = {
    "distributor": "Distributor",
    "si": "System Integrator",
    "msp": "System Integrator",
    "services": "System Integrator",
    "consultant": "Consultant",
    "referral": "Consultant",
}


def build_touches(
    deals: Sequence[Deal], registrations: Sequence[Registration], partners: Sequence[Partner], calendar: Calendar
) -> tuple[Touch, ...]:
    """Work that partners did on their own deals, and on some deals that they never registered."""
    by_key = {deal.key: deal for deal in deals}
    own = ((by_key[r.deal], r.partner) for r in registrations if r.deal and chance("touched", r.key) < 0.6)
    others = _influenced(deals, registrations, partners, calendar)
    touches = [touch for deal, partner in (*own, *others) for touch in _touches_on(deal, partner, calendar)]
    return tuple(replace(touch, key=f"TCH-{number:05d}") for number, touch in enumerate(touches, 1))


def _influenced(
    deals: Sequence[Deal], registrations: Sequence[Registration], partners: Sequence[Partner], calendar: Calendar
) -> Iterator[tuple[Deal, str]]:
    """Direct deals of the last months on which a partner helped; two partners on every tenth."""
    registered = {r.deal for r in registrations}
    live = [p.key for p in partners if is_registering(p)]
    recent = (
        deal
        for deal in deals
        if deal.account
        and deal.key not in registered
        and deal.created_at.date() > calendar.day(200)
        and chance("influenced", deal.key) < 0.1
    )
    for deal in islice(recent, _INFLUENCED_DEALS):
        first = spread(0, len(live) - 1, "influencer", deal.key)
        yield deal, live[first]
        if chance("second influencer", deal.key) < 0.1:
            yield deal, live[(first + 7) % len(live)]


def _touches_on(deal: Deal, partner: str, calendar: Calendar) -> Iterator[Touch]:
    begin = deal.created_at.date()
    end = min(deal.close_date, calendar.day(1))
    for number in range(spread(1, 4, "touches", deal.key, partner)):
        seed = (deal.key, partner, number)
        kind = TOUCH_TYPES[spread(0, len(TOUCH_TYPES) - 1, "kind", *seed)]
        day = begin + timedelta(days=spread(0, max(0, min((end - begin).days, 60)), "day", *seed))
        occurred = min(office_hour(day, *seed), calendar.at(1, "12:00"))
        yield Touch(
            key="",
            name=f"{kind.replace('_', ' ').capitalize()}: {deal.name}"[:80],
            partner=partner,
            type=kind,
            occurred_at=occurred,
            logged_at=_logged(occurred, calendar, *seed),
            deal=deal.key,
            account=deal.account,
            source_ref=f"cal-{spread(100000, 999999, 'source', *seed)}" if chance("source?", *seed) < 0.6 else None,
        )


def _logged(occurred: datetime, calendar: Calendar, *seed: object) -> datetime:
    """Mostly the same day; one in thirty is written down more than a month later."""
    days = spread(35, 60, "backdated", *seed) if chance("backdated?", *seed) < 0.033 else 0
    return calendar.past(occurred + timedelta(days=days, hours=spread(0, 30, "logged", *seed)))


def build_deal_partners(
    deals: Iterable[Deal], registrations: Iterable[Registration], partners: Iterable[Partner]
) -> tuple[DealPartner, ...]:
    """The CRM's own partner list of a deal, kept by sellers on about every third registered deal."""
    types = {partner.key: partner.type for partner in partners}
    known = {deal.key for deal in deals}
    return tuple(
        DealPartner(deal=r.deal, partner=r.partner, role=_ROLE_OF_TYPE.get(types[r.partner], "VAR/Reseller"))
        for r in registrations
        if r.deal in known and r.deal and chance("opportunity partner", r.key) < 0.35
    )


def fill_by_hand(
    deals: Iterable[Deal], registrations: Sequence[Registration], partners: Sequence[Partner]
) -> tuple[Deal, ...]:
    """Some sellers kept partner fields themselves: most of them right, some without the number, some wrong."""
    by_deal = {r.deal: r for r in registrations if r.deal}
    live = [p for p in partners if is_registering(p)]
    return tuple(_filled(deal, by_deal.get(deal.key), live) for deal in deals)


def _filled(deal: Deal, registration: Registration | None, live: Sequence[Partner]) -> Deal:
    draw = chance("by hand", deal.key)
    if registration is None:
        stray = draw < 0.012 and deal.account is not None and deal.stage in ("proposal", "negotiation", "committed")
        return replace(deal, partner=_other(live, deal, None), partner_role="resale") if stray else deal
    if draw >= 0.35:
        return deal
    right = replace(
        deal,
        partner=registration.partner,
        partner_role="sourcing" if draw < 0.2 else None,
        registration_number=registration.key,
        lead_source="Partner Referral",
    )
    if draw < 0.22:
        return right
    if draw < 0.29:
        return replace(right, registration_number=None)
    if draw < 0.32:
        return replace(right, registration_number=registration.key.replace("DR-1", "DR1"))
    return replace(right, partner=_other(live, deal, registration.partner), registration_number=None)


def _other(live: Sequence[Partner], deal: Deal, right: str | None) -> str:
    candidates = [partner.key for partner in live if partner.key != right]
    return candidates[spread(0, len(candidates) - 1, "other partner", deal.key)]
