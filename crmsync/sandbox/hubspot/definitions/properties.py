"""Property definitions and groups per object type: what exists, what may be written, how definitions are made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from crmsync.sandbox.hubspot.data.database import Database
from crmsync.sandbox.hubspot.definitions.standard_properties import COMMON, TABLES
from crmsync.sandbox.hubspot.problems import Refusal, invalid
from crmsync.sandbox.hubspot.stamps import wire

Definition = dict[str, Any]
"""A property as it stands on the wire."""

FIELD_TYPES = {
    "bool": {"booleancheckbox", "calculation_equation"},
    "enumeration": {"booleancheckbox", "checkbox", "radio", "select", "calculation_equation"},
    "date": {"date"},
    "datetime": {"date"},
    "string": {"file", "text", "textarea", "calculation_equation", "html", "phonenumber"},
    "number": {"number", "calculation_equation"},
    "phone_number": {"phonenumber"},
}
"""Which pairs of type and fieldType may be created (developers.hubspot.com: CRM API | Properties)."""

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_EDITABLE = frozenset(
    {"label", "description", "groupName", "type", "fieldType", "options", "displayOrder", "hidden", "formField"}
    | {"calculationFormula", "showCurrencySymbol"}
)
MAX_UNIQUE = 10
USER_ID = "76070032"
_BEGINNING = "2019-08-06T02:41:08.304Z"


def is_read_only(definition: Mapping[str, Any]) -> bool:
    return bool(definition["modificationMetadata"]["readOnlyValue"])


def is_multiple(definition: Mapping[str, Any]) -> bool:
    return (definition["type"], definition["fieldType"]) == ("enumeration", "checkbox")


def build_options(options: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Options as answered: ``hidden`` is always there, and those without an order come after the others (recorded:
    custom property create, an option without one beside 1 and 2 gets 3)."""
    given = list(options)
    following = count(max((_order(option) for option in given), default=-1) + 1)
    built = []
    for option in given:
        if option.get("value") is None:
            raise invalid("Invalid input JSON: some required fields were not set: [options.value]")
        row = {"label": option.get("label", option["value"]), "value": str(option["value"])}
        if "description" in option:
            row["description"] = option["description"]
        order = option.get("displayOrder")
        shown_order = next(following) if order is None else order
        built.append({**row, "displayOrder": shown_order, "hidden": option.get("hidden", False)})
    return built


def _order(option: Mapping[str, Any]) -> int:
    order = option.get("displayOrder")
    return order if isinstance(order, int) else -1


