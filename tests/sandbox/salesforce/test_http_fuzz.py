"""The surface under odd input: answered or refused in the vendor's form, never a 500, never a traceback."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import Send

Ask = Callable[..., None]
BASE = "/services/data/v60.0"
ACCOUNT = {"attributes": {"type": "Account", "referenceId": "r"}, "Name": "x", "Parent": {"Legacy_Id__c": "p"}}
PART = {
    "method": "POST",
    "url": f"{BASE}/sobjects/Account",
    "referenceId": "a",
    "body": {"Name": "x"},
    "httpHeaders": {"X": "y"},
}
VALUES = {"valueSetDefinition": {"value": [{"fullName": "a", "label": "A", "default": True}]}}
FIELD = {
    "FullName": "Account.Odd__c",
    "Metadata": {"type": "Picklist", "label": "Odd", "length": 5, "valueSet": VALUES},
}
VALID: dict[str, Any] = {
    "POST /sobjects/Account": {"Name": "x", "AnnualRevenue": 1, "NumberOfEmployees": 2, "ParentId": None},
    "POST /sobjects/Opportunity": {
        "Name": "x",
        "StageName": "Prospecting",
        "CloseDate": "2026-01-01",
        "IsPrivate": False,
    },
    "POST /sobjects/Claim__c": {"Number__c": None, "Flags__c": "late;odd", "Due__c": "2026-01-01T00:00:00Z"},
    "POST /sobjects/Task": {"Subject": "x", "WhatId": None, "ActivityDate": "2026-01-01", "Status": "Completed"},
    "POST /sobjects/PermissionSet": {"Name": "odd", "Label": "odd"},
    "PATCH /sobjects/Claim__c/Number__c/fuzz": {"Account__r": {"Legacy_Id__c": "x"}, "Done__c": True},
    "POST /composite/sobjects": {"allOrNone": True, "records": [ACCOUNT]},
    "PATCH /composite/sobjects": {"records": [{**ACCOUNT, "Id": "001000000000001AAA"}]},
    "PATCH /composite/sobjects/Claim__c/Number__c": {
        "records": [{"attributes": {"type": "Claim__c"}, "Number__c": "z"}]
    },
    "POST /composite/sobjects/Account": {"ids": ["001000000000001AAA"], "fields": ["Name"]},
    "POST /composite": {
        "allOrNone": True,
        "compositeRequest": [PART, {**PART, "referenceId": "b", "body": {"Name": "@{a.id}"}}],
    },
    "POST /composite/batch": {
        "haltOnError": True,
        "batchRequests": [{"method": "GET", "url": "v60.0/limits", "richInput": {}}],
    },
    "POST /composite/tree/Account": {
        "records": [{**ACCOUNT, "Contacts": {"records": [{"attributes": {"type": "Contact"}}]}}]
    },
    "POST /composite/graph": {"graphs": [{"graphId": "1", "compositeRequest": [PART]}]},
    "POST /jobs/ingest": {
        "object": "Account",
        "operation": "upsert",
        "externalIdFieldName": "Legacy_Id__c",
        "lineEnding": "LF",
    },
    "POST /jobs/query": {"operation": "query", "query": "SELECT Id FROM Account", "columnDelimiter": "TAB"},
    "POST /tooling/sobjects/CustomField": FIELD,
}
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**63 - 1,
    1e308,
    "",
    "\u0000",
    "x" * 300,
    "@{",
    "@{a",
    "@{..}",
    "@{a.b[9]}",
    "%",
    [],
    [None],
    [[]],
    {},
    {"a": {"b": []}},
    "\U0001f600",
    "001000000000001AAA",
    "2026-02-30",
    "v60.0/../..",
    "NaN",
)


def mutated(value: Any) -> Iterator[Any]:
    """The same body with each of its values in turn made odd, left out, or given a neighbour nobody asked for."""
    for path in _paths(value):
        for odd in ODD:
            changed = copy.deepcopy(value)
            _set(changed, path, odd)
            yield changed
    yield from ODD


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*path, key)
        yield from _paths(value[key], (*path, key))


def _set(value: Any, path: tuple[Any, ...], odd: Any) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = odd


@pytest.fixture
def ask(send: Send, org: SalesforceOrg) -> Ask:
    org.api_limit = 10_000_000

    def go(method: str, path: str, content: bytes | None, headers: dict[str, Any]) -> None:
        answer = send(method, path, data=content, headers=headers)
        assert answer.status_code < 500, (method, path, (content or b"")[:300], answer.text[:300])
        if answer.status_code >= 400:
            assert "errorCode" in answer.text or "hasErrors" in answer.text or not answer.content

    return go


@pytest.mark.parametrize("request_line", VALID)
def test_every_value_of_every_body_made_odd(ask: Ask, request_line: str) -> None:
    method, _, path = request_line.partition(" ")
    for body in mutated(VALID[request_line]):
        ask(method, path, orjson.dumps(body), {"Content-Type": "application/json"})


PLACES = [
    "GET /sobjects/{}",
    "GET /sobjects/{}/describe",
    "GET /sobjects/Account/{}",
    "GET /sobjects/Account/{}/x",
    "PATCH /sobjects/Account/{}",
    "GET /sobjects/Claim__c/Number__c/{}",
    "DELETE /sobjects/Account/{}",
    "DELETE /composite/sobjects?ids={}",
    "GET /sobjects/Account/x?fields={}",
    "GET /composite/sobjects/Account?ids=001000000000001AAA&fields={}",
    "GET /query?q={}",
    "GET /query/{}",
    "GET /queryAll?explain={}",
    "GET /query?columns=true&q={}",
    "GET /tooling/query?q={}",
    "GET /sobjects/Account/updated?start={}&end=2026-01-01T00:00:00Z",
    "GET /sobjects/Account/deleted?start=2026-01-01T00:00:00Z&end={}",
    "GET /limits/recordCount?sObjects={}",
    "GET /jobs/ingest/{}",
    "GET /jobs/ingest/x/{}",
    "PUT /jobs/ingest/{}/batches",
    "GET /jobs/query/{}/results",
    "GET /jobs/ingest?queryLocator={}",
    "GET /metadata/deployRequest/{}",
    "POST /metadata/deployRequest",
    "GET /{}",
    "POST /sobjects/Account?_HttpMethod={}",
]
PIECES = (
    "",
    "%00",
    "%FF%FE",
    "%F0%9F%98%80",
    "x" * 300,
    "'",
    "%",
    "%25",
    "0",
    "-1",
    "9" * 40,
    "null",
    "[",
    "%0A",
    "001000000000001AAA",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00%2B14:00",
    "SELECT",
    "a,b,,c",
)


@pytest.mark.parametrize("place", PLACES)
def test_odd_pieces_in_every_address(ask: Ask, place: str) -> None:
    method, _, path = place.partition(" ")
    for piece in PIECES:
        ask(method, path.replace("{}", piece), b"{}" if method in ("POST", "PATCH") else None, {})


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from([*VALID, *PLACES]),
    st.binary(max_size=40),
    st.sampled_from(
        [
            "application/json",
            "text/csv",
            "application/xml",
            "multipart/form-data",
            "multipart/form-data; boundary=x",
            "application/json; charset=utf-16",
            "",
            "\u00e9",
        ]
    ),
    st.sampled_from(["", "gzip", "deflate", "br"]),
)
def test_any_bytes_of_any_kind(ask: Ask, template: str, content: bytes, kind: str, encoding: str) -> None:
    method, _, path = template.partition(" ")
    ask(
        method,
        path.replace("{}", "x"),
        content,
        {"Content-Type": kind.encode("latin-1"), "Content-Encoding": encoding},
    )  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 5000 + b"]" * 5000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b'{"Name":' + b"9" * 400 + b"}",
        b'{"Name":1e400}',
        b'{"AnnualRevenue":1e308,"NumberOfEmployees":1e300}',
        b'{"Name":"\\ud800"}',
        b'{"Name":"x","Name":"y","name":"z"}',
        b'{"Name":NaN}',
        b"\xff\xfe{\x00}\x00",
        b'{"Name":"' + b"x" * 2_000_000 + b'"}',
        b"null",
        b'"text"',
    ],
    ids=[
        "lists",
        "objects",
        "digits",
        "infinite",
        "huge",
        "surrogate",
        "twice",
        "nan",
        "utf16",
        "long",
        "null",
        "text",
    ],
)
def test_bodies_beyond_measure(ask: Ask, content: bytes) -> None:
    for path in ("/sobjects/Account", "/composite", "/composite/sobjects", "/jobs/ingest"):
        ask("POST", path, content, {"Content-Type": "application/json"})


def test_a_bug_is_answered_as_the_vendor_would(send: Send, org: SalesforceOrg, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(org.queries, "run", broken)
    answer = send("GET", "/query", params={"q": "SELECT Id FROM Account"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (500, "UNKNOWN_EXCEPTION")
    assert "Traceback" not in answer.text
