"""Associations v4: single pairs, batches and labels (developers.hubspot.com: CRM API | Associations v4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crmsync.sandbox.hubspot.api.http import Answer, Call, Endpoint
from crmsync.sandbox.hubspot.api.paging import completed, next_page
from crmsync.sandbox.hubspot.api.scopes import any_token, both_ends, objects
from crmsync.sandbox.hubspot.data.associations import Pair
from crmsync.sandbox.hubspot.definitions.association_types import CUSTOM, MAX_LABELS, AssociationType
from crmsync.sandbox.hubspot.definitions.object_types import ObjectType
from crmsync.sandbox.hubspot.limits import ASSOCIATIONS
from crmsync.sandbox.hubspot.problems import HtmlNotFound, Refusal, invalid, not_found
from crmsync.sandbox.hubspot.wholes import is_whole

MAX_PAGE, MAX_READ, MAX_WRITE = 500, 1_000, 2_000
Entry = dict[str, Any]


def ends(call: Call) -> tuple[ObjectType, ObjectType]:
    return call.portal.types.get(call.path["from_type"]), call.portal.types.get(call.path["to_type"])


def _linked(to_id: int, links: Iterable[AssociationType]) -> Entry:
    """The id is a whole number on the wire, whatever the specification says (recorded 2022 and 2026)."""
    return {"toObjectId": to_id, "associationTypes": [link.wire() for link in links]}


def list_one(call: Call) -> Answer:
    kind, other = call.kind, call.portal.types.get(call.path["to_type"])
    given = call.path["record_id"]
    if not is_whole(given) or call.portal.records.get(kind.id, int(given)) is None:
        raise HtmlNotFound
    links = call.portal.associations.read(kind.id, [int(given)], other.id).get(int(given), {})
    limit, after = call.whole("limit", MAX_PAGE, MAX_PAGE), call.whole("after", 0)
    ids = [to_id for to_id in links if to_id >= after]
    body: Entry = {"results": [_linked(to_id, links[to_id]) for to_id in ids[:limit]]}
    return 200, {**body, **next_page(call, str(ids[limit]))} if len(ids) > limit else body


def batch_read(call: Call) -> Answer:
    kind, other = ends(call)
    inputs = call.inputs(MAX_READ)
    after = {str(one.get("id", "")): _cursor(one) for one in inputs}
    found = call.portal.associations.read(kind.id, [int(one) for one in after if is_whole(one)], other.id)
    results, errors = [], []
    for asked, start in after.items():
        links = found.get(int(asked), {}) if is_whole(asked) else {}
        if links:
            results.append(_page_of(asked, links, start))
        else:
            errors.append(none_found(kind, other, asked))
    return completed(call, call.portal.behaviour.shuffled(results, "".join(after)), errors, 200)


def _cursor(given: Mapping[str, Any]) -> int:
    after = str(given.get("after") or 0)
    if not is_whole(after):
        raise invalid(f"Invalid value '{after}' for after: expected a whole number")
    return int(after)


def _page_of(asked: str, links: Mapping[int, Sequence[AssociationType]], start: int) -> Entry:
    ids = [to_id for to_id in links if to_id >= start]
    entry: Entry = {"from": {"id": asked}, "to": [_linked(to_id, links[to_id]) for to_id in ids[:MAX_PAGE]]}
    if len(ids) > MAX_PAGE:
        entry["paging"] = {"next": {"after": str(ids[MAX_PAGE])}}
    return entry


def none_found(kind: ObjectType, other: ObjectType, asked: str) -> Entry:
    """That a record has none is reported as an error (recorded: contacts-to-companies)."""
    refusal = not_found(
        f"No {other.singular} is associated with {kind.singular} {asked}.",
        subCategory="crm.associations.NO_ASSOCIATIONS_FOUND",
    )
    return refusal.as_item(fromObjectId=[asked], fromObjectType=[kind.singular], toObjectType=[other.singular])


def put_one(call: Call) -> Answer:
    kind, other = call.kind, call.portal.types.get(call.path["to_type"])
    specs = call.parsed()
    pair = checked_pair(call, kind, other, call.path["record_id"], call.path["to_id"])
    links = _types(call, kind, other, specs)
    call.portal.writer.associate(pair, links, call.act)
    call.writes += 1
    return 201, {**_created(pair), "labels": [link.label for link in links if link.label]}


def put_default(call: Call) -> Answer:
    kind, other = ends(call)
    pair = checked_pair(call, kind, other, call.path["record_id"], call.path["to_id"])
    results = _associate_plain(call, kind, other, pair)
    return completed(call, results, [], 200)


def delete_one(call: Call) -> Answer:
    kind, other = call.kind, call.portal.types.get(call.path["to_type"])
    ids = (call.path["record_id"], call.path["to_id"])
    if all(is_whole(one) for one in ids):
        call.portal.writer.dissociate(Pair(kind.id, int(ids[0]), other.id, int(ids[1])), None, call.act)
        call.writes += 1
    return 204, None


def batch_create(call: Call) -> Answer:
    """Recorded: 201 with one result per pair, 207 with what was not valid."""
    kind, other = ends(call)
    results, errors = [], []
    for one in call.inputs(MAX_WRITE):
        try:
            pair = checked_pair(call, kind, other, id_of(one, "from"), id_of(one, "to"))
            links = _types(call, kind, other, one.get("types"))
            call.portal.writer.associate(pair, links, call.act)
            call.writes += 1
            results.append({**_created(pair), "labels": [link.label for link in links if link.label]})
        except Refusal as refusal:
            errors.append(refusal.as_item())
    key = "".join(f"{one['fromObjectId']}>{one['toObjectId']}" for one in results)
    shuffled = call.portal.behaviour.shuffled(results, key)
    return completed(call, shuffled, errors, 200 if call.since("2026-09") else 201)


def batch_default(call: Call) -> Answer:
    kind, other = ends(call)
    results, errors = [], []
    for one in call.inputs(MAX_WRITE):
        try:
            pair = checked_pair(call, kind, other, id_of(one, "from"), id_of(one, "to"))
            results += _associate_plain(call, kind, other, pair)
        except Refusal as refusal:
            errors.append(refusal.as_item())
    return completed(call, results, errors, 200)


def batch_archive(call: Call) -> Answer:
    """Pairs that are not there are ignored (recorded: delete_with_an_invalid_ID)."""
    kind, other = ends(call)
    for one in call.inputs(MAX_WRITE):
        ends_there = one.get("to") or []
        for to in [ends_there] if isinstance(ends_there, dict) else ends_there:
            ids = (id_of(one, "from"), str(to.get("id", "")))
            if all(is_whole(part) for part in ids):
                call.portal.writer.dissociate(Pair(kind.id, int(ids[0]), other.id, int(ids[1])), None, call.act)
                call.writes += 1
    return _void(call)


def batch_archive_labels(call: Call) -> Answer:
    kind, other = ends(call)
    for one in call.inputs(MAX_WRITE):
        ids = (id_of(one, "from"), id_of(one, "to"))
        links = _types(call, kind, other, one.get("types"))
        if all(is_whole(part) for part in ids):
            call.portal.writer.dissociate(Pair(kind.id, int(ids[0]), other.id, int(ids[1])), links, call.act)
            call.writes += 1
    return _void(call)


def configurations(_call: Call) -> Answer:
    """Limits that admins set on associations; a new portal has none."""
    return 200, {"results": []}


def list_labels(call: Call) -> Answer:
    kind, other = ends(call)
    return 200, {"results": [link.wire() for link in call.portal.associations.types.between(kind.id, other.id)]}


def create_label(call: Call) -> Answer:
    kind, other = ends(call)
    body = call.json()
    missing = [key for key in ("label", "name") if not body.get(key)]
    if missing:
        raise invalid(f"Invalid input JSON: some required fields were not set: {missing}")
    types = call.portal.associations.types
    standing = [link for link in types.between(kind.id, other.id) if link.category == CUSTOM and link.label]
    if any(link.label == body["label"] or link.name == body["name"] for link in standing):
        raise Refusal(409, f"An association label '{body['label']}' already exists.", "OBJECT_ALREADY_EXISTS")
    if len(standing) >= MAX_LABELS:
        raise invalid(f"At most {MAX_LABELS} association labels are allowed between {kind.name} and {other.name}")
    made = types.create_label(kind.id, other.id, body["label"], body["name"], body.get("inverseLabel"))
    return 200, {"results": [link.wire() for link in made]}


def update_label(call: Call) -> Answer:
    kind, other = ends(call)
    body = call.json()
    link = _label(call, kind, other, str(body.get("associationTypeId", "")))
    call.portal.associations.types.rename(link, str(body.get("label") or link.label))
    if body.get("inverseLabel"):
        inverse = call.portal.associations.types.inverse(link)
        call.portal.associations.types.rename(inverse, str(body["inverseLabel"]))
    return 204, None


def delete_label(call: Call) -> Answer:
    kind, other = ends(call)
    call.portal.associations.types.remove(_label(call, kind, other, call.path["type_id"]))
    return 204, None


def _label(call: Call, kind: ObjectType, other: ObjectType, type_id: str) -> AssociationType:
    number = int(type_id) if is_whole(type_id) else -1
    found = call.portal.associations.types.find(kind.id, other.id, CUSTOM, number)
    if found is None or found.label is None:
        raise not_found(f"No association label {type_id} between {kind.name} and {other.name}")
    return found


def id_of(given: Mapping[str, Any], side: str) -> str:
    end = given.get(side)
    return str(end.get("id", "")) if isinstance(end, Mapping) else ""


def checked_pair(call: Call, kind: ObjectType, other: ObjectType, from_id: str, to_id: str) -> Pair:
    for end, given in ((kind, from_id), (other, to_id)):
        if not is_whole(given):
            subcategory = "crm.associations.INVALID_IDENTIFIER"
            raise invalid(f"{given} is not a valid ID", subCategory=subcategory, context={"id": [given]})
        if call.portal.records.get(end.id, int(given)) is None:
            raise invalid(f"{end.singular.upper()}={given} is not valid")
    if kind.id == other.id and from_id == to_id:
        raise invalid(f"Object {from_id} cannot be associated to itself ({to_id})")
    return Pair(kind.id, int(from_id), other.id, int(to_id))


def _types(call: Call, kind: ObjectType, other: ObjectType, specs: Any) -> list[AssociationType]:
    if not isinstance(specs, list) or not specs or not all(isinstance(spec, dict) for spec in specs):
        raise invalid("Invalid input JSON: at least one association type is needed")
    found = []
    for spec in specs:
        category, number = str(spec.get("associationCategory")), str(spec.get("associationTypeId"))
        link = call.portal.associations.types.find(kind.id, other.id, category, int(number) if is_whole(number) else -1)
        if link is None:
            raise invalid(f"Association type {category} {number} is not valid from {kind.singular} to {other.singular}")
        found.append(link)
    return found


def _associate_plain(call: Call, kind: ObjectType, other: ObjectType, pair: Pair) -> list[Entry]:
    """Beside what stands between the two; one result per direction."""
    types = call.portal.associations.types
    plain = types.plain(kind.id, other.id)
    if plain is None:
        raise invalid(f"{kind.name} and {other.name} cannot be associated")
    call.portal.writer.associate(pair, [plain], call.act, replace=False)
    call.writes += 1
    shown = []
    for one, link in ((pair, plain), (pair.turned, types.inverse(plain))):
        spec = {"associationCategory": link.category, "associationTypeId": link.id}
        shown.append({"from": {"id": str(one.from_id)}, "to": {"id": str(one.to_id)}, "associationSpec": spec})
    return shown


def _created(pair: Pair) -> Entry:
    return {
        "fromObjectTypeId": pair.from_type,
        "fromObjectId": pair.from_id,
        "toObjectTypeId": pair.to_type,
        "toObjectId": pair.to_id,
    }


def _void(call: Call) -> Answer:
    """204 without a body that still names its type (recorded: batch archive); from 2026-09 on 200 with one."""
    if call.since("2026-09"):
        return completed(call, [], [], 200)
    return 204, None, {"Content-Type": "application/json;charset=utf-8"}


_ONE = "/{object_type}/{record_id}/associations/{to_type}"
_BATCH, _LABELS = "/{from_type}/{to_type}/batch", "/{from_type}/{to_type}/labels"
_CONFIGURED = "/definitions/configurations"
_READ, _WRITE = both_ends("read"), both_ends("write")
ENDPOINTS = (
    Endpoint(
        "PUT",
        "links",
        "/{from_type}/{record_id}/associations/default/{to_type}/{to_id}",
        put_default,
        _WRITE,
        ASSOCIATIONS,
    ),
    Endpoint("GET", "associations", _CONFIGURED + "/all", configurations, any_token, ASSOCIATIONS),
    Endpoint("GET", "associations", _CONFIGURED + "/{from_type}/{to_type}", configurations, _READ, ASSOCIATIONS),
    Endpoint("GET", "links", _ONE, list_one, objects("read"), ASSOCIATIONS),
    Endpoint("PUT", "links", _ONE + "/{to_id}", put_one, objects("write"), ASSOCIATIONS),
    Endpoint("DELETE", "links", _ONE + "/{to_id}", delete_one, objects("write"), ASSOCIATIONS),
    Endpoint("POST", "associations", _BATCH + "/read", batch_read, _READ, ASSOCIATIONS),
    Endpoint("POST", "associations", _BATCH + "/create", batch_create, _WRITE, ASSOCIATIONS),
    Endpoint("POST", "associations", _BATCH + "/associate/default", batch_default, _WRITE, ASSOCIATIONS),
    Endpoint("POST", "associations", _BATCH + "/archive", batch_archive, _WRITE, ASSOCIATIONS),
    Endpoint(
        "POST",
        "associations",
        _BATCH + "/labels/archive",
        batch_archive_labels,
        _WRITE,
        ASSOCIATIONS,
    ),
    Endpoint("GET", "associations", _LABELS, list_labels, _READ, ASSOCIATIONS),
    Endpoint("POST", "associations", _LABELS, create_label, _WRITE, ASSOCIATIONS),
    Endpoint("PUT", "associations", _LABELS, update_label, _WRITE, ASSOCIATIONS),
    Endpoint("DELETE", "associations", _LABELS + "/{type_id}", delete_label, _WRITE, ASSOCIATIONS),
)
