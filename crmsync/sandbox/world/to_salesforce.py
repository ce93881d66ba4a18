"""The world as a Salesforce org: standard objects with a few custom fields, and three custom objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from crmsync.sandbox.world import fields
from crmsync.sandbox.world.base import LOSS_REASONS, PRODUCT_SPELLINGS
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

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg

STAGES = {
    "registered": "Prospecting",
    "qualified": "Qualification",
    "proposal": "Proposal/Price Quote",
    "negotiation": "Negotiation/Review",
    "committed": "Verbal Commit",
    "closed_won": "Closed Won",
    "closed_lost": "Closed Lost",
}
MOTIONS = {
    "new_business": "New Business",
    "expansion": "Expansion",
    "renewal": "Renewal",
    "cross_sell": "Cross-Sell",
}
_RESELLING = ("reseller", "var", "distributor", "marketplace")
_INSTALLING = ("si", "msp", "services", "consultant", "referral", "affiliate")
_FIELD_TYPES = {
    "text": "Text",
    "picklist": "Picklist",
    "multi": "MultiselectPicklist",
    "date": "Date",
    "instant": "DateTime",
    "money": "Currency",
    "reference": "Lookup",
}
_TARGETS = {"partner": "Account", "account": "Account", "deal": "Opportunity", "contact": "Contact"}
_CUSTOM = (
    ("PRM_Registration__c", "Registration", "Registrations", fields.REGISTRATION_FIELDS),
    ("PRM_Touch__c", "Partner Touch", "Partner Touches", fields.TOUCH_FIELDS),
    ("PRM_Certification__c", "Partner Certification", "Partner Certifications", fields.CERTIFICATION_FIELDS),
)
_STANDARD = (
    ("Account", (*fields.ACCOUNT_FIELDS, *fields.PARTNER_FIELDS)),
    ("Contact", ()),
    ("Opportunity", fields.DEAL_FIELDS),
)

Row = dict[str, Any]


class Keyed(Protocol):
    @property
    def key(self) -> str: ...


def load_salesforce(world: World, org: SalesforceOrg) -> None:
    """Fill an empty org; a world without accounts brings its people only."""
    keys = {s.key: org.create_user(s.first_name, s.last_name, s.key) for s in world.sellers}
    if not world.accounts:
        return
    _create_schema(org)
    _Loader(world, org, keys).load()


def _create_schema(org: SalesforceOrg) -> None:
    for name, label, plural, _ in _CUSTOM:
        org.create_object(name, label, plural)
    for name, _, _, inputs in _CUSTOM:
        _create_fields(org, name, inputs)
    org.create_field("PRM_Registration__c", "PRM_Number__c", "Text", "Number", length=80, external_id=True, unique=True)
    for name, inputs in _STANDARD:
        _create_fields(org, name, inputs)
    org.create_field("Opportunity", "Product_Family__c", "Picklist", "Product Family", options=PRODUCT_SPELLINGS)
    org.create_field("Opportunity", "Loss_Reason__c", "Picklist", "Loss Reason", options=LOSS_REASONS)
    org.add_picklist_values("Opportunity", "Type", list(MOTIONS.values()))
    org.add_picklist_values("Opportunity", "StageName", [STAGES["committed"]])


def _create_fields(org: SalesforceOrg, name: str, inputs: Iterable[InputField]) -> None:
    org.create_field(name, "Legacy_Id__c", "Text", "Legacy Id", length=80, external_id=True)
    for field in inputs:
        org.create_field(
            name,
            field.salesforce_name,
            _FIELD_TYPES[field.kind],
            field.label,
            options=[(value, fields.label_of(value) if value.islower() else value) for value in field.options],
            reference_to=_TARGETS.get(field.to, ""),
        )


class _Loader:
    """Inserts parents before children and remembers the id that each key was given."""

    def __init__(self, world: World, org: SalesforceOrg, ids: dict[str, str]) -> None:
        self._world, self._org, self._ids = world, org, ids
        self._survivors = {merge.loser: merge.master for merge in world.merges}

    def load(self) -> None:
        world = self._world
        roots, children = ([a for a in world.accounts if bool(a.parent) is nested] for nested in (False, True))
        for accounts in (roots, children):
            self._insert("Account", accounts, self._account)
        self._insert("Account", world.partners, self._partner)
        self._insert("Contact", world.contacts, self._contact)
        self._insert("Opportunity", world.deals, self._deal)
        for merge in world.merges:
            self._org.merge("Account", self._ids[merge.master], [self._ids[merge.loser]])
        self._insert("PRM_Registration__c", world.registrations, self._registration)
        self._insert("PRM_Touch__c", world.touches, self._touch)
        self._insert("PRM_Certification__c", world.certifications, self._certification)
        self._link()

    def _insert(self, sobject: str, records: Sequence[Keyed], to_row: Callable[[Any], Row]) -> None:
        made = self._org.insert_rows(sobject, [{"Legacy_Id__c": record.key, **to_row(record)} for record in records])
        self._ids.update(zip((record.key for record in records), made, strict=True))

    # ------------------------------------------------------------- one record each

    def _account(self, account: Account) -> Row:
        return {
            "Name": account.name,
            "Type": "Prospect" if account.key.startswith("SCN-") else "Customer - Direct",
            "Website": account.website,
            "BillingCountry": account.country,
            "Industry": account.segment,
            "DunsNumber": account.company_number,
            "ParentId": self._id(account.parent),
            "OwnerId": self._id(account.owner),
            "CreatedDate": account.created_at,
            **self._own(fields.ACCOUNT_FIELDS, account),
        }

    def _partner(self, partner: Partner) -> Row:
        return {
            "Name": partner.name,
            "Type": _account_type(partner.type),
            "Website": partner.website,
            "BillingCountry": partner.country,
            "OwnerId": self._id(partner.manager),
            "CreatedDate": partner.created_at,
            **self._own(fields.PARTNER_FIELDS, partner),
        }

    def _contact(self, contact: Contact) -> Row:
        return {
            "AccountId": self._id(contact.account),
            "FirstName": contact.first_name,
            "LastName": contact.last_name,
            "Email": contact.email,
            "Title": contact.title,
            "Phone": contact.phone,
            "OwnerId": self._id(contact.owner),
            "CreatedDate": contact.created_at,
        }

    def _deal(self, deal: Deal) -> Row:
        return {
            "Name": deal.name,
            "AccountId": self._id(deal.account),
            "OwnerId": self._id(deal.owner),
            "StageName": STAGES[deal.stage],
            "Type": MOTIONS[deal.motion],
            "Amount": deal.amount,
            "CurrencyIsoCode": deal.currency,
            "CloseDate": deal.close_date,
            "LeadSource": deal.lead_source,
            "LastActivityDate": deal.last_activity_on,
            "CreatedDate": deal.created_at,
            "LastModifiedDate": deal.modified_at(self._world.today),
            "Product_Family__c": deal.product,
            "Loss_Reason__c": deal.lost_reason,
            **self._own(fields.DEAL_FIELDS, deal),
        }

    def _registration(self, registration: Registration) -> Row:
        return {
            "Name": registration.key,
            "PRM_Number__c": registration.key,
            "CreatedDate": registration.created_at,
            "LastModifiedDate": registration.modified_at,
            **self._own(fields.REGISTRATION_FIELDS, registration),
            # a merge moves every lookup to the survivor; this one was filled in after it
            "PRM_Original_Partner__c": self._ids.get(registration.original_partner or ""),
        }

    def _touch(self, touch: Touch) -> Row:
        return {"Name": touch.name, "CreatedDate": touch.logged_at, **self._own(fields.TOUCH_FIELDS, touch)}

    def _certification(self, certification: Certification) -> Row:
        return {"Name": certification.name, **self._own(fields.CERTIFICATION_FIELDS, certification)}

    def _own(self, inputs: Iterable[InputField], record: object) -> Row:
        return {field.salesforce_name: self._value(field, getattr(record, field.attribute)) for field in inputs}

    def _value(self, field: InputField, value: Any) -> Any:
        if field.kind == "reference":
            return self._id(value)
        if isinstance(value, tuple):
            return (";" if field.kind == "multi" else "; ").join(value) or None
        return value

    def _id(self, key: str | None) -> str | None:
        return self._ids[self._survivors.get(key, key)] if key else None

    # ------------------------------------------------------------- ties

    def _link(self) -> None:
        self._org.insert_rows(
            "OpportunityContactRole",
            (
                {"OpportunityId": self._id(row.deal), "ContactId": self._id(row.contact), "Role": row.role}
                for row in self._world.contact_roles
            ),
        )
        for tie in self._world.deal_partners:
            # by the normal road: Salesforce itself adds the rows in the other direction
            values = {"OpportunityId": self._id(tie.deal), "AccountToId": self._id(tie.partner), "Role": tie.role}
            self._org.create("Partner", values)


def _account_type(partner_type: str) -> str:
    if partner_type in _RESELLING:
        return "Channel Partner / Reseller"
    return "Installation Partner" if partner_type in _INSTALLING else "Technology Partner"
