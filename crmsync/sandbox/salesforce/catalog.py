"""The objects every org has, as shipped in ``describes/``, and the fields that every custom object starts with."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import orjson

CURRENCIES = ("USD", "EUR", "GBP", "CHF", "SEK", "JPY", "AUD", "CAD")
"""The first one is corporate."""


def standard_objects() -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """(object, fields) of each standard object, sorted by name."""
    folder = files("crmsync.sandbox.salesforce") / "describes"
    found = sorted((item for item in folder.iterdir() if item.name.endswith(".json")), key=lambda item: item.name)
    loaded = [orjson.loads(item.read_bytes()) for item in found]
    return [(item["object"], [_with_currencies(spec) for spec in item["fields"]]) for item in loaded]


def _with_currencies(spec: dict[str, Any]) -> dict[str, Any]:
    if spec.get("picklistValues") == "CURRENCIES":
        return {**spec, "picklistValues": list(CURRENCIES)}
    return spec


def _stamp(name: str, label: str, type_: str = "datetime", **more: Any) -> dict[str, Any]:
    fixed = {
        "createable": False,
        "updateable": False,
        "permissionable": False,
        "nillable": False,
        "defaultedOnCreate": True,
    }
    return {"name": name, "label": label, "type": type_, **fixed, **more}


def _user(name: str, label: str) -> dict[str, Any]:
    relationship = name.removesuffix("Id")
    return _stamp(name, label, "reference", referenceTo=["User"], relationshipName=relationship)


def custom_object_fields(label: str, name_label: str) -> list[dict[str, Any]]:
    """Every custom object starts with these; a record without a name is named by its id."""
    return [
        {"name": "Id", "label": "Record ID", "type": "id"},
        {**_user("OwnerId", "Owner ID"), "createable": True, "updateable": True},
        _stamp("IsDeleted", "Deleted", "boolean"),
        {"name": "Name", "label": name_label or f"{label} Name", "type": "string", "length": 80, "nameField": True,
         "permissionable": False, "idLookup": True, "defaultedOnCreate": True},
        {"name": "CurrencyIsoCode", "label": "Currency ISO Code", "type": "picklist", "length": 3,
         "defaultedOnCreate": True, "restrictedPicklist": True, "permissionable": False,
         "picklistValues": list(CURRENCIES)},
        _stamp("CreatedDate", "Created Date"),
        _user("CreatedById", "Created By ID"),
        _stamp("LastModifiedDate", "Last Modified Date"),
        _user("LastModifiedById", "Last Modified By ID"),
        _stamp("SystemModstamp", "System Modstamp"),
        {**_stamp("LastActivityDate", "Last Activity Date", "date"), "nillable": True, "defaultedOnCreate": False},
    ]  # fmt: skip


def history_object(parent: str, label: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(object, fields) of an object's field history (Object Reference: StandardObjectNameHistory)."""
    is_custom = parent.endswith("__c")
    link = "ParentId" if is_custom else f"{parent}Id"
    name = f"{parent[:-3]}__History" if is_custom else _HISTORIES.get(parent, f"{parent}History")
    fixed = {"createable": False, "updateable": False, "permissionable": False}
    spec = {"name": name, "label": f"{label} History", "labelPlural": f"{label} History", "keyPrefix": "017",
            "createable": False, "updateable": False, "deletable": False, "queryable": True, "replicateable": True,
            "retrieveable": True, "searchable": False, "layoutable": False, "triggerable": False, "undeletable": False,
            "mergeable": False, "custom": False}  # fmt: skip
    return spec, [
        {"name": "Id", "label": f"{label} History ID", "type": "id"},
        _stamp("IsDeleted", "Deleted", "boolean"),
        {**_user(link, f"{label} ID"), "referenceTo": [parent]},
        _user("CreatedById", "Created By ID"),
        _stamp("CreatedDate", "Created Date"),
        {"name": "Field", "label": "Changed Field", "type": "picklist", "length": 255, **fixed},
        {"name": "DataType", "label": "Datatype", "type": "picklist", "length": 40, **fixed},
        {"name": "OldValue", "label": "Old Value", "type": "anyType", "length": 255, "filterable": False, **fixed},
        {"name": "NewValue", "label": "New Value", "type": "anyType", "length": 255, "filterable": False, **fixed},
    ]


_HISTORIES = {"Opportunity": "OpportunityFieldHistory"}

NAME_OBJECT: dict[str, Any] = {
    "name": "Name", "label": "Name", "labelPlural": "Names", "keyPrefix": None, "queryable": False, "createable": False,
    "updateable": False, "deletable": False, "pseudo": True,
}  # fmt: skip
NAME_FIELDS: list[dict[str, Any]] = [
    {"name": "Id", "label": "Record ID", "type": "id"},
    {"name": "Name", "label": "Name", "type": "string", "length": 255, "permissionable": False},
    {"name": "Type", "label": "Type", "type": "picklist", "permissionable": False},
]
