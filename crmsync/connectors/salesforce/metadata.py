"""What a field or object of ours is in Salesforce's metadata: pure builders, nothing is sent here.

Sources: "CustomField" of the Tooling API guide and of the Metadata API guide (type names have no blanks).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from xml.sax.saxutils import escape

from crmsync.remote import FieldDef, ObjectDef

MAX_LABEL = 40
_TEXT_LENGTH = 255
_LONG_TEXT_LENGTH = 32_768
_PLAIN: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "number": {"type": "Number", "precision": 18, "scale": 0},
        "money": {"type": "Currency", "precision": 18, "scale": 2},
        "percent": {"type": "Percent", "precision": 5, "scale": 2},
        "bool": {"type": "Checkbox", "defaultValue": "false"},
        "date": {"type": "Date"},
        "datetime": {"type": "DateTime"},
        "email": {"type": "Email"},
        "phone": {"type": "Phone"},
        "url": {"type": "Url"},
    }
)


def full_name(field: FieldDef) -> str:
    """The name to create a field under; fields of tasks and events are defined on their common parent, Activity."""
    parent = "Activity" if field.object in ("Task", "Event") else field.object
    return f"{parent}.{field.name}"


def field_metadata(field: FieldDef) -> dict[str, Any]:
    """The ``Metadata`` of a Tooling CustomField."""
    common: dict[str, Any] = {"label": field.label[:MAX_LABEL]}
    if field.help:
        common["inlineHelpText"] = field.help[:510]
    return {**common, **_type_metadata(field)}


def _type_metadata(field: FieldDef) -> Mapping[str, Any]:
    if field.type == "number" and field.scale:
        return {**_PLAIN["number"], "scale": field.scale}
    if plain := _PLAIN.get(field.type):
        return plain
    if field.type == "picklist":
        return {"type": "Picklist", "valueSet": value_set(field.options)}
    if field.type == "multipicklist":
        return {"type": "MultiselectPicklist", "visibleLines": 4, "valueSet": value_set(field.options)}
    if field.type == "reference":
        return _lookup(field)
    length = field.length or (_TEXT_LENGTH if field.type in ("text", "id") else _LONG_TEXT_LENGTH)
    if field.type not in ("text", "id") or length > _TEXT_LENGTH:
        return {"type": "LongTextArea", "length": max(length, 256), "visibleLines": 5}
    return {"type": "Text", "length": length, **(_key(field) if field.unique else {})}


def _key(field: FieldDef) -> dict[str, Any]:
    """A key to upsert by; activities can have neither unique fields nor external ids."""
    if field.object in ("Task", "Event"):
        return {}
    return {"unique": True, "externalId": True, "caseSensitive": False}


def _lookup(field: FieldDef) -> dict[str, Any]:
    children = f"{field.object.removesuffix('__c')}_{field.name.removesuffix('__c').removeprefix('PRM_')}"
    return {
        "type": "Lookup",
        "referenceTo": field.references,
        "relationshipName": children[:MAX_LABEL],
        "relationshipLabel": field.label[:MAX_LABEL],
        "deleteConstraint": "SetNull",
    }


def value_set(options: Sequence[str]) -> dict[str, Any]:
    """An open list: a value that a later policy adds must not fail the write."""
    values = [{"fullName": option, "label": option_label(option), "default": False} for option in options]
    return {"restricted": False, "valueSetDefinition": {"sorted": False, "value": values}}


def option_label(option: str) -> str:
    return option.replace("_", " ").title() if option.islower() or "_" in option else option


def with_more_values(metadata: Mapping[str, Any], options: Sequence[str]) -> dict[str, Any]:
    """A picklist's metadata with values added; the Tooling API answers ``valueName`` where it is given ``fullName``."""
    definition = metadata["valueSet"]["valueSetDefinition"]
    present = definition["value"]
    key = "valueName" if present and "valueName" in present[0] else "fullName"
    added = [{key: option, "label": option_label(option), "default": False} for option in options]
    values = {**metadata["valueSet"], "valueSetDefinition": {**definition, "value": [*present, *added]}}
    return {**metadata, "valueSet": values}


# ------------------------------------------------------------------ custom objects: a package to deploy

_NAMESPACE = "http://soap.sforce.com/2006/04/metadata"


def object_package(objects: Sequence[ObjectDef], version: str) -> bytes:
    """A zip for the Metadata API with one ``.object`` file per custom object; the Tooling API cannot create objects."""
    members = "".join(f"<members>{escape(definition.name)}</members>" for definition in objects)
    manifest = f"<types>{members}<name>CustomObject</name></types><version>{version}</version>"
    files = {"package.xml": _xml("Package", manifest)}
    files |= {f"objects/{definition.name}.object": _object_xml(definition) for definition in objects}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return packed.getvalue()


def _object_xml(definition: ObjectDef) -> str:
    return _xml(
        "CustomObject",
        f"<label>{escape(definition.label)}</label>"
        f"<pluralLabel>{escape(definition.plural_label)}</pluralLabel>"
        "<nameField><label>Name</label><type>Text</type></nameField>"
        "<deploymentStatus>Deployed</deploymentStatus>"
        "<sharingModel>ReadWrite</sharingModel>"
        "<enableActivities>true</enableActivities>"
        "<enableActivities>true</enableActivities>"  # else no task can be about a record of it
        "<enableReports>true</enableReports>"
        "<enableSearch>true</enableSearch>",
    )


def _xml(root: str, content: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_NAMESPACE}">{content}</{root}>\n'
