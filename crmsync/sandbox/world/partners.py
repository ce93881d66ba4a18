"""The partner programme: 60 invented partners with types, tiers, agreements and certificates.

The *cast* are the partners that the scenarios use; they hold no other registrations, so each scenario stays clean.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from crmsync.sandbox.world.base import VENDOR_DOMAIN
from crmsync.sandbox.world.dates import Calendar, chance, office_hour, spread
from crmsync.sandbox.world.model import Certification, Contact, Partner, Seller
from crmsync.sandbox.world.names import LANDS, partner_name, slug

PARTNER_COUNT = 60
TIERS = ("silver", "gold", "platinum")
MANAGERS = (
    Seller(key=f"ines.duarte@{VENDOR_DOMAIN}", first_name="Ines", last_name="Duarte", title="Partner Manager"),
    Seller(key=f"tomasz.krol@{VENDOR_DOMAIN}", first_name="Tomasz", last_name="Krol", title="Partner Manager"),
    Seller(key=f"hannah.berg@{VENDOR_DOMAIN}", first_name="Hannah", last_name="Berg", title="Partner Manager"),
)

_SUFFIXES = {
    "reseller": "IT Supply",
    "var": "Systems",
    "msp": "Managed Services",
    "si": "Integration",
    "distributor": "Distribution",
    "consultant": "Consulting",
    "referral": "Advisors",
    "technology": "Technologies",
    "isv": "Software",
    "marketplace": "Marketplace",
    "services": "Field Services",
    "oem": "Devices",
}
_TYPES = (
    "reseller", "var", "si", "msp", "consultant", "reseller", "distributor", "referral", "technology", "var", "isv",
    "services", "si", "marketplace", "reseller", "oem",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A role in the scenarios: who plays it, and what is special about them."""

    code: str
    type: str
    status: str = "active"
    agreement: str = "active"
    certificate: str = "active"


CAST = (
    *(Part(f"A{pair}", kind) for pair, kind in enumerate(("reseller", "var", "reseller", "si", "msp", "var"), 1)),
    *(Part(f"B{pair}", kind) for pair, kind in enumerate(("var", "reseller", "si", "reseller", "var", "msp"), 1)),
    Part("C", "consultant"),
    Part("Z", "distributor"),
    Part("U", "reseller", certificate="none"),
    Part("L", "reseller", certificate="lapsed"),
    Part("N", "var", agreement="expired"),
    Part("S", "reseller", status="suspended"),
    Part("M1", "reseller"),
    Part("M2", "reseller"),
)


def cast_key(code: str) -> str:
    """The key of the partner who plays ``code`` (``A1``, ``B1``, ``C``, …) in the scenarios."""
    return f"SCN-P-{code}"


def build_partners(calendar: Calendar) -> tuple[Partner, ...]:
    """The cast, then the others, 60 in all once the merged one has gone."""
    others = PARTNER_COUNT - len(CAST) + 1
    return (
        *(_cast_partner(number, part, calendar) for number, part in enumerate(CAST)),
        *(_other_partner(number, calendar) for number in range(len(CAST), len(CAST) + others)),
    )


def _cast_partner(number: int, part: Part, calendar: Calendar) -> Partner:
    tier = TIERS[number % len(TIERS)]
    return _partner(cast_key(part.code), number, part.type, tier, part.status, part.agreement, calendar)


def _other_partner(number: int, calendar: Calendar) -> Partner:
    key = f"prt-{number:03d}"
    tier = (*TIERS, None)[spread(0, 3, "tier", key)]
    status, agreement = _standing(number)
    return _partner(key, number, _TYPES[number % len(_TYPES)], tier, status, agreement, calendar)


def _standing(number: int) -> tuple[str, str]:
    """Status and agreement; most are active, and every combination that occurs in life is there."""
    rare = {
        3: ("prospect", "none"),
        7: ("prospect", "draft"),
        11: ("active", "expired"),
        15: ("terminated", "terminated"),
        19: ("suspended", "active"),
        23: ("active", "draft"),
        27: ("terminated", "expired"),
    }
    return rare.get(number % 41, ("active", "active"))


