"""Describe: what fields an object has for *this* user. A field without read permission is simply not there."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from crmsync.connectors.salesforce.client import Client
from crmsync.connectors.salesforce.soql import is_name
from crmsync.errors import Permanent
from crmsync.remote import FieldInfo, ObjectInfo

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "string": "text",
        "encryptedstring": "text",
        "id": "id",
        "reference": "reference",
        "boolean": "bool",
        "currency": "money",
        "double": "number",
        "int": "number",
        "long": "number",
        "percent": "percent",
        "date": "date",
        "datetime": "datetime",
        "time": "text",
        "picklist": "picklist",
        "combobox": "picklist",
        "multipicklist": "multipicklist",
        "email": "email",
        "phone": "phone",
        "url": "url",
        "address": "address",
        "location": "address",
        "complexvalue": "json",
        "anyType": "text",
        "base64": "text",
    }
)
_LONG_TEXT_FROM = 256


class Descriptions:
    """Describes by object name, asked for once per connector."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._raw: dict[str, Mapping[str, Any] | None] = {}
        self._infos: dict[str, ObjectInfo] = {}

    def info(self, object_name: str) -> ObjectInfo | None:
        if object_name not in self._infos:
            raw = self.raw(object_name)
            if raw is None:
                return None
            self._infos[object_name] = _object_info(raw)
        return self._infos[object_name]

    def raw(self, object_name: str) -> Mapping[str, Any] | None:
        """The describe as Salesforce sends it; ``None`` where there is no such object for this user."""
        if object_name not in self._raw:
            self._raw[object_name] = self._fetch(object_name) if is_name(object_name) else None
        return self._raw[object_name]

    def raw_field(self, object_name: str, field_name: str) -> Mapping[str, Any] | None:
        fields = (self.raw(object_name) or {}).get("fields", ())
        return next((field for field in fields if field["name"] == field_name), None)

    def forget(self, object_name: str | None = None) -> None:
        """Ask again next time: the schema or the permissions were changed."""
        for cache in (self._raw, self._infos):
            if object_name is None:
                cache.clear()
            else:
                cache.pop(object_name, None)

    def _fetch(self, object_name: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = getattr(self._client.sf, object_name).describe()
        except Permanent as error:
            if error.status == 404:
                return None
            raise
        return found


def checked_object(descriptions: Descriptions, object_name: str, fields: Sequence[str]) -> ObjectInfo:
    """The description of an object that has all these fields.

    :raises Permanent: naming what is missing, before a query fails on it less clearly.
    """
    info = descriptions.info(object_name)
    if info is None:
        raise Permanent(
            f"salesforce has no object '{object_name}' that the integration user may see",
            system="salesforce",
            hint="create it and grant access: crmsync provision; or correct the mapping: crmsync check --live",
            vendor_code="INVALID_TYPE",
        )
    missing = [name for name in fields if name not in info.fields]
    if missing:
        close = difflib.get_close_matches(missing[0], info.fields, n=1)
        known = f"; there is '{close[0]}'" if close else ""
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise Permanent(
            f"salesforce shows no field '{object_name}.{missing[0]}'{more} to the integration user{known}",
            system="salesforce",
            hint="create it and grant access: crmsync provision; or correct the mapping: crmsync check --live",
            vendor_code="INVALID_FIELD",
        )
    return info


def _object_info(raw: Mapping[str, Any]) -> ObjectInfo:
    fields = {field["name"]: _field_info(field) for field in raw["fields"]}
    return ObjectInfo(raw["name"], raw.get("label", raw["name"]), MappingProxyType(fields), bool(raw.get("custom")))


def _field_info(raw: Mapping[str, Any]) -> FieldInfo:
    createable = bool(raw.get("createable"))
    return FieldInfo(
        name=raw["name"],
        label=raw.get("label") or raw["name"],
        type=_type(raw),
        length=raw.get("length") or None,
        options=tuple(value["value"] for value in raw.get("picklistValues") or () if value.get("active", True)),
        restricted=bool(raw.get("restrictedPicklist")),
        required=createable and not raw.get("nillable") and not raw.get("defaultedOnCreate"),
        createable=createable,
        updateable=bool(raw.get("updateable")),
        custom=bool(raw.get("custom")),
        unique=bool(raw.get("unique")),
        references=tuple(raw.get("referenceTo") or ()),
        calculated=bool(raw.get("calculated")),
    )


def _type(raw: Mapping[str, Any]) -> str:
    if raw["type"] == "textarea":
        return "long_text" if (raw.get("length") or 0) >= _LONG_TEXT_FROM else "text"
    return _TYPES.get(raw["type"], "text")
