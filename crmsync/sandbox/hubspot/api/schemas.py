"""Custom object schemas (developers.hubspot.com: CRM API | Custom objects)."""

from __future__ import annotations

from typing import Any

from crmsync.sandbox.hubspot.api.http import Answer, Call, Endpoint
from crmsync.sandbox.hubspot.api.scopes import custom_schemas
from crmsync.sandbox.hubspot.definitions.object_types import ObjectType
from crmsync.sandbox.hubspot.problems import invalid, not_found
from crmsync.sandbox.hubspot.wholes import is_whole


def list_schemas(call: Call) -> Answer:
    return 200, {"results": [] if call.flag("archived") else call.portal.schemas.all()}


def read_schema(call: Call) -> Answer:
    return 200, call.portal.schemas.wire(_kind(call))


def create_schema(call: Call) -> Answer:
    kind = call.portal.schemas.create(call.json(), call.now_ms)
    return 201, call.portal.schemas.wire(kind)


def update_schema(call: Call) -> Answer:
    kind = call.portal.schemas.update(_custom(call), call.json(), call.now_ms)
    return 200, {key: value for key, value in call.portal.schemas.wire(kind).items() if key != "associations"}


def delete_schema(call: Call) -> Answer:
    kind = _custom(call)
    count = call.portal.records.count(kind.id)
    if count:
        message = f"Unable to delete the object type {kind.name}: it still has {count} records"
        raise invalid(message, context={"objectTypeId": [kind.id]})
    call.portal.schemas.delete(kind)
    return 204, None


def create_association(call: Call) -> Answer:
    """``fromObjectTypeId`` is the schema's own type, the other end any."""
    body = call.json()
    kind, other = (
        call.portal.types.get(_text(body, "fromObjectTypeId")),
        call.portal.types.get(_text(body, "toObjectTypeId")),
    )
    types = call.portal.associations.types
    if types.plain(kind.id, other.id) is None:
        made = types.create_plain(kind.id, other.id)
    else:
        label = str(body.get("name") or f"{kind.singular}_to_{other.singular}")
        made = types.create_label(kind.id, other.id, label, label, None)[0]
    shown = {"id": str(made.id), "fromObjectTypeId": kind.id, "toObjectTypeId": other.id, "name": body.get("name")}
    return 201, {**shown, "createdAt": None, "updatedAt": None}


def delete_association(call: Call) -> Answer:
    kind, identifier = _kind(call), call.path["association"]
    types = call.portal.associations.types
    for other in call.portal.types.by_id.values():
        found = types.any_category(kind.id, other.id, int(identifier)) if is_whole(identifier) else None
        if found:
            types.remove(found)
            return 204, None
    raise not_found(f"No association {identifier} on {kind.name}")


def _text(body: dict[str, Any], name: str) -> str:
    if not body.get(name):
        raise invalid(f"Invalid input JSON: some required fields were not set: [{name}]")
    return str(body[name])


def _kind(call: Call) -> ObjectType:
    name = call.path["object_type"]
    found = call.portal.types.find(name)
    if found is None:
        raise not_found(f"Unable to find an object type named {name}", context={"objectType": [name]})
    return found


def _custom(call: Call) -> ObjectType:
    kind = _kind(call)
    if not kind.is_custom:
        raise invalid(f"The object type {kind.name} is defined by HubSpot and cannot be changed")
    return kind


_READ, _WRITE = custom_schemas("read"), custom_schemas("write")
ENDPOINTS = (
    Endpoint("GET", "schemas", "", list_schemas, _READ),
    Endpoint("POST", "schemas", "", create_schema, _WRITE),
    Endpoint("GET", "schemas", "/{object_type}", read_schema, _READ),
    Endpoint("PATCH", "schemas", "/{object_type}", update_schema, _WRITE),
    Endpoint("DELETE", "schemas", "/{object_type}", delete_schema, _WRITE),
    Endpoint("POST", "schemas", "/{object_type}/associations", create_association, _WRITE),
    Endpoint("DELETE", "schemas", "/{object_type}/associations/{association}", delete_association, _WRITE),
)
