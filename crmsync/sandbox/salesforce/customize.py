"""Custom objects and fields, by whatever road they come: Tooling API, deploy, createMetadata, world loader."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crmsync.sandbox.salesforce.catalog import custom_object_fields
from crmsync.sandbox.salesforce.errors import SalesforceError
from crmsync.sandbox.salesforce.formulas import CALCULATED, follow_parent
from crmsync.sandbox.salesforce.ids import custom_prefix
from crmsync.sandbox.salesforce.metadatashape import check_shape
from crmsync.sandbox.salesforce.schema import Field, SObject, build_object

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.base import OrgBase

ACTIVITY = ("Task", "Event")
_API_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*__c")

# Metadata API type -> describe type and what else it implies.
_TYPES: dict[str, dict[str, Any]] = {
    "Text": {"type": "string"},
    "TextArea": {"type": "textarea", "length": 255},
    "LongTextArea": {"type": "textarea"},
    "Html": {"type": "textarea", "extraTypeInfo": "richtextarea", "htmlFormatted": True},
    "Number": {"type": "double"},
    "Currency": {"type": "currency"},
    "Percent": {"type": "percent"},
    "Checkbox": {"type": "boolean"},
    "Date": {"type": "date"},
    "DateTime": {"type": "datetime"},
    "Email": {"type": "email"},
    "Phone": {"type": "phone"},
    "Url": {"type": "url"},
    "Picklist": {"type": "picklist"},
    "MultiselectPicklist": {"type": "multipicklist"},
    "Lookup": {"type": "reference"},
    "MasterDetail": {"type": "reference", "cascadeDelete": True, "updateable": False, "nillable": False},
    "AutoNumber": {"type": "string", "length": 30, "autoNumber": True, "createable": False, "updateable": False,
                   "nillable": False, "defaultedOnCreate": True},
}  # fmt: skip
# The plain words that the world loader may use as well.
_PLAIN = {
    "string": "Text", "long_text": "LongTextArea", "textarea": "TextArea", "double": "Number", "int": "Number",
    "money": "Currency", "bool": "Checkbox", "boolean": "Checkbox", "reference": "Lookup",
    "multipicklist": "MultiselectPicklist",
}  # fmt: skip
_NEEDS = {"Text": ("length",), "LongTextArea": ("length", "visibleLines"), "Html": ("length", "visibleLines"),
          "Number": ("precision", "scale"), "Currency": ("precision", "scale"), "Percent": ("precision", "scale"),
          "MultiselectPicklist": ("visibleLines",)}  # fmt: skip
_EXTERNAL_ID_TYPES = ("Text", "Number", "Email", "AutoNumber")


def metadata_type(word: str) -> str:
    """The Metadata API's name of a type, from that or from a plain word; ``KeyError`` if there is none."""
    by_lower = {name.lower(): name for name in _TYPES}
    return by_lower.get(word.lower()) or _PLAIN[word.lower()]


def options_of(metadata: Mapping[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    """(options, restricted) of a picklist's ``valueSet``."""
    value_set = metadata.get("valueSet") or {}
    definition = value_set.get("valueSetDefinition") or {}
    values = definition.get("value") or []
    values = values if isinstance(values, list) else [values]
    return [_option(item) for item in values], _flag(value_set.get("restricted"))


def _option(item: Mapping[str, Any]) -> dict[str, Any]:
    value = item.get("fullName") or item.get("valueName")
    return {"value": value, "label": item.get("label") or value, "defaultValue": _flag(item.get("default"))}


def _flag(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


def check_metadata(full_name: str, metadata: Mapping[str, Any]) -> None:
    """What the Metadata API refuses before it creates a field."""
    check_shape(metadata)
    kind = metadata.get("type")
    if kind not in _TYPES:
        known = ", ".join(sorted(_TYPES))
        message = f"Cannot deserialize instance of FieldType from VALUE_STRING value {kind} (one of {known})"
        raise SalesforceError("JSON_PARSER_ERROR", message)
    if not metadata.get("label"):
        raise SalesforceError(
            "FIELD_INTEGRITY_EXCEPTION", f"Required field is missing: label ({full_name})", fields=["label"]
        )
    for needed in () if metadata.get("formula") else _NEEDS.get(str(kind), ()):
        if metadata.get(needed) in (None, ""):
            message = f"Must specify '{needed}' for a CustomField of type {kind}"
            raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, fields=["FullName"])
    if kind == "Text" and int(metadata.get("length") or 0) > 255:
        raise SalesforceError(
            "NUMBER_OUTSIDE_VALID_RANGE", "Text field length must be between 1 and 255", fields=["length"]
        )
    if kind in ("Lookup", "MasterDetail") and not metadata.get("referenceTo"):
        raise SalesforceError(
            "FIELD_INTEGRITY_EXCEPTION", "Must specify 'referenceTo' for a relationship field", fields=["FullName"]
        )
    if (_flag(metadata.get("externalId")) or _flag(metadata.get("unique"))) and kind not in _EXTERNAL_ID_TYPES:
        message = f"Can not specify 'externalId' or 'unique' for a CustomField of type {kind}"
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, fields=["FullName"])


def _check_owner(full_name: str, metadata: Mapping[str, Any]) -> None:
    """Fields of activities cannot be keys."""
    keyed = [name for name in ("externalId", "unique") if _flag(metadata.get(name))]
    if full_name.lower().startswith("activity.") and keyed:
        message = f"Can not specify '{keyed[0]}' for a CustomField of Activity"
        raise SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, fields=["FullName"])


