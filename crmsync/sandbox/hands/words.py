"""One vocabulary for both CRMs: the glossary's kinds and fields, each CRM's own names, and the values of the world."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from typing import Any

from crmsync.sandbox.world import to_hubspot, to_salesforce
from crmsync.sandbox.world.fields import InputField


class HandsError(ValueError):
    """What a person cannot do: an unknown name, a record that is not there, a value that the CRM refuses."""


OBJECTS = {
    "account": ("Account", "companies"),
    "partner": ("Account", "companies"),
    "contact": ("Contact", "contacts"),
    "deal": ("Opportunity", "deals"),
    "registration": ("PRM_Registration__c", "prm_registration"),
    "touch": ("PRM_Touch__c", "prm_touch"),
    "certification": ("PRM_Certification__c", "prm_certification"),
    "task": ("Task", "tasks"),
}
_COMPANY = {
    "name": ("Name", "name"),
    "domain": ("Website", "domain"),
    "country": ("BillingCountry", "country"),
    "parent_id": ("ParentId", "hs_parent_company_id"),
    "owner_id": ("OwnerId", "hubspot_owner_id"),
}
_STANDARD: dict[str, dict[str, tuple[str, str]]] = {
    "account": {
        **_COMPANY,
        "company_number": ("DunsNumber", "prm_company_number"),
        "segment": ("Industry", "prm_segment"),
    },
    "partner": {**_COMPANY, "manager_id": ("OwnerId", "hubspot_owner_id")},
    "contact": {
        "account_id": ("AccountId", "associatedcompanyid"),
        "email": ("Email", "email"),
        "first_name": ("FirstName", "firstname"),
        "last_name": ("LastName", "lastname"),
        "title": ("Title", "jobtitle"),
        "phone": ("Phone", "phone"),
        "owner_id": ("OwnerId", "hubspot_owner_id"),
    },
    "deal": {
        "name": ("Name", "dealname"),
        "account_id": ("AccountId", "account_id"),
        "owner_id": ("OwnerId", "hubspot_owner_id"),
        "stage": ("StageName", "dealstage"),
        "motion": ("Type", "dealtype"),
        "amount": ("Amount", "amount"),
        "currency": ("CurrencyIsoCode", "deal_currency_code"),
        "close_date": ("CloseDate", "closedate"),
        "products": ("Product_Family__c", "product_family"),
        "lead_source": ("LeadSource", "prm_lead_source"),
        "lost_reason": ("Loss_Reason__c", "closed_lost_reason"),
        "last_registration_id": ("PRM_Last_Registration_ID__c", "prm_last_registration_id"),
    },
    "registration": {"number": ("PRM_Number__c", "prm_number"), "owner_id": ("OwnerId", "hubspot_owner_id")},
    "touch": {"name": ("Name", "prm_name"), "owner_id": ("OwnerId", "hubspot_owner_id")},
    "certification": {"name": ("Name", "prm_name"), "owner_id": ("OwnerId", "hubspot_owner_id")},
}
REFERENCES = {
    "account_id": "account",
    "parent_id": "account",
    "partner_id": "partner",
    "original_partner_id": "partner",
    "deal_id": "deal",
    "contact_id": "contact",
    "owner_id": "user",
    "manager_id": "user",
}
VALUES = {
    ("salesforce", "deal", "stage"): to_salesforce.STAGES,
    ("salesforce", "deal", "motion"): to_salesforce.MOTIONS,
    ("hubspot", "deal", "stage"): to_hubspot.STAGES,
    ("hubspot", "deal", "motion"): to_hubspot.MOTIONS,
}
_SYSTEMS = ("salesforce", "hubspot")


def object_name(system: str, kind: str) -> str:
    """The CRM's name of a kind; any other name is the CRM's own already."""
    known = OBJECTS.get(kind)
    return known[_SYSTEMS.index(system)] if known else kind


def field_name(system: str, kind: str, field: str, has: Callable[[str], bool]) -> str:
    """The CRM's name of a glossary field, by table or by the rule; a field of the CRM's own is itself.

    :raises HandsError: when the object has neither.
    """
    standard = _STANDARD.get(kind, {})
    if field in standard:
        return standard[field][_SYSTEMS.index(system)]
    own = InputField(f"{kind}.{field}" if (kind, field) in _QUALIFIED else field, _kind_of(field))
    for name in (field, own.salesforce_name if system == "salesforce" else own.hubspot_name):
        if has(name):
            return name
    near = get_close_matches(field, standard, 1)
    raise HandsError(f"{kind} has no field '{field}' in {system}" + (f", did you mean '{near[0]}'?" if near else ""))


_QUALIFIED = {("partner", "type"), ("partner", "status")}


def _kind_of(field: str) -> Any:
    return "reference" if field in REFERENCES else "text"


def value_of(system: str, kind: str, field: str, value: Any) -> Any:
    """The stored form of a glossary value."""
    table = VALUES.get((system, kind, field), {})
    if isinstance(value, str) and value in table:
        return table[value]
    if isinstance(value, list | tuple):
        return ("; " if field in ("influencing_partners", "domain_aliases") else ";").join(map(str, value))
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        value = value.isoformat()
    if system == "hubspot":
        return _as_text(field, value)
    return value


def _as_text(field: str, value: Any) -> str:
    """HubSpot keeps the close date as an instant; at noon UTC it is the same day nearly everywhere."""
    if value is None:
        return ""
    if field == "close_date" and len(str(value)) == 10:
        try:
            return f"{datetime.combine(date.fromisoformat(str(value)), time(12)):%Y-%m-%dT%H:%M:%SZ}"
        except ValueError:
            return str(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