def _partner(
    key: str, number: int, kind: str, tier: str | None, status: str, agreement: str, calendar: Calendar
) -> Partner:
    name = partner_name(number, _SUFFIXES[kind])
    country = list(LANDS)[0 if chance("home", key) < 0.4 else spread(1, len(LANDS) - 1, "country", key)]
    begun = calendar.day(spread(420, 900, "agreement", key))
    start, end = _agreement_dates(agreement, begun, calendar, key)
    return Partner(
        key=key,
        name=name,
        website=f"{slug(name)}.{'test' if chance('tld', key) < 0.2 else 'example'}",
        country=country,
        type=kind,
        tier=tier if status == "active" else None,
        status=status,
        agreement_status=agreement,
        agreement_start=start,
        agreement_end=end,
        manager=MANAGERS[number % len(MANAGERS)].key,
        created_at=office_hour(calendar.day(spread(901, 1100, "joined", key)), key),
    )


def _agreement_dates(agreement: str, begun: date, calendar: Calendar, key: str) -> tuple[date | None, date | None]:
    match agreement:
        case "active":
            return begun, calendar.day(-spread(150, 700, "until", key))
        case "expired":
            return begun, calendar.day(spread(25, 90, "until", key))
        case "terminated":
            return begun, calendar.day(spread(120, 300, "until", key))
        case _:
            return None, None


def build_certifications(
    partners: Iterable[Partner], contacts: Sequence[Contact], calendar: Calendar
) -> tuple[Certification, ...]:
    """A sales certificate for nearly every active partner, and further ones of each type and status."""
    people: dict[str, str] = {}
    for contact in contacts:
        people.setdefault(contact.account, contact.key)
    standing = {cast_key(part.code): part.certificate for part in CAST}
    rows: list[Certification] = []
    for partner in partners:
        if partner.status == "prospect":
            continue
        sales = standing.get(partner.key) or _sales_standing(partner)
        if sales != "none":
            rows.append(_certification(partner, people.get(partner.key), "sales", sales, calendar))
        if partner.key.startswith("prt-") and chance("second", partner.key) < 0.5:
            kind = "technical" if partner.type in ("si", "msp", "services") else "product"
            rows.append(_certification(partner, people.get(partner.key), kind, _further_standing(partner), calendar))
    return tuple(rows)


def _sales_standing(partner: Partner) -> str:
    draw = chance("sales certificate", partner.key)
    return "lapsed" if draw < 0.06 else "in_progress" if draw < 0.12 else "active"


def _further_standing(partner: Partner) -> str:
    return ("active", "active", "expired", "in_progress", "revoked")[spread(0, 4, "further", partner.key)]


def _certification(partner: Partner, holder: str | None, kind: str, standing: str, calendar: Calendar) -> Certification:
    """``lapsed``: the date has passed and nobody has changed the status, which is how certificates lapse in life."""
    expires = {
        "active": calendar.day(-spread(40, 500, "expires", partner.key, kind)),
        "lapsed": calendar.day(5),
        "expired": calendar.day(spread(30, 200, "expires", partner.key, kind)),
        "revoked": calendar.day(-60),
    }.get(standing)
    key = f"crt-{partner.key}-{kind}"
    return Certification(
        key=key,
        name=f"{kind.title()} certificate, {partner.name}",
        partner=partner.key,
        contact=holder,
        type=kind,
        level=("associate", "professional", "expert")[spread(0, 2, "level", key)],
        status="active" if standing == "lapsed" else standing,
        earned_on=None if standing == "in_progress" else calendar.day(spread(380, 700, "earned", key)),
        expires_on=expires,
    )


def is_registering(partner: Partner) -> bool:
    """Whether the generated programme lets this partner hold live registrations."""
    return partner.key.startswith("prt-") and partner.status == "active" and partner.agreement_status == "active"
