"""The world as a HubSpot portal: standard objects with a few custom properties, and three custom objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Protocol

from crmsync.sandbox.world import fields
from crmsync.sandbox.world.base import PRODUCT_SPELLINGS
from crmsync.sandbox.world.fields import InputField
from crmsync.sandbox.world.model import (
    Account,
    Certification,
    Contact,
    Deal,
    Partner,
    Registration,
    Touch,
    World,
)
from crmsync.sandbox.world.people import domain_of

if TYPE_CHECKING:
    from crmsync.sandbox.hubspot.portal import HubSpotPortal

STAGES = {
    "registered": "appointmentscheduled",
    "qualified": "qualifiedtobuy",
    "proposal": "presentationscheduled",
    "negotiation": "decisionmakerboughtin",
    "committed": "contractsent",
    "closed_won": "closedwon",
    "closed_lost": "closedlost",
}
MOTIONS = {
    "new_business": "newbusiness",
    "expansion": "existingbusiness",
    "renewal": "renewal",
    "cross_sell": "cross_sell",
}
PARTNER_LABEL = "Partner"
_RESELLING = ("reseller", "var", "distributor")
_PROPERTY_TYPES = {
    "text": ("string", "text"),
    "picklist": ("enumeration", "select"),
    "multi": ("enumeration", "checkbox"),
    "date": ("date", "date"),
    "instant": ("datetime", "date"),
    "money": ("number", "number"),
    "reference": ("string", "text"),
}
_CUSTOM = (
    ("prm_registration", "Registration", "prm_number", fields.REGISTRATION_FIELDS),
    ("prm_touch", "Partner Touch", "prm_name", fields.TOUCH_FIELDS),
    ("prm_certification", "Partner Certification", "prm_name", fields.CERTIFICATION_FIELDS),
)
_STANDARD = (
    ("companies", (*fields.HUBSPOT_COMPANY_FIELDS, *fields.PARTNER_FIELDS)),
    ("contacts", ()),
    ("deals", (*fields.DEAL_FIELDS, InputField("lead_source"))),
)
_NOON = time(12)
"""HubSpot keeps some dates as instants; at noon UTC they are the same day nearly everywhere."""

Row = dict[str, str | None]


class Keyed(Protocol):
    @property
    def key(self) -> str: ...


def load_hubspot(world: World, portal: HubSpotPortal) -> None:
    """Fill an empty portal; a world without accounts brings its owners only."""
    owners = {s.key: portal.create_owner(s.key, s.first_name, s.last_name) for s in world.sellers}
    if not world.accounts:
        return
    _create_schema(portal)
    _Loader(world, portal, owners).load()


def _create_schema(portal: HubSpotPortal) -> None:
    for name, label, display, inputs in _CUSTOM:
        unique = name == "prm_registration"
        primary = _definition(display, "string", "text", fields.label_of(display.removeprefix("prm_")))
        properties = [{**primary, "hasUniqueValue": unique}, *map(_property, inputs), _legacy()]
        portal.create_schema(name, {"singular": label, "plural": f"{label}s"}, properties, display)
    for name, inputs in _STANDARD:
        for definition in (_legacy(), *map(_property, inputs)):
            _create_property(portal, name, definition)
    product = _definition("product_family", "enumeration", "select", "Product Family")
    _create_property(portal, "deals", {**product, "options": _options(PRODUCT_SPELLINGS)})
    portal.add_options("deals", "dealtype", _options(("renewal", "cross_sell")))
    portal.create_association_label("deals", "companies", PARTNER_LABEL)


def _property(field: InputField) -> dict[str, Any]:
    definition = _definition(field.hubspot_name, *_PROPERTY_TYPES[field.kind], field.label)
    return {**definition, "options": _options(field.options)} if field.options else definition


def _legacy() -> dict[str, Any]:
    return _definition("legacy_id", "string", "text", "Legacy Id")


def _definition(name: str, kind: str, field_type: str, label: str) -> dict[str, Any]:
    return {"name": name, "type": kind, "fieldType": field_type, "label": label}


def _options(values: Iterable[str]) -> list[dict[str, str]]:
    return [{"value": value, "label": fields.label_of(value) if value.islower() else value} for value in values]


def _create_property(portal: HubSpotPortal, object_type: str, definition: dict[str, Any]) -> None:
    name, kind, field_type = definition["name"], definition["type"], definition["fieldType"]
    portal.create_property(
        object_type, name, kind, field_type, definition["label"], options=definition.get("options", [])
    )


class _Loader:
    """Inserts records, remembers the id that each key was given, and ties them afterwards."""

    def __init__(self, world: World, portal: HubSpotPortal, ids: dict[str, str]) -> None:
        self._world, self._portal, self._ids = world, portal, ids

    def load(self) -> None:
        world = self._world
        self._insert("companies", world.accounts, self._company)
        self._insert("companies", world.partners, self._partner)
        self._insert("contacts", world.contacts, self._contact)
        self._insert("deals", world.deals, self._deal)
        self._insert("prm_registration", world.registrations, self._registration)
        self._insert("prm_touch", world.touches, self._touch)
        self._insert("prm_certification", world.certifications, self._certification)
        self._associate()
        for merge in world.merges:
            self._portal.merge("companies", self._ids[merge.master], self._ids[merge.loser])

    def _insert(self, object_type: str, records: Sequence[Keyed], to_row: Callable[[Any], Row]) -> None:
        made = self._portal.insert_rows(object_type, [{"legacy_id": r.key, **to_row(r)} for r in records])
        self._ids.update(zip((record.key for record in records), made, strict=True))

    # ------------------------------------------------------------- one record each

    def _company(self, account: Account) -> Row:
        return {
            "name": account.name,
            "domain": domain_of(account.website),
            "country": account.country,
            "type": "PROSPECT" if account.key.startswith("SCN-") else None,
            "prm_company_number": account.company_number,
            "prm_segment": account.segment,
            "prm_domain_aliases": "; ".join(account.domain_aliases) or None,
            "hubspot_owner_id": self._id(account.owner),
            "createdate": _wire(account.created_at),
            "hs_lastmodifieddate": _wire(account.created_at),
        }

    def _partner(self, partner: Partner) -> Row:
        return {
            "name": partner.name,
            "domain": domain_of(partner.website),
            "country": partner.country,
            "type": "RESELLER" if partner.type in _RESELLING else "PARTNER",
            "hubspot_owner_id": self._id(partner.manager),
            "createdate": _wire(partner.created_at),
            "hs_lastmodifieddate": _wire(partner.created_at),
            **self._own(fields.PARTNER_FIELDS, partner),
        }

    def _contact(self, contact: Contact) -> Row:
        return {
            "associatedcompanyid": self._id(contact.account),
            "email": contact.email,
            "firstname": contact.first_name,
            "lastname": contact.last_name,
            "jobtitle": contact.title,
            "phone": contact.phone,
            "hubspot_owner_id": self._id(contact.owner),
            "createdate": _wire(contact.created_at),
            "lastmodifieddate": _wire(contact.created_at),
        }

    def _deal(self, deal: Deal) -> Row:
        return {
            "dealname": deal.name,
            "pipeline": "default",
            "dealstage": STAGES[deal.stage],
            "dealtype": MOTIONS[deal.motion],
            "amount": _text(deal.amount),
            "deal_currency_code": deal.currency,
            "closedate": _wire(_at_noon(deal.close_date)),
            "notes_last_updated": _wire(_at_noon(deal.last_activity_on)),
            "hubspot_owner_id": self._id(deal.owner),
            "product_family": deal.product,
            "closed_lost_reason": deal.lost_reason,
            "prm_lead_source": deal.lead_source,
            "createdate": _wire(deal.created_at),
            "hs_lastmodifieddate": _wire(deal.modified_at(self._world.today)),
            **self._own(fields.DEAL_FIELDS, deal),
        }

    def _registration(self, registration: Registration) -> Row:
        return {
            "prm_number": registration.key,
            "hs_createdate": _wire(registration.created_at),
            "hs_lastmodifieddate": _wire(registration.modified_at),
            **self._own(fields.REGISTRATION_FIELDS, registration),
        }

    def _touch(self, touch: Touch) -> Row:
        logged = _wire(touch.logged_at)
        stamps = {"hs_createdate": logged, "hs_lastmodifieddate": logged}
        return {"prm_name": touch.name, **stamps, **self._own(fields.TOUCH_FIELDS, touch)}

    def _certification(self, certification: Certification) -> Row:
        return {"prm_name": certification.name, **self._own(fields.CERTIFICATION_FIELDS, certification)}

    def _own(self, inputs: Iterable[InputField], record: object) -> Row:
        return {field.hubspot_name: self._value(field, getattr(record, field.attribute)) for field in inputs}

    def _value(self, field: InputField, value: Any) -> str | None:
        return self._id(value) if field.kind == "reference" else _text(value)

    def _id(self, key: str | None) -> str | None:
        return self._ids[key] if key else None

    # ------------------------------------------------------------- ties

    def _associate(self) -> None:
        world, tie = self._world, self._tie
        tie("deals", "companies", "primary", ((d.key, d.account) for d in world.deals if d.account))
        tie("deals", "contacts", None, ((row.deal, row.contact) for row in world.contact_roles))
        tie("deals", "companies", PARTNER_LABEL, ((row.deal, row.partner) for row in world.deal_partners))
        tie("companies", "companies", "Parent Company", ((a.key, a.parent) for a in world.accounts if a.parent))

    def _tie(self, start: str, end: str, label: str | None, pairs: Iterable[tuple[str, str]]) -> None:
        self._portal.associate_many(start, end, ((self._ids[a], self._ids[b], label) for a, b in pairs))


def _at_noon(day: date | None) -> datetime | None:
    return datetime.combine(day, _NOON, UTC) if day else None


def _wire(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _text(value: Any) -> str | None:
    match value:
        case None:
            return None
        case datetime():
            return _wire(value)
        case tuple():
            return ";".join(value) or None
        case _:
            return str(value)
