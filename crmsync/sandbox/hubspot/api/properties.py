"""Property definitions and their groups (developers.hubspot.com: CRM API | Properties)."""

from __future__ import annotations

from typing import Any

from crmsync.sandbox.hubspot.api.http import Answer, Call, Endpoint
from crmsync.sandbox.hubspot.api.paging import completed
from crmsync.sandbox.hubspot.api.scopes import schemas
from crmsync.sandbox.hubspot.definitions.object_types import ObjectType
from crmsync.sandbox.hubspot.definitions.properties import Definition
from crmsync.sandbox.hubspot.problems import Refusal, invalid, not_found

MAX_BATCH = 100
_PIPELINES, _STAGES = {"pipeline", "hs_pipeline"}, {"dealstage", "hs_pipeline_stage"}
_STAMPS = {"updatedAt", "createdAt", "createdUserId", "updatedUserId", "archived"}


def list_properties(call: Call) -> Answer:
    kind = call.kind
    chosen = call.portal.catalog.archived(kind.id) if call.flag("archived") else call.portal.catalog.of(kind.id)
    sensitivity = call.one("dataSensitivity") or "non_sensitive"
    shown = [_wire(call, kind, one) for one in chosen.values() if one["dataSensitivity"] == sensitivity]
    return 200, {"results": shown}


def read_property(call: Call) -> Answer:
    kind = call.kind
    chosen = call.portal.catalog.archived(kind.id) if call.flag("archived") else call.portal.catalog.of(kind.id)
    name = call.path["name"]
    if name not in chosen:
        raise _unknown(kind, name)
    return 200, _wire(call, kind, chosen[name])


def create_property(call: Call) -> Answer:
    kind = call.kind
    made = call.portal.catalog.create(kind.id, call.json(), call.now_ms)
    return 201, made, {"Location": f"{call.base_url}{call.url_path}/{made['name']}"}


def update_property(call: Call) -> Answer:
    kind, name = call.kind, call.path["name"]
    if call.portal.catalog.find(kind.id, name) is None:
        raise _unknown(kind, name)
    return 200, _wire(call, kind, call.portal.catalog.update(kind.id, name, call.json(), call.now_ms))


def archive_property(call: Call) -> Answer:
    kind, name = call.kind, call.path["name"]
    if call.portal.catalog.find(kind.id, name) is None:
        raise _unknown(kind, name)
    call.portal.catalog.archive(kind.id, name, call.now_ms)
    return 204, None


def batch_create(call: Call) -> Answer:
    """Existing names are entries beside the results (recorded: custom update response)."""
    kind = call.kind
    results, errors = [], []
    for one in call.inputs(MAX_BATCH):
        try:
            made = call.portal.catalog.create(kind.id, one, call.now_ms)
            results.append({key: value for key, value in made.items() if key not in _STAMPS})
        except Refusal as refusal:
            errors.append(refusal.as_item())
    return completed(call, results, errors, 200 if call.since("2026-09") else 201)


def batch_read(call: Call) -> Answer:
    kind, archived = call.kind, str(call.json().get("archived", "")).lower() == "true"
    chosen = call.portal.catalog.archived(kind.id) if archived else call.portal.catalog.of(kind.id)
    names = [str(one.get("name", "")) for one in call.inputs(MAX_BATCH)]
    results = [_wire(call, kind, chosen[name]) for name in names if name in chosen]
    errors = [_unknown(kind, name).as_item(name=[name]) for name in names if name not in chosen]
    return completed(call, results, errors, 200)


def batch_archive(call: Call) -> Answer:
    kind = call.kind
    for one in call.inputs(MAX_BATCH):
        name = str(one.get("name", ""))
        if call.portal.catalog.find(kind.id, name):
            call.portal.catalog.archive(kind.id, name, call.now_ms)
    return 204, None


def list_groups(call: Call) -> Answer:
    return 200, {"results": list(call.portal.catalog.groups(call.kind.id).values())}


def read_group(call: Call) -> Answer:
    return 200, _group(call)


def create_group(call: Call) -> Answer:
    kind, body = call.kind, call.json()
    missing = [key for key in ("name", "label") if not body.get(key)]
    if missing:
        raise invalid(f"Invalid input JSON: some required fields were not set: {missing}")
    name = str(body["name"])
    if name in call.portal.catalog.groups(kind.id):
        message = f"A property group named '{name}' already exists."
        subcategory = "Properties.GROUP_WITH_NAME_EXISTS"
        raise Refusal(409, message, "OBJECT_ALREADY_EXISTS", subCategory=subcategory, context={"name": [name]})
    order = body.get("displayOrder", -1)
    group = {"name": name, "label": body["label"], "displayOrder": order, "archived": False}
    return 201, call.portal.catalog.save_group(kind.id, group)


def update_group(call: Call) -> Answer:
    body = call.json()
    changes = {key: value for key, value in body.items() if key in {"label", "displayOrder"}}
    return 200, call.portal.catalog.save_group(call.kind.id, {**_group(call), **changes})


def archive_group(call: Call) -> Answer:
    call.portal.catalog.delete_group(call.kind.id, _group(call)["name"])
    return 204, None


def _group(call: Call) -> dict[str, Any]:
    name = call.path["name"]
    found = call.portal.catalog.groups(call.kind.id).get(name)
    if found is None:
        raise not_found(f"Property group {name} does not exist", context={"name": [name]})
    return found


def _unknown(kind: ObjectType, name: str) -> Refusal:
    return not_found(f"Property {name} does not exist on {kind.name}", context={"name": [name]})


def _wire(call: Call, kind: ObjectType, definition: Definition) -> Definition:
    """Stages and pipelines are the options of two properties."""
    pipelines = call.portal.pipelines.of(kind.id)
    if definition["name"] in _PIPELINES and pipelines:
        return {**definition, "options": _options(pipelines)}
    if definition["name"] in _STAGES and pipelines:
        return {**definition, "options": _options([stage for one in pipelines for stage in one["stages"]])}
    return definition


def _options(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"label": one["label"], "value": one["id"], "displayOrder": one["displayOrder"], "hidden": False}
        for one in listed
    ]


_READ, _WRITE = schemas("read"), schemas("write")
ENDPOINTS = (
    Endpoint("GET", "properties", "/{object_type}", list_properties, _READ),
    Endpoint("POST", "properties", "/{object_type}", create_property, _WRITE),
    Endpoint("POST", "properties", "/{object_type}/batch/create", batch_create, _WRITE),
    Endpoint("POST", "properties", "/{object_type}/batch/read", batch_read, _READ),
    Endpoint("POST", "properties", "/{object_type}/batch/archive", batch_archive, _WRITE),
    Endpoint("GET", "properties", "/{object_type}/groups", list_groups, _READ),
    Endpoint("POST", "properties", "/{object_type}/groups", create_group, _WRITE),
    Endpoint("GET", "properties", "/{object_type}/groups/{name}", read_group, _READ),
    Endpoint("PATCH", "properties", "/{object_type}/groups/{name}", update_group, _WRITE),
    Endpoint("DELETE", "properties", "/{object_type}/groups/{name}", archive_group, _WRITE),
    Endpoint("GET", "properties", "/{object_type}/{name}", read_property, _READ),
    Endpoint("PATCH", "properties", "/{object_type}/{name}", update_property, _WRITE),
    Endpoint("DELETE", "properties", "/{object_type}/{name}", archive_property, _WRITE),
)
