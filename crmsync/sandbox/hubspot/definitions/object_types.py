"""Object types and all the names an URL may call them by (developers.hubspot.com: "Understanding the CRM APIs")."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from crmsync.sandbox.hubspot.problems import unknown_object_type

_ENGAGEMENTS = frozenset({"0-46", "0-27", "0-48", "0-47", "0-49"})
_CREATE_DATE = frozenset({"0-1", "0-2", "0-3", "0-5", "0-7", "0-8"})


@dataclass(frozen=True, slots=True)
class ObjectType:
    """``schema`` is the stored custom-object schema; empty for HubSpot's own types."""

    id: str
    name: str
    singular: str
    labels: tuple[str, str]
    defaults: tuple[str, ...]
    schema: dict[str, Any] = field(default_factory=dict)

    @property
    def is_custom(self) -> bool:
        return self.id.startswith("2-")

    @property
    def is_engagement(self) -> bool:
        return self.id in _ENGAGEMENTS

    @property
    def created_property(self) -> str:
        return "createdate" if self.id in _CREATE_DATE else "hs_createdate"

    @property
    def modified_property(self) -> str:
        return "lastmodifieddate" if self.id == "0-1" else "hs_lastmodifieddate"

    @property
    def scope_family(self) -> str:
        """Notes, tasks and the other activities are guarded by the contact scopes."""
        if self.is_custom:
            return "custom"
        return "contacts" if self.is_engagement else self.name


CONTACT, COMPANY, DEAL, TICKET, LINE_ITEM, NOTE, TASK = "0-1", "0-2", "0-3", "0-5", "0-8", "0-46", "0-27"

STANDARD_TYPES = (
    ObjectType(CONTACT, "contacts", "contact", ("Contact", "Contacts"), ("firstname", "lastname", "email")),
    ObjectType(COMPANY, "companies", "company", ("Company", "Companies"), ("name", "domain")),
    ObjectType(DEAL, "deals", "deal", ("Deal", "Deals"), ("dealname", "amount", "closedate", "pipeline", "dealstage")),
    ObjectType(
        TICKET,
        "tickets",
        "ticket",
        ("Ticket", "Tickets"),
        ("subject", "content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_category", "hs_ticket_priority"),
    ),
    ObjectType("0-7", "products", "product", ("Product", "Products"), ("name", "description", "price")),
    ObjectType(LINE_ITEM, "line_items", "line_item", ("Line item", "Line items"), ("quantity", "amount", "price")),
    ObjectType(NOTE, "notes", "note", ("Note", "Notes"), ()),
    ObjectType(TASK, "tasks", "task", ("Task", "Tasks"), ()),
    ObjectType("0-48", "calls", "call", ("Call", "Calls"), ()),
    ObjectType("0-47", "meetings", "meeting_event", ("Meeting", "Meetings"), ()),
    ObjectType("0-49", "emails", "email", ("Email", "Emails"), ()),
)


class ObjectTypes:
    """Every name in one dictionary: plural, singular, type id, and for custom ones the qualified and the bare name."""

    def __init__(self) -> None:
        self.by_id: dict[str, ObjectType] = {}
        self._names: dict[str, str] = {}
        for kind in STANDARD_TYPES:
            self.add(kind, kind.name, kind.singular)
        self._names["meeting"] = "0-47"
        self._names["line item"] = "0-8"

    def add(self, kind: ObjectType, *names: str) -> None:
        self.by_id[kind.id] = kind
        self._names.update({name.lower(): kind.id for name in (kind.id, *names)})

    def remove(self, type_id: str) -> None:
        del self.by_id[type_id]
        self._names = {name: target for name, target in self._names.items() if target != type_id}

    def find(self, name: str) -> ObjectType | None:
        type_id = self._names.get(name.lower())
        return self.by_id[type_id] if type_id else None

    def get(self, name: str) -> ObjectType:
        found = self.find(name)
        if found is None:
            raise unknown_object_type(name)
        return found
