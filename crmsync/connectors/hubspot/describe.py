"""HubSpot properties as :class:`~crmsync.remote.FieldInfo`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from crmsync.connectors.hubspot.objects import OWNERS, PIPELINES
from crmsync.remote import FieldInfo, ObjectInfo

_TEXT_FIELDS: Mapping[str, str] = {
    "textarea": "long_text",
    "html": "long_text",
    "phonenumber": "phone",
    "file": "text",
}
_PLAIN: Mapping[str, str] = {
    "date": "date",
    "datetime": "datetime",
    "bool": "bool",
    "json": "json",
    "phone_number": "phone",
}

TEXT_LENGTH = 65_536
"""The longest value of a string property (developers.hubspot.com: "Properties")."""


def field_info(prop: Mapping[str, Any]) -> FieldInfo:
    """One property definition. ``readOnlyValue`` says what may be written, whoever defined it."""
    kind = _field_type(prop)
    read_only = bool((prop.get("modificationMetadata") or {}).get("readOnlyValue"))
    options = tuple(str(o["value"]) for o in prop.get("options") or () if o.get("value") is not None)
    listed = kind in ("picklist", "multipicklist")
    return FieldInfo(
        name=prop["name"],
        label=prop.get("label") or prop["name"],
        type=kind,
        length=TEXT_LENGTH if prop.get("type") == "string" else None,
        options=options if listed else (),
        restricted=listed and not prop.get("externalOptions"),
        createable=not read_only,
        updateable=not read_only,
        custom=not prop.get("hubspotDefined"),
        unique=bool(prop.get("hasUniqueValue")),
        references=(OWNERS,) if kind == "reference" else (),
        calculated=bool(prop.get("calculated")),
    )


def _field_type(prop: Mapping[str, Any]) -> str:
    kind, field_type = prop.get("type"), prop.get("fieldType")
    if prop["name"] == "hs_object_id":
        return "id"
    if kind == "enumeration":
        return _enumeration_type(prop, field_type)
    if kind == "number":
        return "money" if prop.get("showCurrencySymbol") else "number"
    if kind == "string":
        return _TEXT_FIELDS.get(str(field_type), "email" if prop["name"] == "email" else "text")
    return _PLAIN.get(str(kind), "text")


def _enumeration_type(prop: Mapping[str, Any], field_type: Any) -> str:
    if prop.get("referencedObjectType") == "OWNER":
        return "reference"
    if field_type == "booleancheckbox":
        return "bool"
    return "multipicklist" if field_type == "checkbox" else "picklist"


def object_info(name: str, label: str, properties: Iterable[Mapping[str, Any]], *, custom: bool) -> ObjectInfo:
    fields = {p["name"]: field_info(p) for p in properties if not p.get("archived")}
    return ObjectInfo(name, label, fields, custom)


def _fixed(name: str, label: str, fields: Mapping[str, str]) -> ObjectInfo:
    infos = {field: FieldInfo(field, field, kind, createable=False, updateable=False) for field, kind in fields.items()}
    return ObjectInfo(name, label, infos)


FIXED: Mapping[str, ObjectInfo] = {
    OWNERS: _fixed(
        OWNERS,
        "Owners",
        {
            "id": "id",
            "email": "email",
            "firstName": "text",
            "lastName": "text",
            "userId": "text",
            "type": "text",
            "archived": "bool",
        },
    ),
    PIPELINES: _fixed(
        PIPELINES,
        "Deal pipelines",
        {
            "id": "id",
            "pipeline": "text",
            "pipelineLabel": "text",
            "label": "text",
            "isClosed": "bool",
            "probability": "number",
            "displayOrder": "number",
            "archived": "bool",
        },
    ),
}
"""What HubSpot has no property list for: these come from calls of their own and are read-only here."""
