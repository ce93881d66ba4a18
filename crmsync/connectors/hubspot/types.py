"""Objects by name: HubSpot's own go by their plural, a custom object by its id, which only the account knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crmsync.connectors.hubspot.api import HubSpotApi
from crmsync.connectors.hubspot.describe import FIXED, object_info
from crmsync.connectors.hubspot.objects import PIPELINES, TYPE_IDS
from crmsync.connectors.hubspot.records import results_of
from crmsync.connectors.hubspot.whole import read_whole
from crmsync.errors import Permanent
from crmsync.remote import ObjectInfo


class ObjectTypes:
    """What the account has, asked once per connector: HubSpot wants such lists cached ("Usage guidelines")."""

    def __init__(self, api: HubSpotApi) -> None:
        self._api = api
        self._schemas: list[Mapping[str, Any]] | None = None
        self._described: dict[str, ObjectInfo | None] = {}

    def schemas(self) -> list[Mapping[str, Any]]:
        """The account's custom objects."""
        if self._schemas is None:
            self._schemas = results_of(self._api.call(self._api.schemas.get_all).body)
        return self._schemas

    def forget(self) -> None:
        """After a change of schemas or properties."""
        self._schemas = None
        self._described.clear()

    def schema(self, object_name: str) -> Mapping[str, Any] | None:
        """A custom object by its name, its full name (``p123_name``) or its type id."""
        wanted = object_name.lower()
        for schema in self.schemas():
            names = (schema.get("name"), schema.get("fullyQualifiedName"), schema.get("objectTypeId"))
            if wanted in (str(name or "").lower() for name in names):
                return schema
        return None

    def resolve(self, object_name: str) -> str:
        """What goes into a URL.

        :raises Permanent: when the account has no such object.
        """
        if object_name in TYPE_IDS or object_name.startswith("0-"):
            return object_name
        if schema := self.schema(object_name):
            return str(schema["objectTypeId"])
        raise Permanent(
            f"hubspot has no object '{object_name}'",
            system="hubspot",
            vendor_code="UNKNOWN_OBJECT",
            hint="crmsync provision creates the custom objects of the mapping",
        )

    def type_id(self, object_name: str) -> str:
        return TYPE_IDS.get(object_name) or self.resolve(object_name)

    def describe(self, object_name: str) -> ObjectInfo | None:
        if object_name in FIXED:
            return FIXED[object_name]
        if object_name not in self._described:
            self._described[object_name] = self._describe(object_name)
        return self._described[object_name]

    def _describe(self, object_name: str) -> ObjectInfo | None:
        if object_name in TYPE_IDS:
            label, url_type, custom = object_name.replace("_", " ").capitalize(), object_name, False
        elif schema := self.schema(object_name):
            label = str((schema.get("labels") or {}).get("plural") or object_name)
            url_type, custom = str(schema["objectTypeId"]), True
        else:
            return None
        properties = results_of(self._api.call(self._api.properties.get_all, url_type).body)
        info = object_info(object_name, label, properties, custom=custom)
        return self._with_stages(info) if object_name == "deals" else info

    def _with_stages(self, info: ObjectInfo) -> ObjectInfo:
        """Pipeline and stage are lists whose options stand elsewhere (recorded: ``externalOptions``, none given)."""
        if not {"pipeline", "dealstage"} <= info.fields.keys():
            return info
        stages = list(read_whole(self._api, PIPELINES))
        known = {
            "pipeline": tuple(dict.fromkeys(str(stage["pipeline"]) for stage in stages)),
            "dealstage": tuple(str(stage["id"]) for stage in stages),
        }
        listed = {name: replace(info.fields[name], options=ids, restricted=True) for name, ids in known.items()}
        return replace(info, fields={**info.fields, **listed})
