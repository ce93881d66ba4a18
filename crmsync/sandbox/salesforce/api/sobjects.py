"""Single records: create, read, change, delete, and the same by external id."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from email.utils import format_datetime
from typing import Any

import orjson

from crmsync.sandbox.salesforce.api.calls import Answer, Call, Operations
from crmsync.sandbox.salesforce.errors import (
    MultipleMatches,
    SalesforceError,
    no_column_on_type,
    no_external_field,
    not_found,
    precondition_failed,
)
from crmsync.sandbox.salesforce.ids import to_18
from crmsync.sandbox.salesforce.schema import SObject
from crmsync.sandbox.salesforce.store import Row
from crmsync.sandbox.salesforce.values import address, from_stamp

OPERATIONS = Operations()
UPSERT_BODY_FROM = 46.0
"""From this version an upsert that updates answers 200 with a body; before it answered 204. Only since then the body
says ``created`` (recorded in 2015: it does not)."""


def shape(call: Call, sobject: SObject, row: Row, names: Sequence[str] | None = None) -> dict[str, Any]:
    """A record as a GET answers it: the fields this user sees, or those asked for."""
    url = f"{call.base}/sobjects/{sobject.name}/{row['Id']}"
    record: dict[str, Any] = {"attributes": {"type": sobject.name, "url": url}}
    if names is None:
        fields = list(call.access.visible(sobject))
    else:
        fields = []
        for name in names:
            item = call.access.field(sobject, name)
            if item is None:
                raise no_column_on_type(name, sobject.name)
            fields.append(item)
        if "Id" not in names:
            fields.append(sobject.fields["id"])
    for item in fields:
        value = address(row, item.name.removesuffix("Address")) if item.type == "address" else row.get(item.name)
        record[item.name] = bool(value) if item.type == "boolean" else value
    return record


def created(call: Call, sobject: SObject, record_id: str) -> Answer:
    body = {"id": record_id, "success": True, "errors": []}
    return Answer(201, body, {"Location": f"{call.base}/sobjects/{sobject.name}/{record_id}"})


def _wanted_fields(call: Call) -> list[str] | None:
    given = call.query.get("fields")
    return [name.strip() for name in given.split(",") if name.strip()] if given else None


@OPERATIONS.on("POST", "/sobjects/{name}")
def create(call: Call, name: str) -> Answer:
    sobject = call.sobject(name)
    return created(call, sobject, call.org.records.create(call.actor, sobject, call.json_object()))


@OPERATIONS.on("GET", "/sobjects/{name}/{record_id}")
def read(call: Call, name: str, record_id: str) -> Answer:
    sobject = call.sobject(name)
    wanted = to_18(record_id)
    if wanted is not None and sobject.key_prefix not in (None, wanted[:3]):
        label = sobject.fields["id"].label
        raise SalesforceError("MALFORMED_ID", f"{label}: id value of incorrect type: {record_id}", fields=["Id"])
    row = call.org.store.get(sobject, wanted) if wanted else None
    if row is None:
        raise no_external_field(record_id) if wanted is None else not_found()
    if row.get("IsDeleted"):
        raise SalesforceError("ENTITY_IS_DELETED", "entity is deleted", status=404, fields=[])
    since = call.instant("if-modified-since")
    if since is not None and "LastModifiedDate" in row and from_stamp(row["LastModifiedDate"]) <= since:
        return Answer(304, headers=_validators(sobject, row))
    known = call.headers.get("if-none-match")
    if known is not None and known in (_etag(sobject, row), "*"):
        return Answer(304, headers=_validators(sobject, row))
    return Answer(body=shape(call, sobject, row, _wanted_fields(call)), headers=_validators(sobject, row))


def _etag(sobject: SObject, row: Row) -> str | None:
    """Entity tags are documented for Account only."""
    if sobject.name != "Account":
        return None
    return f'"{zlib.crc32(orjson.dumps(row)):08x}"'


def _validators(sobject: SObject, row: Row) -> dict[str, str]:
    found = {}
    if row.get("LastModifiedDate"):
        found["Last-Modified"] = format_datetime(from_stamp(row["LastModifiedDate"]), usegmt=True)
    etag = _etag(sobject, row)
    return {**found, "ETag": etag} if etag else found


@OPERATIONS.on("PATCH", "/sobjects/{name}/{record_id}")
def update(call: Call, name: str, record_id: str) -> Answer:
    sobject = call.sobject(name)
    _check_match(call, sobject, record_id)
    unless_since = call.instant("if-unmodified-since")
    call.org.records.update(call.actor, sobject, record_id, call.json_object(), unless_since)
    return Answer(204)


def _check_match(call: Call, sobject: SObject, record_id: str) -> None:
    wanted = call.headers.get("if-match")
    row = call.org.store.get(sobject, to_18(record_id) or "") if wanted else None
    etag = _etag(sobject, row) if row else None
    if etag is not None and wanted not in ("*", etag):
        raise precondition_failed()


@OPERATIONS.on("DELETE", "/sobjects/{name}/{record_id}")
def delete(call: Call, name: str, record_id: str) -> Answer:
    call.org.records.delete(call.actor, call.sobject(name), record_id)
    return Answer(204)


# -------------------------------------------------------------------- by external id


@OPERATIONS.on("POST", "/sobjects/{name}/Id")
def create_by_id(call: Call, name: str) -> Answer:
    """The documented way to create where the URL ends in an empty external id."""
    return create(call, name)


@OPERATIONS.on("GET", "/sobjects/{name}/{field}/{value}")
def read_by_key(call: Call, name: str, field: str, value: str) -> Answer:
    sobject = call.sobject(name)
    own_id = to_18(field)
    if own_id is not None and sobject.field(field) is None:
        return _related(call, sobject, own_id, value)
    record_id = _only_match(call, sobject, field, value)
    if isinstance(record_id, Answer):
        return record_id
    row = call.org.store.get(sobject, record_id)
    if row is None:
        raise not_found()
    return Answer(body=shape(call, sobject, row, _wanted_fields(call)))


def _related(call: Call, sobject: SObject, record_id: str, relation: str) -> Answer:
    """A friendly URL: what a relationship of the record leads to, up to one parent or down to a page of children."""
    row = call.org.store.get(sobject, record_id)
    if row is None or row.get("IsDeleted"):
        raise not_found()
    up = sobject.by_relationship.get(relation.lower())
    if up is not None and call.access.sees(sobject, up) and len(up.reference_to) == 1:
        if row[up.name] is None:
            raise not_found()
        return read(call, up.reference_to[0], row[up.name])
    down = call.org.schema.child(sobject, relation)
    if down is None or not call.access.can(down[0], "read") or not call.access.sees(*down):
        raise not_found()
    names = _wanted_fields(call) or [item.name for item in call.access.visible(down[0])]
    query = f"SELECT {', '.join(names)} FROM {down[0].name} WHERE {down[1].name} = '{record_id}'"
    return Answer(body=call.org.queries.run(query, call.access, call.base).dump())


@OPERATIONS.on("DELETE", "/sobjects/{name}/{field}/{value}")
def delete_by_key(call: Call, name: str, field: str, value: str) -> Answer:
    sobject = call.sobject(name)
    record_id = _only_match(call, sobject, field, value)
    if isinstance(record_id, Answer):
        return record_id
    call.org.records.delete(call.actor, sobject, record_id)
    return Answer(204)


@OPERATIONS.on("PATCH", "/sobjects/{name}/{field}/{value}")
def upsert(call: Call, name: str, field: str, value: str) -> Answer:
    sobject = call.sobject(name)
    data = call.json_object()
    if field.lower() != "id" and any(key.lower() == field.lower() for key in data):
        message = f"The {field} field should not be specified in the sobject data."
        raise SalesforceError("INVALID_FIELD", message, fields=[field])
    try:
        record_id, is_new = call.org.records.upsert(
            call.actor, sobject, field, value, data, update_only=call.flag("updateOnly")
        )
    except MultipleMatches as several:
        return _several(call, sobject, several.ids)
    if is_new:
        answer = created(call, sobject, record_id)
        says_so = {"created": True} if call.version >= UPSERT_BODY_FROM else {}
        return Answer(201, answer.body | says_so, answer.headers)
    if call.version >= UPSERT_BODY_FROM:
        return Answer(200, {"id": record_id, "success": True, "errors": [], "created": False})
    return Answer(204)


def _only_match(call: Call, sobject: SObject, field: str, value: str) -> str | Answer:
    matches = call.org.records.find(call.actor, sobject, field, value)
    if not matches:
        raise not_found()
    return matches[0] if len(matches) == 1 else _several(call, sobject, matches)


def _several(call: Call, sobject: SObject, ids: Sequence[str]) -> Answer:
    return Answer(300, [f"{call.base}/sobjects/{sobject.name}/{record_id}" for record_id in ids])
