"""Associations v3: ids without labels; what older integrations and connectors still call."""

from __future__ import annotations

from typing import Any

from crmsync.sandbox.hubspot.api.associations import Entry, checked_pair, ends, id_of, none_found
from crmsync.sandbox.hubspot.api.http import Answer, Call, Endpoint
from crmsync.sandbox.hubspot.api.paging import completed
from crmsync.sandbox.hubspot.api.scopes import both_ends, objects
from crmsync.sandbox.hubspot.api.shapes import v3_type, written
from crmsync.sandbox.hubspot.data.associations import Pair
from crmsync.sandbox.hubspot.definitions.association_types import AssociationType
from crmsync.sandbox.hubspot.definitions.object_types import ObjectType
from crmsync.sandbox.hubspot.limits import ASSOCIATIONS
from crmsync.sandbox.hubspot.problems import HtmlNotFound, Refusal, invalid
from crmsync.sandbox.hubspot.wholes import is_whole

MAX_READ, MAX_WRITE = 1_000, 2_000


def _name(kind: ObjectType, other: ObjectType, link: AssociationType) -> str:
    return v3_type(kind, other, link.name, link.is_primary, link.label)


def _listed(kind: ObjectType, other: ObjectType, links: dict[int, list[AssociationType]]) -> list[Entry]:
    return [{"id": str(to), "type": _name(kind, other, link)} for to, standing in links.items() for link in standing]


def types(call: Call) -> Answer:
    kind, other = ends(call)
    found = call.portal.associations.types.between(kind.id, other.id)
    return 200, {"results": [{"id": str(link.id), "name": _name(kind, other, link)} for link in found]}


def list_one(call: Call) -> Answer:
    kind, other, given = call.kind, call.portal.types.get(call.path["to_type"]), call.path["record_id"]
    if not is_whole(given) or call.portal.records.get(kind.id, int(given)) is None:
        raise HtmlNotFound
    links = call.portal.associations.read(kind.id, [int(given)], other.id).get(int(given), {})
    return 200, {"results": _listed(kind, other, links)}


def batch_read(call: Call) -> Answer:
    kind, other = ends(call)
    asked = [str(one.get("id", "")) for one in call.inputs(MAX_READ)]
    found = call.portal.associations.read(kind.id, [int(one) for one in asked if is_whole(one)], other.id)
    results, errors = [], []
    for one in dict.fromkeys(asked):
        links = found.get(int(one), {}) if is_whole(one) else {}
        if links:
            results.append({"from": {"id": one}, "to": _listed(kind, other, links)})
        else:
            errors.append(none_found(kind, other, one))
    return completed(call, results, errors, 200)


def batch_create(call: Call) -> Answer:
    kind, other = ends(call)
    results: list[Entry] = []
    errors: list[Entry] = []
    for one in call.inputs(MAX_WRITE):
        try:
            pair = checked_pair(call, kind, other, id_of(one, "from"), id_of(one, "to"))
            link = _type(call, kind, other, one.get("type"))
            call.portal.writer.associate(pair, [link], call.act, replace=False)
            call.writes += 1
            ids = {"from": {"id": str(pair.from_id)}, "to": {"id": str(pair.to_id)}}
            results.append({**ids, "type": _name(kind, other, link)})
        except Refusal as refusal:
            errors.append(refusal.as_item())
    return completed(call, results, errors, 201)


def batch_archive(call: Call) -> Answer:
    kind, other = ends(call)
    for one in call.inputs(MAX_WRITE):
        ids = (id_of(one, "from"), id_of(one, "to"))
        if all(is_whole(part) for part in ids):
            link = _type(call, kind, other, one.get("type"))
            call.portal.writer.dissociate(Pair(kind.id, int(ids[0]), other.id, int(ids[1])), [link], call.act)
            call.writes += 1
    return 204, None


def put_one(call: Call) -> Answer:
    kind, other = call.kind, call.portal.types.get(call.path["to_type"])
    pair = checked_pair(call, kind, other, call.path["record_id"], call.path["to_id"])
    link = _type(call, kind, other, call.path["association"])
    call.portal.writer.associate(pair, [link], call.act, replace=False)
    call.writes += 1
    row = call.portal.records.get(kind.id, pair.from_id)
    return 200, written(call, kind, row) if row else {}


def delete_one(call: Call) -> Answer:
    kind, other = call.kind, call.portal.types.get(call.path["to_type"])
    pair = checked_pair(call, kind, other, call.path["record_id"], call.path["to_id"])
    link = _type(call, kind, other, call.path["association"])
    call.portal.writer.dissociate(pair, [link], call.act)
    call.writes += 1
    return 204, None


def _type(call: Call, kind: ObjectType, other: ObjectType, given: Any) -> AssociationType:
    """By name ("deal_to_company") or by id."""
    known = call.portal.associations.types.between(kind.id, other.id)
    for link in known:
        if str(given) in {str(link.id), _name(kind, other, link), link.name}:
            return link
    raise invalid(f"{given} is not a valid association type from {kind.singular} to {other.singular}")


_ONE = "/{object_type}/{record_id}/associations/{to_type}"
_READ, _WRITE = both_ends("read"), both_ends("write")
ENDPOINTS = (
    Endpoint("GET", "associations-v3", "/{from_type}/{to_type}/types", types, _READ, ASSOCIATIONS),
    Endpoint("POST", "associations-v3", "/{from_type}/{to_type}/batch/read", batch_read, _READ, ASSOCIATIONS),
    Endpoint("POST", "associations-v3", "/{from_type}/{to_type}/batch/create", batch_create, _WRITE, ASSOCIATIONS),
    Endpoint("POST", "associations-v3", "/{from_type}/{to_type}/batch/archive", batch_archive, _WRITE, ASSOCIATIONS),
    Endpoint("GET", "objects-v3", _ONE, list_one, objects("read"), ASSOCIATIONS),
    Endpoint("PUT", "objects-v3", _ONE + "/{to_id}/{association}", put_one, objects("write"), ASSOCIATIONS),
    Endpoint("DELETE", "objects-v3", _ONE + "/{to_id}/{association}", delete_one, objects("write"), ASSOCIATIONS),
)
