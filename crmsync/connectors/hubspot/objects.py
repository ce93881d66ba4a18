"""HubSpot's own object types: names, type ids, primary associations. Vendor facts as tables.

Sources: developers.hubspot.com, "Using object APIs" (type ids) and "Associations" (association types); a custom
object's id is looked up in the account's schemas.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TYPE_IDS: Mapping[str, str] = MappingProxyType(
    {
        "contacts": "0-1",
        "companies": "0-2",
        "deals": "0-3",
        "tickets": "0-5",
        "products": "0-7",
        "line_items": "0-8",
        "quotes": "0-14",
        "communications": "0-18",
        "tasks": "0-27",
        "notes": "0-46",
        "meetings": "0-47",
        "calls": "0-48",
        "emails": "0-49",
        "leads": "0-136",
    }
)

PRIMARY_ASSOCIATIONS: Mapping[tuple[str, str], int] = MappingProxyType(
    {("deals", "companies"): 5, ("companies", "deals"): 6, ("contacts", "companies"): 1, ("companies", "contacts"): 2}
)

OWNERS = "owners"
PIPELINES = "pipelines"

MODIFIED_CONTACTS = "lastmodifieddate"
MODIFIED = "hs_lastmodifieddate"


def modified_property(object_name: str) -> str:
    """Which property holds a record's modified date: contacts differ from everything else ("Search the CRM")."""
    return MODIFIED_CONTACTS if object_name in ("contacts", "0-1") else MODIFIED
