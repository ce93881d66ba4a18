"""Batches of up to 100 records: read, create, update, upsert, archive, and the rules of multi-status answers.

Partial success needs a distinct ``objectWriteTraceId`` on every input; without them one bad value refuses the whole
call (developers.hubspot.com: Error handling | Multi-status errors). Unknown ids are reported beside the results in any
case (recorded: batch update err-partial-success).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crmsync.sandbox.hubspot.api.http import Answer, Call, Endpoint
from crmsync.sandbox.hubspot.api.objects import MAX_LIST_WITH_HISTORY, check_id_property, checked, create, update
from crmsync.sandbox.hubspot.api.paging import completed
from crmsync.sandbox.hubspot.api.scopes import objects
from crmsync.sandbox.hubspot.api.shapes import build_view, shown, written
from crmsync.sandbox.hubspot.data.checks import Values
from crmsync.sandbox.hubspot.data.records import Row
from crmsync.sandbox.hubspot.definitions.object_types import ObjectType
from crmsync.sandbox.hubspot.problems import Refusal, invalid, invalid_properties, missing_records
from crmsync.sandbox.hubspot.wholes import is_whole

MAX_BATCH = 100
Input = dict[str, Any]
Entry = dict[str, Any]


def read(call: Call) -> Answer:
    kind, body = call.kind, call.json()
    inputs = call.inputs(MAX_LIST_WITH_HISTORY if body.get("propertiesWithHistory") else MAX_BATCH)
    asked = [str(one.get("id", "")) for one in inputs]
    found = _locate(call, kind, asked, body.get("idProperty"), archived=call.flag("archived"))
    rows = list({row.id: row for row in found.values()}.values())
    view = build_view(call, kind, body.get("properties") or (), body.get("propertiesWithHistory") or ())
    results = call.portal.behaviour.shuffled(shown(call, view, rows), "".join(asked))
    missing = list(dict.fromkeys(one for one in asked if one not in found))
    return completed(call, results, _not_found(kind, missing), 200)


def create_batch(call: Call) -> Answer:
    kind, inputs = call.kind, call.inputs(MAX_BATCH)

    def make(one: Input, values: Values) -> Entry:
        row = create(call, kind, values, one.get("associations") or [])
        return written(call, kind, row)

    results, errors = _each(inputs, lambda one: checked(call, kind, one), make)
    return _answered(call, inputs, results, errors, 201)


def update_batch(call: Call) -> Answer:
    kind, inputs = call.kind, call.inputs(MAX_BATCH)
    _check_ids(inputs)
    rows: dict[str, Row] = {}
    for one in inputs:
        rows |= _locate(call, kind, [_key(one)], one.get("idProperty"))
    missing = [_key(one) for one in inputs if _key(one) not in rows]
    known = [one for one in inputs if _key(one) in rows]

    def change(one: Input, values: Values) -> Entry:
        row = rows[_key(one)]
        update(call, kind, row, values)
        return written(call, kind, row, values)

    results, errors = _each(known, lambda one: checked(call, kind, one, rows[_key(one)]), change)
    return _answered(call, inputs, results, [*_not_found(kind, missing), *errors], 200)


def upsert_batch(call: Call) -> Answer:
    """By a unique property: update where its value is known, else create with it."""
    kind, inputs = call.kind, call.inputs(MAX_BATCH)
    _check_ids(inputs)
    for one in inputs:
        check_id_property(call, kind, str(one.get("idProperty") or "hs_object_id"))
    by_email = any(one.get("idProperty") == "email" for one in inputs)

    def check(one: Input) -> tuple[Row | None, Values]:
        name, key = str(one["idProperty"]), _key(one)
        row = _locate(call, kind, [key], name).get(key)
        properties = one.get("properties") or {}
        if row is None and isinstance(properties, Mapping):
            one = {**one, "properties": {name: key, **properties}}
        return row, checked(call, kind, one, row)

    def put(_one: Input, found: tuple[Row | None, Values]) -> Entry:
        row, values = found
        if row is None:
            return {**written(call, kind, create(call, kind, values, [])), "new": True}
        update(call, kind, row, values)
        return {**written(call, kind, row, values), "new": False}

    results, errors = _each(inputs, check, put, whole=by_email)
    return _answered(call, inputs, results, errors, 200)


def archive_batch(call: Call) -> Answer:
    kind, inputs = call.kind, call.inputs(MAX_BATCH)
    ids = [int(str(one.get("id"))) for one in inputs if is_whole(str(one.get("id", "")))]
    rows = call.portal.records.get_many(kind.id, ids)
    for row in rows.values():
        call.portal.writer.archive(kind, row, call.act)
    call.writes += len(rows)
    return 204, None


def _locate(
    call: Call, kind: ObjectType, keys: Sequence[str], id_property: Any, *, archived: bool = False
) -> dict[str, Row]:
    """Rows by the key they were asked for. Ids of merged records are not followed here."""
    records = call.portal.records
    if id_property and id_property != "hs_object_id":
        check_id_property(call, kind, str(id_property))
        ids = {key: records.find_unique(kind.id, str(id_property), key) for key in keys}
    else:
        ids = {key: int(key) if is_whole(key) else None for key in keys}
    rows = records.get_many(kind.id, {one for one in ids.values() if one is not None}, archived=archived)
    return {key: rows[one] for key, one in ids.items() if one in rows}


def _each(
    inputs: Sequence[Input],
    check: Callable[[Input], Any],
    write: Callable[[Input, Any], Entry],
    *,
    whole: bool = False,
) -> tuple[list[Entry], list[Entry]]:
    """Check and write one after the other; what goes wrong is one entry each, or the end of the whole call."""
    partial = _has_traces(inputs) and not whole
    if not partial:
        _check_all(inputs, check)
    results: list[Entry] = []
    errors: list[Entry] = []
    for one in inputs:
        trace = one.get("objectWriteTraceId")
        try:
            made = write(one, check(one))
            results.append({**made, "objectWriteTraceId": str(trace)} if trace is not None else made)
        except Refusal as refusal:
            if not partial:
                raise _plain_conflict(refusal) from None
            errors.append(refusal.as_item(objectWriteTraceId=[str(trace)]))
    return results, errors


def _has_traces(inputs: Sequence[Input]) -> bool:
    traces = [one.get("objectWriteTraceId") for one in inputs]
    return all(trace is not None for trace in traces) and len(set(map(str, traces))) == len(traces)


def _check_all(inputs: Sequence[Input], check: Callable[[Input], Any]) -> None:
    """All bad values of all inputs in one refusal; it does not say which input they are from (recorded, twice)."""
    problems: list[Any] = []
    for one in inputs:
        try:
            check(one)
        except Refusal as refusal:
            if not refusal.problems:
                raise _plain_conflict(refusal) from None
            problems += refusal.problems
    if problems:
        raise invalid_properties(problems)


def _plain_conflict(refusal: Refusal) -> Refusal:
    """A refused batch does not name the contact that is in the way (recorded: batch create err-conflict)."""
    return Refusal(409, "Contact already exists", "CONFLICT") if refusal.status == 409 else refusal


def _check_ids(inputs: Sequence[Mapping[str, Any]]) -> None:
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for one in inputs:
        key = _key(one)
        if key in seen:
            twice[key] = None
        seen.add(key)
    if twice:
        listed = ", ".join(twice)
        message = f"Duplicate IDs found in batch input: [{listed}]. IDs must be unique"
        raise invalid(message, context={"ids": list(twice)})


def _key(one: Mapping[str, Any]) -> str:
    return str(one.get("id", ""))


def _not_found(kind: ObjectType, ids: list[str]) -> list[Entry]:
    """One entry for all of them."""
    return [missing_records(kind.singular, ids).as_item()] if ids else []


def _answered(call: Call, inputs: Sequence[Input], results: list[Entry], errors: list[Entry], status: int) -> Answer:
    key = "".join(str(one.get("id") or one.get("properties")) for one in inputs)
    return completed(call, call.portal.behaviour.shuffled(results, key), errors, status)


_READ, _WRITE = objects("read"), objects("write")
ENDPOINTS = (
    Endpoint("POST", "objects", "/{object_type}/batch/read", read, _READ),
    Endpoint("POST", "objects", "/{object_type}/batch/create", create_batch, _WRITE),
    Endpoint("POST", "objects", "/{object_type}/batch/update", update_batch, _WRITE),
    Endpoint("POST", "objects", "/{object_type}/batch/upsert", upsert_batch, _WRITE),
    Endpoint("POST", "objects", "/{object_type}/batch/archive", archive_batch, _WRITE),
)
