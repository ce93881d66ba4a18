"""Single records: list, create, read, update, archive, merge, search (developers.hubspot.com: CRM API | Objects)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmsync.sandbox.hubspot.api.http import Answer, Call, Endpoint
from crmsync.sandbox.hubspot.api.paging import next_page
from crmsync.sandbox.hubspot.api.scopes import objects
from crmsync.sandbox.hubspot.api.shapes import build_view, shown, written
from crmsync.sandbox.hubspot.data.associations import Pair
from crmsync.sandbox.hubspot.data.checks import Values, check_new
from crmsync.sandbox.hubspot.data.records import Row
from crmsync.sandbox.hubspot.data.search import MAX_HITS, MAX_PAGE, MAX_QUERY, SearchCompiler
from crmsync.sandbox.hubspot.definitions.object_types import ObjectType
from crmsync.sandbox.hubspot.limits import SEARCH
from crmsync.sandbox.hubspot.problems import HtmlNotFound, invalid, missing_records
from crmsync.sandbox.hubspot.wholes import is_whole

MAX_LIST, MAX_LIST_WITH_HISTORY = 100, 50


def list_records(call: Call) -> Answer:
    kind = call.kind
    history = call.names("propertiesWithHistory")
    limit = call.whole("limit", 10, MAX_LIST_WITH_HISTORY if history else MAX_LIST)
    view = build_view(call, kind, call.names("properties"), history, call.names("associations"))
    rows = call.portal.records.page(kind.id, call.whole("after", 0), limit + 1, archived=call.flag("archived"))
    body: dict[str, Any] = {"results": shown(call, view, rows[:limit])}
    if len(rows) > limit:  # the cursor is the id of the next record
        body |= next_page(call, str(rows[limit].id))
    return 200, body


def read_record(call: Call) -> Answer:
    kind = call.kind
    row = find(call, kind, call.path["record_id"], call.one("idProperty"), archived=call.flag("archived"))
    if row is None:
        raise HtmlNotFound
    view = build_view(
        call, kind, call.names("properties"), call.names("propertiesWithHistory"), call.names("associations")
    )
    return 200, shown(call, view, [row])[0]


def create_record(call: Call) -> Answer:
    kind, body = call.kind, call.json()
    values = checked(call, kind, body)
    row = create(call, kind, values, body.get("associations") or [])
    location = f"{call.base_url}{call.url_path}/{row.id}"
    return 201, written(call, kind, row), {"Location": location}


def update_record(call: Call) -> Answer:
    kind, body = call.kind, call.json()
    row = find(call, kind, call.path["record_id"], call.one("idProperty"))
    if row is None:
        raise HtmlNotFound
    values = checked(call, kind, body, row)
    update(call, kind, row, values)
    return 200, written(call, kind, row, values)


def archive_record(call: Call) -> Answer:
    """Archiving what is not there is no error."""
    kind = call.kind
    record_id = call.path["record_id"]
    row = call.portal.records.get(kind.id, int(record_id)) if is_whole(record_id) else None
    if row:
        call.portal.writer.archive(kind, row, call.act)
        call.writes += 1
    return 204, None


def merge_records(call: Call) -> Answer:
    kind, body = call.kind, call.json()
    primary, loser = str(body.get("primaryObjectId", "")), str(body.get("objectIdToMerge", ""))
    ids = [one for one in (primary, loser) if not is_whole(one) or not call.portal.records.get(kind.id, int(one))]
    if ids:
        raise missing_records(kind.singular, ids)
    if primary == loser:
        raise invalid(f"Cannot merge {kind.singular} {primary} with itself")
    row = call.portal.merger.merge(kind, int(primary), int(loser), call.act)
    call.writes += 1
    return 200, written(call, kind, row)


def gdpr_delete(call: Call) -> Answer:
    kind, body = call.kind, call.json()
    row = find(call, kind, str(body.get("objectId", "")), body.get("idProperty"))
    if row:
        call.portal.associations.drop_record(kind.id, row.id)
        call.portal.records.purge(kind.id, row.id)
        call.writes += 1
    return 204, None


def search_records(call: Call) -> Answer:
    kind, body = call.kind, call.json()
    limit, offset = _page(body)
    compiler = SearchCompiler(kind, call.portal.catalog.of(kind.id), call.portal.types, call.now_ms)
    where, order = compiler.where(body), compiler.order(body.get("sorts") or [])
    total, ids = call.portal.index.find(kind.id, where, order, offset, limit, call.now_ms)
    rows = call.portal.records.get_many(kind.id, ids)
    view = build_view(call, kind, body.get("properties") or ())
    answer: dict[str, Any] = {"total": total, "results": shown(call, view, [rows[i] for i in ids if i in rows])}
    if offset + len(ids) < total and ids:
        answer["paging"] = {"next": {"after": str(offset + len(ids))}}
    return 200, answer


def _page(body: Mapping[str, Any]) -> tuple[int, int]:
    limit, after = str(body.get("limit") or 10), str(body.get("after") or 0)
    if not is_whole(limit) or not 1 <= int(limit) <= MAX_PAGE:
        raise invalid(f"Invalid value '{limit}' for limit: a search page has at most {MAX_PAGE} results")
    if not is_whole(after):
        raise invalid(f"Invalid value '{after}' for after: expected a whole number")
    if int(after) + int(limit) > MAX_HITS:
        raise invalid(f"Paging past {MAX_HITS} results is not possible: after {after} with limit {limit}")
    if len(str(body.get("query") or "")) > MAX_QUERY:
        raise invalid(f"The search query is longer than {MAX_QUERY} characters")
    return int(limit), int(after)


def find(call: Call, kind: ObjectType, given: str, id_property: Any, *, archived: bool = False) -> Row | None:
    """By id (following merges) or by a unique property."""
    records = call.portal.records
    if id_property and id_property != "hs_object_id":
        check_id_property(call, kind, str(id_property))
        found = records.find_unique(kind.id, str(id_property), given)
        return records.get(kind.id, found) if found is not None else None
    if not is_whole(given):
        return None
    return records.get(kind.id, records.resolve(kind.id, int(given)), archived=archived)


def check_id_property(call: Call, kind: ObjectType, name: str) -> None:
    definition = call.portal.catalog.find(kind.id, name)
    if definition is None or not definition["hasUniqueValue"]:
        raise invalid(
            f"The property '{name}' is not a unique identifier of {kind.name}", context={"idProperty": [name]}
        )


def properties_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    given = body.get("properties")
    if not isinstance(given, Mapping):
        raise invalid("Invalid input JSON: some required fields were not set: [properties]")
    return given


def checked(call: Call, kind: ObjectType, body: Mapping[str, Any], row: Row | None = None) -> Values:
    values = call.portal.checker.values(kind, properties_of(body), row)
    if row is None:
        check_new(kind, values)
        required = call.portal.behaviour.required.get(kind.name, ()) if call.since("2026-09") else ()
        call.portal.checker.required(values, [*kind.schema.get("requiredProperties", ()), *required])
    call.portal.checker.uniqueness(kind, values, row.id if row else None)
    return values


def create(call: Call, kind: ObjectType, values: Values, associations: list[Mapping[str, Any]]) -> Row:
    links = [_link(call, kind, one) for one in associations]
    row = call.portal.writer.create(kind, values, call.act)
    for to_type, to_id, types in links:
        call.portal.writer.associate(Pair(kind.id, row.id, to_type, to_id), types, call.act, replace=False)
    call.writes += 1
    return call.portal.records.get(kind.id, row.id) or row


def update(call: Call, kind: ObjectType, row: Row, values: Values) -> None:
    call.portal.limits.lock(kind.id, row.id, call.now_ms)
    call.portal.writer.update(kind, row, values, call.act)
    call.writes += 1


def _link(call: Call, kind: ObjectType, given: Mapping[str, Any]) -> tuple[str, int, list[Any]]:
    """One entry of ``associations`` in a create body; the type id says what kind of record ``to`` is."""
    end = given.get("to")
    target = str(end.get("id", "")) if isinstance(end, Mapping) else ""
    types = []
    for one in given.get("types") or []:
        category, type_id = str(one.get("associationCategory")), str(one.get("associationTypeId"))
        found = call.portal.associations.types.leaving(kind.id, category, int(type_id) if is_whole(type_id) else -1)
        if found is None:
            raise invalid(f"Association type {category} {type_id} is not valid for {kind.singular}")
        types.append(found)
    if not types:
        raise invalid("Invalid input JSON: some required fields were not set: [types]")
    other = call.portal.types.by_id[types[0].to_type]
    if not is_whole(target) or call.portal.records.get(other.id, int(target)) is None:
        raise invalid(f"{other.singular.upper()}={target} is not valid")
    return other.id, int(target), types


_READ, _WRITE = objects("read"), objects("write")
ENDPOINTS = (
    Endpoint("GET", "objects", "/{object_type}", list_records, _READ),
    Endpoint("POST", "objects", "/{object_type}", create_record, _WRITE),
    Endpoint("POST", "objects", "/{object_type}/search", search_records, _READ, SEARCH),
    Endpoint("POST", "objects", "/{object_type}/merge", merge_records, _WRITE),
    Endpoint("POST", "objects", "/{object_type}/gdpr-delete", gdpr_delete, _WRITE),
    Endpoint("GET", "objects", "/{object_type}/{record_id}", read_record, _READ),
    Endpoint("PATCH", "objects", "/{object_type}/{record_id}", update_record, _WRITE),
    Endpoint("DELETE", "objects", "/{object_type}/{record_id}", archive_record, _WRITE),
)
