"""sObject Collections: up to 200 records in one call, each with its own outcome inside HTTP 200."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from crmsync.sandbox.salesforce.api.calls import Answer, Call, Operations, attributes_of
from crmsync.sandbox.salesforce.api.sobjects import shape
from crmsync.sandbox.salesforce.errors import MultipleMatches, SalesforceError, json_error
from crmsync.sandbox.salesforce.ids import to_18
from crmsync.sandbox.salesforce.schema import SObject

OPERATIONS = Operations()
MAX_RECORDS, MAX_RETRIEVED, MAX_RUNS = 200, 2000, 10
_ROLLED_BACK = {
    "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "message": "Record rolled back because not all records were valid and the request was using AllOrNone header",
    "fields": [],
}
Item = dict[str, Any]


class _RollBack(Exception):
    """Leaves the savepoint of an all-or-none call."""


@OPERATIONS.on("POST", "/composite/sobjects")
def create(call: Call) -> Answer:
    def one(record: Item) -> Item:
        return _done(call.org.records.create(call.actor, _typed(call, record), _fields(record)))

    return _each(call, _records(call), one)


@OPERATIONS.on("PATCH", "/composite/sobjects")
def update(call: Call) -> Answer:
    seen: set[str] = set()

    def one(record: Item) -> Item:
        given = record.get("Id") or record.get("id")
        sobject = _typed(call, record)
        if not given:
            raise SalesforceError("MISSING_ARGUMENT", "Id not specified in an update call", fields=[])
        record_id = to_18(str(given)) or str(given)
        if record_id in seen:
            raise SalesforceError("DUPLICATE_VALUE", f"duplicate id specified: {record_id[:15]}", fields=[])
        seen.add(record_id)
        call.org.records.update(call.actor, sobject, record_id, _fields(record))
        return _done(record_id)

    return _each(call, _records(call), one)


@OPERATIONS.on("PATCH", "/composite/sobjects/{name}/{field}")
def upsert(call: Call, name: str, field: str) -> Answer:
    sobject = call.sobject(name)

    def one(record: Item) -> Item:
        if _typed(call, record).name != sobject.name:
            raise SalesforceError("INVALID_TYPE", f"The record is not of type {sobject.name}", fields=[])
        value = next((item for key, item in record.items() if key.lower() == field.lower()), None)
        try:
            record_id, created = call.org.records.upsert(call.actor, sobject, field, value, _fields(record))
        except MultipleMatches as several:
            message = f"{field}: more than one record found for external id field: [{', '.join(several.ids)}]"
            raise SalesforceError("DUPLICATE_EXTERNAL_ID", message, fields=[field]) from None
        return _done(record_id) | {"created": created}

    return _each(call, _records(call), one)


@OPERATIONS.on("DELETE", "/composite/sobjects")
def delete(call: Call) -> Answer:
    ids = [record_id.strip() for record_id in call.query.get("ids", "").split(",") if record_id.strip()]
    _check_count(len(ids), MAX_RECORDS)

    def one(record_id: str) -> Item:
        wanted = to_18(record_id)
        sobject = call.org.schema.of_id(wanted) if wanted else None
        if sobject is None or wanted is None:
            raise SalesforceError("MALFORMED_ID", f"malformed id {record_id}", fields=[])
        call.org.records.delete(call.actor, sobject, wanted)
        return _done(wanted)

    return _each(call, ids, one, all_or_none=call.flag("allOrNone"))


@OPERATIONS.on("GET", "/composite/sobjects/{name}")
def retrieve_by_url(call: Call, name: str) -> Answer:
    return _retrieve(call, name, call.query.get("ids", "").split(","), call.query.get("fields", "").split(","))


@OPERATIONS.on("POST", "/composite/sobjects/{name}")
def retrieve(call: Call, name: str) -> Answer:
    body = call.json_object()
    return _retrieve(call, name, _texts(body, "ids"), _texts(body, "fields"))


def _texts(body: Item, key: str) -> list[str]:
    found = body.get(key) or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise json_error(f"{key} must be an array of strings")
    return found


def _retrieve(call: Call, name: str, ids: Sequence[str], fields: Sequence[str]) -> Answer:
    sobject = call.sobject(name)
    wanted = [record_id for record_id in ids if record_id]
    names = [field for field in fields if field]
    _check_count(len(wanted), MAX_RETRIEVED)
    if not wanted or not names:
        raise SalesforceError("MISSING_ARGUMENT", "The request needs ids and fields")
    found = []
    for record_id in wanted:
        row = call.org.store.get(sobject, to_18(record_id) or "")
        found.append(None if row is None or row.get("IsDeleted") else shape(call, sobject, row, names))
    return Answer(body=found)


# -------------------------------------------------------------------- the machinery


def _records(call: Call) -> list[Item]:
    body = call.json_object()
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise json_error("Unexpected parameter encountered during deserialization: records must be an array of objects")
    _check_count(len(records), MAX_RECORDS)
    types = [attributes_of(record).get("type") for record in records]
    runs = sum(1 for index, name in enumerate(types) if index == 0 or types[index - 1] != name)
    if runs > MAX_RUNS:
        message = f"Operations in this request need {runs} chunks of one type, but at most {MAX_RUNS} are allowed"
        raise SalesforceError("LIMIT_EXCEEDED", message)
    return records


def _check_count(count: int, limit: int) -> None:
    if count > limit:
        raise SalesforceError(
            "EXCEEDED_MAX_SIZE_REQUEST", f"Record limit reached; cannot submit more than {limit} records into this call"
        )


def _typed(call: Call, record: Item) -> SObject:
    name = attributes_of(record).get("type")
    if not name:
        raise SalesforceError("INVALID_TYPE", "Must send a concrete entity type.", fields=[])
    sobject = call.org.schema.get(str(name))
    if sobject is None or not call.access.can(sobject, "read"):
        raise SalesforceError("INVALID_TYPE", f"sObject type '{name}' is not supported.", fields=[])
    return sobject


def _fields(record: Item) -> Item:
    return {key: value for key, value in record.items() if key not in ("attributes", "Id", "id")}


def _done(record_id: str) -> Item:
    return {"id": record_id, "success": True, "errors": []}


def _each(call: Call, things: Sequence[Any], one: Callable[[Any], Item], *, all_or_none: bool | None = None) -> Answer:
    """Outcomes in request order; all-or-none undoes the good ones and says so."""
    strict = bool(call.json_object().get("allOrNone")) if all_or_none is None else all_or_none
    results: list[Item] = []
    try:
        with call.org.store.transaction():
            results = [_outcome(call, thing, one) for thing in things]
            if strict and not all(result["success"] for result in results):
                raise _RollBack
    except _RollBack:
        undone = {"success": False, "errors": [_ROLLED_BACK]}
        results = [undone if result["success"] else result for result in results]
    return Answer(body=results)


def _outcome(call: Call, thing: Any, one: Callable[[Any], Item]) -> Item:
    """JSON that cannot be read fails the whole call; everything else fails its record only."""
    try:
        with call.org.store.transaction():
            return one(thing)
    except SalesforceError as error:
        if error.code == "JSON_PARSER_ERROR":
            raise
        return {"success": False, "errors": [error.as_item()]}