class PropertyCatalog:
    """All definitions in memory, written through to the database; standard ones are stored only when changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._live: dict[str, dict[str, Definition]] = {}
        self._archived: dict[str, dict[str, Definition]] = {}
        self._groups: dict[str, dict[str, dict[str, Any]]] = {}
        for type_id, (group, label, table) in TABLES.items():
            self.add_type(type_id, group, label, table)
        self._load()

    def _load(self) -> None:
        for type_id, name, body in self._database.documents("group"):
            self._groups.setdefault(type_id, {})[name] = body
        for type_id, name, body in self._database.documents("property"):
            self._place(type_id, name, body)

    def add_type(self, type_id: str, group: str, label: str, table: str = "") -> None:
        self._groups.setdefault(type_id, {})[group] = {
            "name": group,
            "label": label,
            "displayOrder": -1,
            "archived": False,
        }
        live = self._live.setdefault(type_id, {})
        self._archived.setdefault(type_id, {})
        for definition in _standard(COMMON + table, group):
            live.setdefault(definition["name"], definition)

    def remove_type(self, type_id: str) -> None:
        for name in [*self._live.pop(type_id, {}), *self._archived.pop(type_id, {})]:
            self._database.delete_document("property", type_id, name)
        for name in self._groups.pop(type_id, {}):
            self._database.delete_document("group", type_id, name)

    def of(self, type_id: str) -> dict[str, Definition]:
        return self._live[type_id]

    def archived(self, type_id: str) -> dict[str, Definition]:
        return self._archived[type_id]

    def groups(self, type_id: str) -> dict[str, dict[str, Any]]:
        return self._groups[type_id]

    def find(self, type_id: str, name: str) -> Definition | None:
        return self._live[type_id].get(name)

    def unique_names(self, type_id: str) -> list[str]:
        return [name for name, definition in self._live[type_id].items() if definition["hasUniqueValue"]]

    def create(self, type_id: str, given: Mapping[str, Any], now_ms: int) -> Definition:
        definition = self._checked(type_id, given)
        stamps = {"updatedAt": wire(now_ms), "createdAt": wire(now_ms)}
        definition = {**stamps, **definition, "createdUserId": USER_ID, "updatedUserId": USER_ID, "archived": False}
        self._save(type_id, definition)
        return definition

    def update(self, type_id: str, name: str, given: Mapping[str, Any], now_ms: int) -> Definition:
        """PATCH: an option list replaces the old one whole."""
        old = self._live[type_id][name]
        changes = {key: value for key, value in given.items() if key in _EDITABLE}
        if old["modificationMetadata"]["readOnlyDefinition"] and set(changes) - {"options", "label", "description"}:
            raise invalid(f"Property '{name}' is defined by HubSpot and its definition cannot be changed")
        merged = {**old, **changes, "updatedAt": wire(now_ms)}
        if "options" in changes:
            merged["options"] = build_options(changes["options"] or [])
        _check_pair(merged["type"], merged["fieldType"])
        self._check_group(type_id, merged["groupName"])
        self._save(type_id, merged)
        return merged

    def archive(self, type_id: str, name: str, now_ms: int) -> None:
        old = self._live[type_id][name]
        if old.get("hubspotDefined"):
            raise invalid(f"Property '{name}' is defined by HubSpot and cannot be archived")
        self._save(type_id, {**old, "archived": True, "archivedAt": wire(now_ms)})

    def put_back(self, type_id: str, definition: Definition) -> None:
        """A definition exactly as it was before it was changed or archived."""
        self._save(type_id, definition)

    def save_group(self, type_id: str, group: dict[str, Any]) -> dict[str, Any]:
        self._groups[type_id][group["name"]] = group
        self._database.save_document("group", type_id, group["name"], group)
        return group

    def delete_group(self, type_id: str, name: str) -> None:
        used = [d["name"] for d in self._live[type_id].values() if d["groupName"] == name]
        if used:
            raise invalid(f"Property group '{name}' still has properties: {', '.join(used[:3])}")
        del self._groups[type_id][name]
        self._database.delete_document("group", type_id, name)

    def _save(self, type_id: str, definition: Definition) -> None:
        self._database.save_document("property", type_id, definition["name"], definition)
        self._place(type_id, definition["name"], definition)

    def _place(self, type_id: str, name: str, definition: Definition) -> None:
        kept, left = (self._live, self._archived)
        if definition.get("archived"):
            kept, left = left, kept
        kept.setdefault(type_id, {})[name] = definition
        left.setdefault(type_id, {}).pop(name, None)

    def _checked(self, type_id: str, given: Mapping[str, Any]) -> Definition:
        missing = [key for key in ("name", "label", "type", "fieldType", "groupName") if not given.get(key)]
        if missing:
            raise invalid(f"Invalid input JSON: some required fields were not set: {missing}")
        self._check_name(type_id, str(given["name"]))
        _check_pair(given["type"], given["fieldType"])
        self._check_group(type_id, given["groupName"])
        if given["type"] == "enumeration" and not given.get("options") and not given.get("externalOptions"):
            raise invalid(f"Property '{given['name']}' of type enumeration must have at least one option")
        if given.get("hasUniqueValue") and self._unique_count(type_id) >= MAX_UNIQUE:
            raise invalid(f"You can have at most {MAX_UNIQUE} unique properties per object")
        return _custom(given)

    def _unique_count(self, type_id: str) -> int:
        return sum(1 for d in self._live[type_id].values() if d["hasUniqueValue"] and not d.get("hubspotDefined"))

    def _check_name(self, type_id: str, name: str) -> None:
        if not _NAME.match(name) or len(name) > 100:
            raise invalid(f"Property name '{name}' is invalid: lower-case letters, digits and underscores only")
        if name.startswith("hs_"):
            raise invalid(f"Property name '{name}' is invalid: the prefix hs_ is reserved")
        if name in self._live[type_id]:
            raise Refusal(
                409,
                f"A property named '{name}' already exists.",
                "OBJECT_ALREADY_EXISTS",
                subCategory="Properties.PROPERTY_WITH_NAME_EXISTS",
                context={"name": [name]},
            )

    def _check_group(self, type_id: str, group: str) -> None:
        if group not in self._groups[type_id]:
            raise invalid(f"Property group '{group}' does not exist", context={"groupName": [group]})


def _check_pair(kind: str, field_type: str) -> None:
    allowed = FIELD_TYPES.get(kind)
    if allowed is None:
        raise invalid(f"Property type '{kind}' is not valid, allowed: {sorted(FIELD_TYPES)}")
    if field_type not in allowed:
        raise invalid(f"Property type '{kind}' cannot have the field type '{field_type}', allowed: {sorted(allowed)}")


_BOOLEAN_OPTIONS = [
    {"label": "True", "value": "true", "description": "True", "displayOrder": 2, "hidden": False},
    {"label": "False", "value": "false", "description": "False", "displayOrder": 1, "hidden": False},
]


def _custom(given: Mapping[str, Any]) -> Definition:
    options = build_options(given.get("options") or [])
    if given["type"] == "bool" and not options:
        options = _BOOLEAN_OPTIONS
    return {
        "name": given["name"],
        "label": given["label"],
        "type": given["type"],
        "fieldType": given["fieldType"],
        "description": given.get("description", ""),
        "groupName": given["groupName"],
        "options": options,
        "displayOrder": given.get("displayOrder", -1),
        "calculated": given["fieldType"].startswith("calculation"),
        "externalOptions": bool(given.get("externalOptions", False)),
        "hasUniqueValue": bool(given.get("hasUniqueValue", False)),
        "hidden": bool(given.get("hidden", False)),
        "modificationMetadata": {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False},
        "formField": bool(given.get("formField", False)),
        "dataSensitivity": given.get("dataSensitivity", "non_sensitive"),
        **({"referencedObjectType": given["referencedObjectType"]} if given.get("referencedObjectType") else {}),
    }


def _standard(table: str, group: str) -> Iterable[Definition]:
    for line in table.splitlines():
        if line.strip():
            name, kind, flags, label, *options = (part.strip() for part in line.split("|"))
            yield _standard_definition(name, kind, flags, label, options[0] if options else "", group)


def _standard_definition(name: str, kind: str, flags: str, label: str, options: str, group: str) -> Definition:
    type_, field_type = kind.split("/")
    pairs = [option.partition("=") for option in options.split(",") if option]
    listed = build_options({"value": value, "label": text or value} for value, _, text in pairs)
    return {
        "updatedAt": _BEGINNING,
        "createdAt": _BEGINNING,
        "name": name,
        "label": label,
        "type": type_,
        "fieldType": field_type,
        "description": "",
        "groupName": group,
        "options": _BOOLEAN_OPTIONS if type_ == "bool" else listed,
        **({"referencedObjectType": "OWNER"} if "o" in flags else {}),
        "displayOrder": -1,
        "calculated": field_type == "calculation_equation",
        "externalOptions": "o" in flags,
        "hasUniqueValue": "u" in flags,
        "hidden": "h" in flags,
        "hubspotDefined": True,
        "modificationMetadata": {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": "r" in flags},
        "formField": False,
        "dataSensitivity": "non_sensitive",
    }
