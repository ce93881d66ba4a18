"""Requests that no client should send, built over the route table: odd paths, odd parameters, odd bodies."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from crmsync.sandbox.credentials import HUBSPOT_TOKEN
from crmsync.sandbox.hubspot.api.http import FAMILIES, Endpoint
from crmsync.sandbox.hubspot.api.routes import ENDPOINTS

_KEYS = (
    "inputs", "id", "idProperty", "properties", "associations", "types", "to", "from", "associationCategory",
    "associationTypeId", "objectWriteTraceId", "filterGroups", "filters", "propertyName", "operator", "value", "values",
    "highValue", "sorts", "direction", "query", "limit", "after", "name", "label", "labels", "singular", "plural",
    "type", "fieldType", "groupName", "options", "displayOrder", "hidden", "description", "stages", "metadata",
    "probability", "isClosed", "pipelineId", "stageId", "primaryDisplayProperty", "requiredProperties",
    "searchableProperties", "associatedObjects", "primaryObjectId", "objectIdToMerge", "objectId", "tokenKey",
    "inverseLabel", "fromObjectTypeId", "toObjectTypeId", "propertiesWithHistory", "archived", "hasUniqueValue",
    "dealname", "amount", "closedate", "dealstage", "pipeline", "email", "hs_timestamp", "hubspot_owner_id",
    "domain", "createdate", "hs_object_id", "hs_parent_company_id", "associatedcompanyid", "hs_task_body", "grant_type",
)  # fmt: skip
_WORDS = (
    "deals", "0-3", "contacts", "companies", "2-1", "amount", "dealname", "hs_object_id", "email", "default", "string",
    "number", "enumeration", "datetime", "text", "select", "dealinformation", "EQ", "IN", "BETWEEN", "CONTAINS_TOKEN",
    "GTE", "HAS_PROPERTY", "NOT_IN", "ASCENDING", "HUBSPOT_DEFINED", "USER_DEFINED", "associations.company",
    "refresh_token", "createdate", "closedate", "hs_lastmodifieddate", "qualifiedtobuy",
)  # fmt: skip
_ODD_TEXTS = (
    "", " ", "\x00", "a\x00b", "\n", "ü", "日本", "🦀", "１２", "²", "-1", "0", "1", "999999999999999999", "9" * 40,
    "1e999999999", "-1e-999999999", "1e99999999999999999999", "NaN", "sNaN", "Infinity", "0x10", "1_000", "2026-02-30",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-01T00:00:00", "%", "%00", "*", "**?[",
    "'; DROP TABLE records; --", '"', "$", "]", "../../etc", "null", "true", "a;b;;c", ";", "x" * 70_000,
)  # fmt: skip
_ODD_VALUES = (None, True, False, 0, -1, 1, 3, 341, 10**17, 2**63, 10**30, -(10**30), 1.5, 1e308, -0.0)
_ODD_SHAPES: tuple[Any, ...] = ([], {}, [[]], [{}], [None], ["x"], {"id": []}, {"": ""}, "\ud800", {"a" * 5_000: 1})
RAW = (
    b"", b"{", b"[", b"\xff\xfe", b'{"inputs": [', b"nul", b'"text"', b"[]", b"{}", b"0", b"null", b'{"a": "\\ud800"}',
    b'{"query": "\\udfff\\ud800"}', '{"query": "ü"}'.encode("utf-16"), '{"query": "ü"}'.encode("latin-1"),
    b"\xef\xbb\xbf{}", b'{"inputs": 1, "inputs": []}', b'{"inputs": [NaN, Infinity]}', b"[" * 10_000 + b"]" * 10_000,
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b"[" * 900 + b"]" * 900, b'{"to":' * 500 + b"{}" + b"}" * 500,
    b'{"inputs":[' + b'{"id":"1"},' * 3_000 + b"{}]}", b"a=b&grant_type=%ff%fe&x", b"\x00" * 64,
)  # fmt: skip


Case = tuple[str, str, Any]


@dataclass(frozen=True)
class Odd:
    method: str
    target: str
    body: bytes
    headers: dict[str, str]


def texts(ids: Sequence[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.sampled_from((*_WORDS, *ids)), st.sampled_from(_ODD_TEXTS), st.text(max_size=8))


def bodies(ids: Sequence[str]) -> st.SearchStrategy[Any]:
    """JSON of the right vocabulary and the wrong structure."""
    plain = st.one_of(texts(ids), st.sampled_from(_ODD_VALUES))
    keys = st.sampled_from(_KEYS)

    def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=5))

    anything = st.recursive(plain, nested, max_leaves=6)
    properties = st.dictionaries(keys, plain, max_size=4)
    one = st.fixed_dictionaries({}, optional={"id": plain, "properties": properties, "to": anything, "from": anything,
        "types": anything, "associations": anything, "idProperty": texts(ids), "name": texts(ids)})  # fmt: skip
    filters = st.fixed_dictionaries({}, optional={"propertyName": texts(ids), "operator": st.sampled_from(_WORDS),
        "value": plain, "highValue": plain, "values": st.lists(plain, max_size=3)})  # fmt: skip
    groups = st.lists(st.fixed_dictionaries({"filters": st.lists(filters, max_size=2)}), max_size=2)
    search = st.fixed_dictionaries({"filterGroups": groups}, optional={"sorts": st.lists(texts(ids), max_size=2),
        "limit": plain, "after": plain, "query": texts(ids),
        "properties": st.lists(texts(ids), max_size=3)})  # fmt: skip
    batch = st.fixed_dictionaries({"inputs": st.lists(one, max_size=3)}, optional={"properties": anything})
    return st.one_of(batch, search, one, st.dictionaries(keys, anything, max_size=6), anything)


def _nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _nodes(one, (*path, key))


def _replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copied = value.copy()
    copied[path[0]] = _replaced(value[path[0]], path[1:], new)
    return copied


@st.composite
def mutations(draw: st.DrawFn, cases: Sequence[Case]) -> Odd:
    """A request that would succeed, but for one value in its body."""
    method, path, body = draw(st.sampled_from(cases))
    place = draw(st.sampled_from(list(_nodes(body))))
    odd = st.one_of(st.sampled_from(_ODD_TEXTS), st.sampled_from(_ODD_VALUES), st.sampled_from(_ODD_SHAPES))
    return Odd(method, path, _encoded(_replaced(body, place, draw(odd))), {"Content-Type": "application/json"})


@st.composite
def requests(draw: st.DrawFn, ids: Sequence[str]) -> Odd:
    endpoint: Endpoint = draw(st.sampled_from(ENDPOINTS))
    root = draw(st.sampled_from(FAMILIES[endpoint.family])).replace("{version:date_version}", "2026-09")
    path = "/".join(_segment(draw, part, ids) for part in (root + endpoint.template).split("/"))
    names = st.sampled_from(("limit", "after", "properties", "propertiesWithHistory", "associations", "archived",
        "idProperty", "email", "dataSensitivity"))  # fmt: skip
    query = draw(st.lists(st.tuples(names, texts(ids)), max_size=3))
    joined = "&".join(f"{name}={quote(value[:300], safe='')}" for name, value in query)
    body = draw(st.one_of(st.sampled_from(RAW), bodies(ids).map(_encoded), bodies(ids).map(_encoded)))
    kind = draw(st.sampled_from(("application/json", "text/plain", "application/x-www-form-urlencoded", "")))
    return Odd(endpoint.method, f"{path}?{joined}", body, {"Content-Type": kind})


def _segment(draw: st.DrawFn, part: str, ids: Sequence[str]) -> str:
    if not part.startswith("{"):
        return part
    if part.endswith("_type}") and draw(st.integers(0, 4)):
        return draw(st.sampled_from(("deals", "contacts", "0-2", "tasks", "prm_thing")))
    if part.endswith("_id}") and draw(st.booleans()):
        return draw(st.sampled_from((*ids, "default", "qualifiedtobuy")))
    return quote(draw(texts(ids))[:300] or "-", safe="")


def _encoded(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")


def send(connection: http.client.HTTPConnection, odd: Odd) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {HUBSPOT_TOKEN}", **odd.headers}
    connection.request(odd.method, odd.target, odd.body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()
