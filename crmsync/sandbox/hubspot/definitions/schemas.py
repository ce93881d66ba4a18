"""Custom objects: their schemas, the object types and catalogs they bring, and the objects they may be tied to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from crmsync.sandbox.hubspot.data.database import Database
from crmsync.sandbox.hubspot.definitions.association_types import AssociationType, AssociationTypes
from crmsync.sandbox.hubspot.definitions.object_types import ObjectType, ObjectTypes
from crmsync.sandbox.hubspot.definitions.properties import PropertyCatalog
from crmsync.sandbox.hubspot.problems import Refusal, invalid
from crmsync.sandbox.hubspot.stamps import wire

_ACTIVITIES = ("0-46", "0-27", "0-48", "0-47", "0-49")
_FIRST_ID = 31_000_001
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_EDITABLE = (
    "requiredProperties",
    "searchableProperties",
    "primaryDisplayProperty",
    "secondaryDisplayProperties",
    "description",
    "restorable",
)
_BEGINNING = "1970-01-01T00:00:00Z"


class Schemas:
    def __init__(
        self, database: Database, types: ObjectTypes, catalog: PropertyCatalog, links: AssociationTypes, portal_id: int
    ) -> None:
        self._database = database
        self._types = types
        self._catalog = catalog
        self._links = links
        self._portal_id = portal_id
        for _, _, body in database.documents("schema"):
            self._register(body)

    def all(self) -> list[dict[str, Any]]:
        return [self.wire(kind) for kind in self._types.by_id.values() if kind.is_custom]

    def create(self, given: Mapping[str, Any], now_ms: int) -> ObjectType:
        self._check(given)
        name = str(given["name"])
        number = self._database.take("schema", _FIRST_ID)
        body = {
            "labels": dict(given["labels"]),
            "requiredProperties": list(given.get("requiredProperties", [])),
            "searchableProperties": list(given.get("searchableProperties", [])),
            "primaryDisplayProperty": given.get("primaryDisplayProperty"),
            "secondaryDisplayProperties": list(given.get("secondaryDisplayProperties", [])),
            "description": given.get("description"),
            "allowsSensitiveProperties": False,
            "archived": False,
            "restorable": True,
            "metaType": "PORTAL_SPECIFIC",
            "id": str(number),
            "fullyQualifiedName": f"p{self._portal_id}_{name}",
            "createdAt": wire(now_ms),
            "updatedAt": wire(now_ms),
            "objectTypeId": f"2-{number}",
            "name": name,
        }
        self._database.save_document("schema", "", f"2-{number}", body)
        kind = self._register(body)
        try:
            self._furnish(kind, given, now_ms)
        except Refusal:  # what is in memory does not roll back by itself
            self.delete(kind)
            raise
        return kind

    def _furnish(self, kind: ObjectType, given: Mapping[str, Any], now_ms: int) -> None:
        for definition in given.get("properties", []):
            self._catalog.create(kind.id, {"groupName": self.group(kind), **definition}, now_ms)
        for other in (*_ACTIVITIES, *given.get("associatedObjects", [])):
            self._links.create_plain(kind.id, self._types.get(str(other)).id)

    def update(self, kind: ObjectType, given: Mapping[str, Any], now_ms: int) -> ObjectType:
        changes = {key: given[key] for key in _EDITABLE if key in given}
        if isinstance(given.get("labels"), Mapping):
            changes["labels"] = {**kind.schema["labels"], **given["labels"]}
        body = {**kind.schema, **changes, "updatedAt": wire(now_ms)}
        self._database.save_document("schema", "", kind.id, body)
        return self._register(body)

    def delete(self, kind: ObjectType) -> None:
        self._links.remove_object_type(kind.id)
        self._catalog.remove_type(kind.id)
        self._types.remove(kind.id)
        self._database.delete_document("schema", "", kind.id)

    def group(self, kind: ObjectType) -> str:
        return f"{kind.singular}_information"

    def wire(self, kind: ObjectType) -> dict[str, Any]:
        body = kind.schema or _standard(kind)
        properties = list(self._catalog.of(kind.id).values()) if kind.is_custom else []
        return {**body, "properties": properties, "associations": self._associations(kind)}

    def _associations(self, kind: ObjectType) -> list[dict[str, Any]]:
        shown = []
        for other in self._types.by_id.values():
            shown += [_link(link, kind, other) for link in self._links.between(kind.id, other.id)]
            if other.id != kind.id:
                shown += [_link(link, other, kind) for link in self._links.between(other.id, kind.id)]
        return shown

    def _register(self, body: dict[str, Any]) -> ObjectType:
        labels = (body["labels"].get("singular", body["name"]), body["labels"].get("plural", body["name"]))
        primary = body["primaryDisplayProperty"]
        kind = ObjectType(
            body["objectTypeId"], body["fullyQualifiedName"], body["name"], labels, (primary,) if primary else (), body
        )
        names = (body["fullyQualifiedName"], body["name"], f"p_{body['name']}")
        self._types.add(kind, *names)
        self._catalog.add_type(kind.id, self.group(kind), f"{labels[0]} Information")
        return kind

    def _check(self, given: Mapping[str, Any]) -> None:
        missing = [key for key in ("name", "labels", "properties", "primaryDisplayProperty") if not given.get(key)]
        if missing:
            raise invalid(f"Invalid input JSON: some required fields were not set: {missing}")
        name = str(given["name"])
        if not _NAME.match(name):
            raise invalid(f"Object type name '{name}' is invalid: letters, digits and underscores only")
        if self._types.find(name):
            message = f"An object type with the name '{name}' already exists."
            raise Refusal(409, message, "OBJECT_ALREADY_EXISTS", context={"name": [name]})
        defined = {definition.get("name") for definition in given["properties"]}
        if given["primaryDisplayProperty"] not in defined:
            raise invalid(
                f"The primary display property '{given['primaryDisplayProperty']}' is not among the properties"
            )


def _standard(kind: ObjectType) -> dict[str, Any]:
    """Recorded: contacts-schema-resp."""
    return {
        "labels": {"singular": kind.labels[0], "plural": kind.labels[1]},
        "requiredProperties": [],
        "searchableProperties": [],
        "primaryDisplayProperty": kind.defaults[0] if kind.defaults else "hs_object_id",
        "secondaryDisplayProperties": [],
        "allowsSensitiveProperties": True,
        "archived": False,
        "restorable": True,
        "metaType": "HUBSPOT",
        "id": kind.id.removeprefix("0-"),
        "fullyQualifiedName": kind.singular.upper(),
        "createdAt": _BEGINNING,
        "updatedAt": _BEGINNING,
        "createdByUserId": None,
        "updatedByUserId": None,
        "objectTypeId": kind.id,
        "name": kind.singular.upper(),
    }


def _link(link: AssociationType, start: ObjectType, end: ObjectType) -> dict[str, Any]:
    is_single = link.is_primary and end.id == "0-2"
    return {
        "fromObjectTypeId": start.id,
        "toObjectTypeId": end.id,
        "name": link.name or f"{start.singular}_to_{end.singular}".upper(),
        "cardinality": "ONE_TO_ONE" if is_single else "ONE_TO_MANY",
        "inverseCardinality": "ONE_TO_MANY",
        "hasUserEnforcedMaxToObjectIds": False,
        "hasUserEnforcedMaxFromObjectIds": False,
        "maxToObjectIds": 1 if is_single else 10_000,
        "maxFromObjectIds": 10_000,
        "id": str(link.id),
        "createdAt": None,
        "updatedAt": None,
    }
