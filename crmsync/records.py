"""The canonical records: what the rules see, whatever CRM the data came from.

Frozen and without I/O. Field names and enums follow the partner glossary (Partner, Deal, Registration, Touch, …); a
mapping file says which CRM field each one is read from and written to. Conventions that hold everywhere:

* ``*_id`` holds the CRM's own record id of the record it points to; ``None`` where there is none.
* ``*_at`` is an aware UTC instant, ``*_on`` and the other dates are dates in the policy's zone.
* money is ``Decimal`` in the record's ``currency`` (ISO 4217).
* ``extra`` holds fields that an admin added by mapping; rules may read them like any other field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias, get_args, get_type_hints

Value: TypeAlias = str | int | bool | Decimal | date | datetime | tuple[str, ...] | None
"""A canonical field value. ``datetime`` is always aware UTC."""


class Stage(StrEnum):
    """Deal stages, in selling order; the last three are closed or asleep."""

    REGISTERED = "registered"
    QUALIFIED = "qualified"
    PROPOSAL = "proposal"
    NEGOTIATION = "negotiation"
    COMMITTED = "committed"
    CLOSED_WON = "closed_won"
    CLOSED_LOST = "closed_lost"
    COLD = "cold"


class Motion(StrEnum):
    NEW_BUSINESS = "new_business"
    EXPANSION = "expansion"
    RENEWAL = "renewal"
    CROSS_SELL = "cross_sell"


class PartnerType(StrEnum):
    REFERRAL = "referral"
    RESELLER = "reseller"
    VAR = "var"
    MSP = "msp"
    SI = "si"
    DISTRIBUTOR = "distributor"
    OEM = "oem"
    ISV = "isv"
    TECHNOLOGY = "technology"
    MARKETPLACE = "marketplace"
    SERVICES = "services"
    AFFILIATE = "affiliate"
    WHITE_LABEL = "white_label"
    CONSULTANT = "consultant"


class PartnerRole(StrEnum):
    SOURCING = "sourcing"
    REFERRAL = "referral"
    RESALE = "resale"
    DISTRIBUTOR = "distributor"
    INFLUENCE = "influence"
    CO_SELL = "co_sell"
    IMPLEMENTATION = "implementation"
    PLATFORM = "platform"


class PartnerStatus(StrEnum):
    PROSPECT = "prospect"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


class AgreementStatus(StrEnum):
    NONE = "none"
    DRAFT = "draft"
    ACTIVE = "active"
    EXPIRED = "expired"
    TERMINATED = "terminated"


class RegistrationState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    PENDING_APPROVAL = "pending_approval"
    RETURNED = "returned"
    ON_HOLD = "on_hold"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    CLOSED = "closed"


class ClosureCode(StrEnum):
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    CONVERTED = "converted"
    INCOMPLETE = "incomplete"
    CONFLICT_LOST = "conflict_lost"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    CUSTOMER_CHOICE = "customer_choice"
    POLICY = "policy"


class ProtectionStatus(StrEnum):
    NONE = "none"
    PENDING = "pending"
    ACTIVE = "active"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    RELEASED = "released"


class Attribution(StrEnum):
    SOURCED = "sourced"
    INFLUENCED = "influenced"
    DELIVERED = "delivered"
    DIRECT = "direct"
    UNATTRIBUTED = "unattributed"
    REVIEW = "review"


class ConflictStatus(StrEnum):
    NONE = "none"
    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    RESOLVED = "resolved"


class ConflictDecision(StrEnum):
    """What people decided about a disputed registration."""

    AWARD = "award"
    """Its partner gets the business."""
    SPLIT = "split"
    """It stands beside the others."""
    DIRECT = "direct"
    """The business is our own sellers'."""
    DISMISSED = "dismissed"
    """There is no conflict."""


