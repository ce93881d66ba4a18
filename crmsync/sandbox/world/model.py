"""The demo world in neutral words: no CRM's ids, no CRM's field names.

Records point to each other by ``key``, which both CRMs keep as the legacy id. Enum values are the plain strings
of the partner glossary. Everything is frozen, so a world can be compared and digested.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """One of the vendor's own people. ``key`` is the e-mail address."""

    key: str
    first_name: str
    last_name: str
    title: str
    office: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    key: str
    name: str
    website: str | None
    """As somebody typed it: with or without scheme, ``www`` and path."""
    country: str | None
    owner: str
    created_at: datetime
    domain_aliases: tuple[str, ...] = ()
    company_number: str | None = None
    segment: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    key: str
    name: str
    website: str | None
    country: str
    type: str
    tier: str | None
    status: str
    agreement_status: str
    agreement_start: date | None
    agreement_end: date | None
    manager: str
    created_at: datetime
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    key: str
    account: str
    """Key of an account or of a partner."""
    email: str | None
    first_name: str
    last_name: str
    title: str | None
    phone: str | None
    owner: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    key: str
    name: str
    account: str | None
    owner: str
    stage: str
    motion: str
    amount: int | None
    currency: str
    created_at: datetime
    close_date: date
    last_activity_on: date | None
    product: str
    lead_source: str | None = None
    lost_reason: str | None = None
    # what sellers filled in by hand, right or wrong
    partner: str | None = None
    partner_role: str | None = None
    registration_number: str | None = None
    attribution_override: str | None = None
    attribution_override_by: str | None = None
    attribution_override_reason: str | None = None

    def modified_at(self, today: date) -> datetime:
        """The evening of the last activity, but never later than the first moment of ``today``."""
        last = datetime.combine(self.last_activity_on or self.created_at.date(), time(18), UTC)
        return min(max(last, self.created_at), datetime.combine(today, time(), UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    key: str
    """The number that partners and sellers quote."""
    partner: str
    state: str
    submitted_at: datetime | None
    products: tuple[str, ...]
    created_at: datetime
    original_partner: str | None = None
    account: str | None = None
    account_name: str | None = None
    account_domain: str | None = None
    account_country: str | None = None
    account_number: str | None = None
    contact_email: str | None = None
    contact_name: str | None = None
    deal: str | None = None
    motion: str | None = "new_business"
    amount: int | None = None
    currency: str | None = None
    expected_close: date | None = None
    evidence: str | None = None
    submitted_by: str | None = None
    submitted_by_type: str | None = None
    intake_channel: str | None = None
    closure_code: str | None = None
    approved_at: datetime | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    decision_reason: str | None = None
    extension_requested_at: datetime | None = None
    extension_granted_at: datetime | None = None
    extension_reason: str | None = None
    customer_letter_on: date | None = None

    @property
    def modified_at(self) -> datetime:
        stamps = (self.decided_at, self.approved_at, self.extension_requested_at, self.extension_granted_at)
        return max((self.created_at, *(stamp for stamp in stamps if stamp)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    key: str
    name: str
    partner: str
    type: str
    occurred_at: datetime
    logged_at: datetime
    deal: str | None = None
    account: str | None = None
    source_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certification:
    key: str
    name: str
    partner: str
    contact: str | None
    type: str
    level: str
    status: str
    earned_on: date | None
    expires_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRole:
    deal: str
    contact: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DealPartner:
    deal: str
    partner: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Two records that somebody merged in the CRM; ``kind`` is ``account`` or ``partner``."""

    kind: str
    master: str
    loser: str


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything both CRMs are loaded with. Each tuple is in a fixed order."""

    today: date
    sellers: tuple[Seller, ...] = ()
    accounts: tuple[Account, ...] = ()
    partners: tuple[Partner, ...] = ()
    contacts: tuple[Contact, ...] = ()
    deals: tuple[Deal, ...] = ()
    registrations: tuple[Registration, ...] = ()
    touches: tuple[Touch, ...] = ()
    certifications: tuple[Certification, ...] = ()
    contact_roles: tuple[ContactRole, ...] = ()
    deal_partners: tuple[DealPartner, ...] = ()
    merges: tuple[Merge, ...] = ()