def field_spec(name: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The describe of a custom field from its metadata."""
    kind = str(metadata["type"])
    spec: dict[str, Any] = {"name": name, "label": metadata["label"], "custom": True, **_TYPES[kind]}
    spec |= {key: int(metadata[key]) for key in ("length", "precision", "scale") if metadata.get(key) is not None}
    spec["inlineHelpText"] = metadata.get("inlineHelpText")
    external, unique = _flag(metadata.get("externalId")), _flag(metadata.get("unique"))
    spec |= {"externalId": external, "unique": unique, "idLookup": external or unique}
    spec["caseSensitive"] = unique and _flag(metadata.get("caseSensitive"))
    if _flag(metadata.get("required")) and kind != "Checkbox":
        spec |= {"nillable": False, "permissionable": False}
    if kind == "Checkbox":
        spec["defaultValue"] = _flag(metadata.get("defaultValue"))
    if kind in ("Picklist", "MultiselectPicklist"):
        spec["picklistValues"], spec["restrictedPicklist"] = options_of(metadata)
    if kind in ("Lookup", "MasterDetail"):
        spec["referenceTo"] = [metadata["referenceTo"]]
        spec["relationshipName"] = name.removesuffix("__c") + "__r"
        child = metadata.get("relationshipName")
        spec["childRelationship"] = f"{child}__r" if child else None
    if formula := metadata.get("formula"):
        spec |= {**CALCULATED, "calculatedFormula": formula}
    spec["metadata"] = dict(metadata)
    return spec


def add_object(
    org: OrgBase,
    name: str,
    label: str,
    plural: str,
    key_prefix: str | None = None,
    name_label: str = "",
    *,
    activities: bool = False,
) -> SObject:
    """A new custom object, visible to nobody yet; ``activities`` lets tasks belong to its records."""
    if not _API_NAME.fullmatch(name):
        message = f"The object name '{name}' is not a valid API name: letters, digits, ending in __c"
        raise SalesforceError("INVALID_FIELD", message)
    if org.schema.get(name) is not None:
        message = f"There is already an object named {name} in this organization."
        raise SalesforceError("DUPLICATE_DEVELOPER_NAME", message)
    prefix = key_prefix or custom_prefix(sum(sobject.custom for sobject in org.schema))
    spec = {**_CUSTOM_OBJECT, "name": name, "label": label, "labelPlural": plural, "keyPrefix": prefix}
    sobject = build_object(spec, custom_object_fields(label, name_label))
    org.store.create_table(sobject)
    org.store.save_object(sobject, org.store.next_id("01I"))
    for item in sobject.fields.values():
        org.store.save_field(sobject, item)
    org.schema.add_object(sobject)
    if activities:
        _allow_activities(org, name)
    org.name_everything()
    org.schema_changed()
    return sobject


_CUSTOM_OBJECT: dict[str, Any] = {
    "custom": True,
    "createable": True,
    "updateable": True,
    "deletable": True,
    "undeletable": True,
    "queryable": True,
    "replicateable": True,
    "retrieveable": True,
    "searchable": True,
    "layoutable": True,
    "triggerable": True,
    "mergeable": False,
    "feedEnabled": False,
}


def _allow_activities(org: OrgBase, name: str) -> None:
    for activity in ACTIVITY:
        sobject = org.schema.require(activity)
        old = sobject.fields["whatid"]
        changed = Field({**old.spec, "referenceTo": [*old.reference_to, name]})
        org.schema.add_field(sobject, changed)
        org.store.save_field(sobject, changed)


def add_field(org: OrgBase, full_name: str, metadata: Mapping[str, Any]) -> str:
    """Create a custom field and return its durable id; a field of Activity appears on tasks and events."""
    owner, _, name = full_name.partition(".")
    if not _API_NAME.fullmatch(name):
        raise SalesforceError("INVALID_FIELD", f"The field name '{full_name}' is not a valid API name: Object.Field__c")
    check_metadata(full_name, metadata)
    _check_owner(full_name, metadata)
    targets = targets_of(org, owner)
    if any(target.has(name) for target in targets):
        message = f"There is already a field named {name.removesuffix('__c')} on {targets[0].spec['label']}."
        raise SalesforceError("DUPLICATE_DEVELOPER_NAME", message, fields=["DeveloperName"])
    if metadata.get("referenceTo") and org.schema.get(str(metadata["referenceTo"])) is None:
        message = f"In field: referenceTo - no CustomObject named {metadata['referenceTo']} found"
        raise SalesforceError("INVALID_CROSS_REFERENCE_KEY", message, fields=["FullName"])
    durable_id = org.store.next_id("00N")
    for target in targets:
        _attach(org, target, Field(field_spec(name, metadata)), durable_id)
        if formula := metadata.get("formula"):
            follow_parent(org, target, target.fields[name.lower()], str(formula))
    org.schema_changed()
    return durable_id


def targets_of(org: OrgBase, owner: str) -> list[SObject]:
    """The objects that get a field of ``owner``."""
    if owner.lower() == "activity":
        return [org.schema.require(name) for name in ACTIVITY]
    sobject = org.schema.get(owner)
    if sobject is None or owner in ACTIVITY:
        message = f"Entity Enumeration Or ID: bad value for restricted picklist field: {owner}"
        raise SalesforceError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=["FullName"])
    return [sobject]


def _attach(org: OrgBase, target: SObject, item: Field, durable_id: str) -> None:
    org.store.add_column(target, item)
    org.store.save_field(target, item, durable_id)
    org.schema.add_field(target, item)
    if item.type == "boolean":
        org.store.connection.execute(
            f'UPDATE "{target.name}" SET "{item.name}" = ?', (int(bool(item.describe["defaultValue"])),)
        )


def change_field(org: OrgBase, sobject: SObject, item: Field, metadata: Mapping[str, Any]) -> None:
    """New label, help, length or picklist values; the type of a field stays."""
    old = item.spec.get("metadata") or {}
    merged = {**old, **metadata}
    if merged.get("type") != old.get("type"):
        raise SalesforceError(
            "FIELD_INTEGRITY_EXCEPTION", f"Cannot change the type of {sobject.name}.{item.name}", fields=["type"]
        )
    check_metadata(f"{sobject.name}.{item.name}", merged)
    targets = targets_of(org, "Activity") if sobject.name in ACTIVITY else [sobject]
    for target in targets:
        changed = Field(field_spec(item.name, merged))
        org.schema.add_field(target, changed)
        org.store.save_field(target, changed)
    org.schema_changed()


def metadata_for(
    kind: str,
    label: str,
    *,
    length: int | None,
    options: Sequence[Any],
    reference_to: str,
    external_id: bool,
    unique: bool,
    relationship: str,
) -> dict[str, Any]:
    """Field metadata from the plain arguments of the world loader."""
    found: dict[str, Any] = {"type": kind, "label": label, "externalId": external_id, "unique": unique}
    if kind == "Text":
        found["length"] = length or 255
    elif kind in ("LongTextArea", "Html"):
        found |= {"length": length or 32768, "visibleLines": 3}
    elif kind in ("Number", "Currency", "Percent"):
        found |= {"precision": 18, "scale": 0 if kind == "Number" else 2}
    elif kind in ("Picklist", "MultiselectPicklist"):
        values = [as_value(option) for option in options]
        found |= {"visibleLines": 4, "valueSet": {"restricted": True, "valueSetDefinition": {"value": values}}}
    elif kind in ("Lookup", "MasterDetail"):
        found |= {"referenceTo": reference_to, "relationshipName": relationship}
    return found


def as_value(option: Any) -> dict[str, Any]:
    """An option is a value, a (value, label) pair or a mapping."""
    if isinstance(option, Mapping):
        return {"fullName": option["value"], "label": option.get("label", option["value"])}
    value, label = option if isinstance(option, tuple) else (option, option)
    return {"fullName": str(value), "label": str(label)}