class TouchType(StrEnum):
    INTRO = "intro"
    MEETING = "meeting"
    DEMO = "demo"
    TECHNICAL_VALIDATION = "technical_validation"
    REFERRAL_LINK = "referral_link"
    RFP_HELP = "rfp_help"
    EXEC_SPONSOR = "exec_sponsor"
    IMPLEMENTATION_SCOPING = "implementation_scoping"
    EMAIL = "email"


class CertificationType(StrEnum):
    PRODUCT = "product"
    SALES = "sales"
    TECHNICAL = "technical"


class CertificationStatus(StrEnum):
    IN_PROGRESS = "in_progress"
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A company that buys, or could buy (the *end customer*). A partner company has one too."""

    id: str
    name: str | None = None
    domain: str | None = None
    domain_aliases: tuple[str, ...] = ()
    company_number: str | None = None
    country: str | None = None
    segment: str | None = None
    parent_id: str | None = None
    owner_id: str | None = None
    is_customer: bool | None = None
    last_contact_on: date | None = None
    """Day of the last contact of our own people with the company."""
    created_at: datetime | None = None
    # written by crmsync
    flags: tuple[str, ...] = ()
    extra: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person at an end customer or at a partner."""

    id: str
    account_id: str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    title: str | None = None
    phone: str | None = None
    owner_id: str | None = None
    created_at: datetime | None = None
    # written by crmsync
    flags: tuple[str, ...] = ()
    extra: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """An Opportunity (Salesforce) or deal (HubSpot)."""

    id: str
    name: str | None = None
    account_id: str | None = None
    owner_id: str | None = None
    stage: Stage | None = None
    motion: Motion | None = None
    amount: Decimal | None = None
    currency: str | None = None
    probability: Decimal | None = None
    """Percent, 0 to 100, that the CRM gives the deal."""
    created_at: datetime | None = None
    close_date: date | None = None
    closed_at: datetime | None = None
    """The instant of closing, where the CRM keeps it; ``close_date`` is its day."""
    last_activity_on: date | None = None
    products: tuple[str, ...] = ()
    lead_source: str | None = None
    lost_reason: str | None = None
    is_tender: bool | None = None
    tender_published_on: date | None = None
    # partner facts: crmsync's own, or filled by a person and completed by crmsync, by the mapping's write mode
    partner_id: str | None = None
    partner_name: str | None = None
    partner_type: PartnerType | None = None
    partner_role: PartnerRole | None = None
    registration_id: str | None = None
    """The registration's *number* (not a record id): what a seller quotes and a purchase order carries."""
    registration_status: RegistrationState | None = None
    protection_start: date | None = None
    protection_end: date | None = None
    """Last protected day, inclusive."""
    protection_status: ProtectionStatus | None = None
    attribution: Attribution | None = None
    attribution_reason: str | None = None
    """At most 255 characters, for sellers; never names a partner."""
    credit_split: tuple[str, ...] = ()
    """Shares that people agreed on, each ``partner: percent [role] [from..until]``."""
    locked_amount: Decimal | None = None
    """The amount when the deal was won; what changes later is an adjustment."""
    locked_on: date | None = None
    adjusted_on: date | None = None
    attribution_override: Attribution | None = None
    attribution_override_by: str | None = None
    attribution_override_reason: str | None = None
    influencing_partners: tuple[str, ...] = ()
    """Names of the partners with qualifying touches."""
    incumbent_partner: str | None = None
    """Name of the partner of record on the last won deal for account and product."""
    conflict_status: ConflictStatus | None = None
    partner_cert_status: CertificationStatus | None = None
    flags: tuple[str, ...] = ()
    next_action: str | None = None
    last_registration_id: str | None = None
    policy_version: str | None = None
    synced_at: datetime | None = None
    extra: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A company with a (planned) partner agreement. ``id`` is the id of its account/company record in the CRM."""

    id: str
    name: str | None = None
    domain: str | None = None
    country: str | None = None
    type: PartnerType | None = None
    tier: str | None = None
    status: PartnerStatus | None = None
    agreement_status: AgreementStatus | None = None
    agreement_start: date | None = None
    agreement_end: date | None = None
    manager_id: str | None = None
    parent_id: str | None = None
    regions: tuple[str, ...] = ()
    """Countries in which the partner may sell; none: everywhere."""
    # written by crmsync
    cert_status: CertificationStatus | None = None
    partner_flags: tuple[str, ...] = ()
    extra: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A partner's request for rights to one opportunity."""

    id: str
    number: str | None = None
    partner_id: str | None = None
    original_partner_id: str | None = None
    account_id: str | None = None
    account_name: str | None = None
    account_domain: str | None = None
    account_country: str | None = None
    account_number: str | None = None
    """Company number (DUNS or register number) as the partner gave it."""
    contact_email: str | None = None
    contact_name: str | None = None
    deal_id: str | None = None
    products: tuple[str, ...] = ()
    motion: Motion | None = None
    amount: Decimal | None = None
    currency: str | None = None
    expected_close: date | None = None
    evidence: str | None = None
    submitted_by: str | None = None
    submitted_by_type: str | None = None
    intake_channel: str | None = None
    state: RegistrationState | None = None
    closure_code: ClosureCode | None = None
    submitted_at: datetime | None = None
    approved_at: datetime | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    decision_reason: str | None = None
    extension_requested_at: datetime | None = None
    extension_granted_at: datetime | None = None
    extension_reason: str | None = None
    extension_count: int | None = None
    """How many extensions were granted so far, the one of ``extension_granted_at`` included; blank: one, if granted."""
    customer_letter_on: date | None = None
    """Day of the customer's letter that names this registration's partner."""
    open_to_others_on: date | None = None
    """Day from which the end user wants offers of other partners too."""
    conflict_decision: ConflictDecision | None = None
    """What people decided about the conflict over it."""
    status: str | None = None
    """The programme's own word for how far the partner is (``lead``, ``engaged``), beside ``state``."""
    status_changed_at: datetime | None = None
    conditional_at: datetime | None = None
    """When it was accepted on conditions, before the decision."""
    returned_at: datetime | None = None
    resubmitted_at: datetime | None = None
    project: str | None = None
    """The project or opportunity, as the partner names it."""
    site: str | None = None
    division: str | None = None
    units: int | None = None
    contract_signed_on: date | None = None
    contract_months: int | None = None
    is_perpetual: bool | None = None
    """The contract has no end."""
    # written by crmsync
    discount_factor: Decimal | None = None
    """The share of the programme's terms that a second registrant gets."""
    fx_rate: Decimal | None = None
    """Corporate currency for one unit of ``currency``, in the month of submission."""
    sla_due_at: datetime | None = None
    protection_start: date | None = None
    protection_end: date | None = None
    protection_status: ProtectionStatus | None = None
    conflict_status: ConflictStatus | None = None
    blocked_by: str | None = None
    """Number of the registration that holds this one."""
    conflict_since: datetime | None = None
    """When the conflict over it began. A person may correct it."""
    conflict_level: int | None = None
    """How often the time to decide the conflict has passed, plus one."""
    conflict_due_at: datetime | None = None
    """By when this level decides."""
    flags: tuple[str, ...] = ()
    next_action: str | None = None
    policy_version: str | None = None
    synced_at: datetime | None = None
    extra: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """A dated, evidenced action of a partner on a deal or an account."""

    id: str
    key: str | None = None
    """Of a touch that came from a file: what makes it unique."""
    name: str | None = None
    partner_id: str | None = None
    deal_id: str | None = None
    account_id: str | None = None
    type: TouchType | None = None
    occurred_at: datetime | None = None
    logged_at: datetime | None = None
    source_ref: str | None = None
    extra: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certification:
    """A certificate that a partner (or one of its people) holds."""

    id: str
    name: str | None = None
    partner_id: str | None = None
    contact_id: str | None = None
    type: CertificationType | None = None
    level: str | None = None
    status: CertificationStatus | None = None
    earned_on: date | None = None
    expires_on: date | None = None
    """Last valid day, inclusive."""
    extra: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One of our own people: owner of records and tasks."""

    id: str
    name: str | None = None
    email: str | None = None
    is_active: bool | None = None
    extra: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageDef:
    """One stage of one of the CRM's pipelines, as the CRM defines it."""

    id: str
    pipeline: str | None = None
    name: str | None = None
    is_closed: bool | None = None
    is_won: bool | None = None
    sort_order: int | None = None
    extra: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A tie between two records that is not a field of either: contact roles, opportunity partners, associations.

    ``name`` is the mapping's name for it: ``deal_contact``, ``deal_partner``, ….
    """

    name: str
    from_id: str
    to_id: str
    label: str | None = None


Record: TypeAlias = Account | Contact | Deal | Partner | Registration | Touch | Certification | User | StageDef

KINDS: Mapping[str, type[Record]] = MappingProxyType(
    {
        "account": Account,
        "contact": Contact,
        "deal": Deal,
        "partner": Partner,
        "registration": Registration,
        "touch": Touch,
        "certification": Certification,
        "user": User,
        "stage": StageDef,
    }
)
"""Canonical kinds by the name that YAML uses."""


def kind_of(record: Record) -> str:
    """The YAML name of a record's kind."""
    return _KIND_NAMES[type(record)]


