"""Contacts, and the near-duplicates of accounts and contacts that every CRM grows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from crmsync.sandbox.world.dates import Calendar, chance, office_hour, spread
from crmsync.sandbox.world.model import Account, Contact, ContactRole, Deal, Partner
from crmsync.sandbox.world.names import TITLES, mail, person, phone, slug

CONTACT_ROLES = ("Decision Maker", "Economic Buyer", "Evaluator", "Technical Buyer", "Influencer")
_TWINS = (
    # base account, second spelling, website of the second record
    ("Cancity", "Cancity Inc.", "cancity.example"),
    ("Kan-code", "Kan code", None),
    ("Hottechi", "Hottechi Ltd.", "www.hottechi.example"),
    ("Gekko & Co", "Gekko and Company", "gekko-co.example"),
    ("Condax", "CONDAX", "careers.condax.example"),
    ("Streethex", "Streethex SA", "http://streethex.example/fr"),
    ("Zoomit", "Zoomit, Inc", None),
    ("Ron-tech", "Rontech", "ron-tech.example"),
    ("Newex", "Newex GmbH", "newex.example"),
    ("Toughzap", "Tough Zap", "toughzap.example"),
    ("Stanredtax", "Stanredtax LLC", "WWW.STANREDTAX.EXAMPLE"),
    ("Plusstrip", "Plus Strip", None),
)
_CONTACT_TWINS = 20


def domain_of(website: str | None) -> str | None:
    """The bare host of a website as typed: ``https://www.acme.example/`` gives ``acme.example``."""
    if not website:
        return None
    host = urlsplit(website if "//" in website else f"//{website}").hostname or ""
    return host.removeprefix("www.") or None


def build_twin_accounts(accounts: Iterable[Account], calendar: Calendar) -> tuple[Account, ...]:
    """Second records of twelve companies, as people create them when a search finds nothing."""
    by_name = {account.name: account for account in accounts}
    return tuple(
        replace(
            by_name[name],
            key=f"twin-{slug(name)}",
            name=spelling,
            website=website,
            company_number=None,
            parent=None,
            created_at=office_hour(calendar.day(spread(10, 300, "twin", name)), "twin", name),
        )
        for name, spelling, website in _TWINS
        if name in by_name
    )


def build_contacts(accounts: Sequence[Account], partners: Sequence[Partner]) -> tuple[Contact, ...]:
    """Two to five people at each account, one to three at each partner, and some of them twice."""
    people = [
        *(
            _contact(account.key, number, account.website, account.country, account.owner, account)
            for account in accounts
            for number in range(_headcount(account))
        ),
        *(
            _contact(partner.key, number, partner.website, partner.country, partner.manager, partner)
            for partner in partners
            for number in range(spread(1, 3, "partner people", partner.key))
        ),
    ]
    return tuple(_each_address_once((*people, *_twins(people))))


def _headcount(account: Account) -> int:
    return 1 if account.key.startswith(("SCN-", "twin-")) else spread(2, 5, "people", account.key)


def _contact(
    owner_key: str, number: int, website: str | None, country: str | None, owner: str, company: Account | Partner
) -> Contact:
    seed = (owner_key, number)
    given, family = person(country, *seed)
    domain = domain_of(website)
    return Contact(
        key=f"con-{owner_key}-{number + 1}",
        account=owner_key,
        email=mail(given, family, domain) if domain and chance("mail", *seed) < 0.95 else None,
        first_name=given,
        last_name=family,
        title=TITLES[spread(0, len(TITLES) - 1, "title", *seed)],
        phone=phone(country, *seed) if chance("phone?", *seed) < 0.7 else None,
        owner=owner,
        created_at=company.created_at,
    )


def _twins(people: Sequence[Contact]) -> Iterable[Contact]:
    """The same person again: an initial, a mail subdomain, or no address (HubSpot refuses one address twice)."""
    originals = [c for c in people if c.email and c.account.startswith("acc-")]
    step = max(1, len(originals) // _CONTACT_TWINS)
    for number, contact in enumerate(originals[::step][:_CONTACT_TWINS]):
        local, _, domain = (contact.email or "").partition("@")
        emails = (f"{local[0]}.{local.partition('.')[2]}@{domain}", f"{local}@mail.{domain}", None)
        yield replace(
            contact,
            key=f"{contact.key}-twin",
            first_name=f"{contact.first_name[0]}." if number % 2 else contact.first_name,
            email=emails[number % len(emails)],
            title=None,
        )


def _each_address_once(people: Iterable[Contact]) -> Iterable[Contact]:
    seen: set[str] = set()
    for contact in people:
        email = contact.email
        if email in seen:
            local, _, domain = (email or "").partition("@")
            email = f"{local}.{contact.key.rpartition('-')[2]}@{domain}"
        seen.add(email or "")
        yield replace(contact, email=email) if email != contact.email else contact


def build_contact_roles(deals: Iterable[Deal], contacts: Iterable[Contact]) -> tuple[ContactRole, ...]:
    """One person on each open deal, two on every fifth."""
    at: dict[str, list[Contact]] = {}
    for contact in contacts:
        if not contact.key.endswith("-twin"):
            at.setdefault(contact.account, []).append(contact)
    return tuple(
        ContactRole(deal=deal.key, contact=contact.key, role=CONTACT_ROLES[(first + place) % len(CONTACT_ROLES)])
        for deal in deals
        if deal.account in at and not deal.stage.startswith("closed")
        for first in [spread(0, 4, "role", deal.key)]
        for place, contact in enumerate(_pick(at[deal.account or ""], deal))
    )


def _pick(people: Sequence[Contact], deal: Deal) -> list[Contact]:
    first = spread(0, len(people) - 1, "contact", deal.key)
    count = 2 if len(people) > 1 and chance("two", deal.key) < 0.2 else 1
    return [people[(first + place) % len(people)] for place in range(count)]