_KIND_NAMES = {cls: name for name, cls in KINDS.items()}


@dataclass(frozen=True, slots=True)
class FieldType:
    """What a canonical field holds.

    ``base`` is one of ``text int bool decimal date instant list``; ``options`` are the values of an enum field.
    """

    base: str
    options: tuple[str, ...] = ()


_BASES: Mapping[Any, str] = MappingProxyType(
    {str: "text", int: "int", bool: "bool", Decimal: "decimal", date: "date", datetime: "instant"}
)


def field_types(kind: str) -> Mapping[str, FieldType]:
    """Canonical field name to type for one kind, in declaration order; ``extra`` is left out.

    :raises KeyError: for a kind that is not in :data:`KINDS`.
    """
    return _FIELD_TYPES[kind]


def _field_type(hint: Any) -> FieldType:
    members = [arg for arg in get_args(hint) if arg is not type(None)] or [hint]
    inner = members[0]
    if hint == tuple[str, ...]:
        return FieldType("list")
    if isinstance(inner, type) and issubclass(inner, StrEnum):
        return FieldType("text", tuple(inner))
    return FieldType(_BASES[inner])


def _field_types(cls: type[Record]) -> Mapping[str, FieldType]:
    hints = get_type_hints(cls)
    return MappingProxyType({f.name: _field_type(hints[f.name]) for f in fields(cls) if f.name != "extra"})


_FIELD_TYPES: Mapping[str, Mapping[str, FieldType]] = {kind: _field_types(cls) for kind, cls in KINDS.items()}

REFERENCES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("account", "parent_id"): "account",
        ("account", "owner_id"): "user",
        ("contact", "account_id"): "account",
        ("contact", "owner_id"): "user",
        ("deal", "account_id"): "account",
        ("deal", "owner_id"): "user",
        ("deal", "partner_id"): "partner",
        ("partner", "manager_id"): "user",
        ("partner", "parent_id"): "partner",
        ("registration", "partner_id"): "partner",
        ("registration", "original_partner_id"): "partner",
        ("registration", "account_id"): "account",
        ("registration", "deal_id"): "deal",
        ("touch", "partner_id"): "partner",
        ("touch", "deal_id"): "deal",
        ("touch", "account_id"): "account",
        ("certification", "partner_id"): "partner",
        ("certification", "contact_id"): "contact",
    }
)
"""Which kind a reference field points to. (``deal.registration_id`` is a number, not a reference.)"""
