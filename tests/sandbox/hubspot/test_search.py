"""The search endpoint: operators, limits, and an index that may lag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from crmsync.sandbox import Sandbox
from crmsync.sandbox.hubspot import HubSpotPortal
from tests.sandbox.hubspot.conftest import Send

PATH = "/crm/v3/objects/deals/search"


def _filter(name: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"propertyName": name, "operator": operator, **({"value": value} if value is not None else {}), **more}


def _names(send: Send, *groups: Sequence[dict[str, Any]], **more: Any) -> list[str]:
    body = {"filterGroups": [{"filters": list(group)} for group in groups], "properties": ["dealname"], **more}
    answer = send("POST", PATH, body)
    assert answer.status_code == 200, answer.text
    return [one["properties"]["dealname"] for one in answer.json()["results"]]


@pytest.fixture
def deals(portal: HubSpotPortal) -> list[str]:
    portal.create_property("deals", "flags", "enumeration", "checkbox", options=["a", "b", "c"])
    rows = [
        {
            "dealname": "Acme pumps",
            "amount": "100",
            "dealtype": "newbusiness",
            "closedate": "2026-01-01",
            "flags": "a;b",
        },
        {
            "dealname": "Beta Valves",
            "amount": "20",
            "dealtype": "existingbusiness",
            "closedate": "2026-02-01T08:00:00Z",
        },
        {"dealname": "gamma", "flags": "c"},
    ]
    return portal.insert_rows("deals", rows)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([_filter("amount", "EQ", "100.0")], "A"),
        ([_filter("amount", "NEQ", "100")], "Bg"),
        ([_filter("amount", "LT", "100")], "B"),
        ([_filter("amount", "GTE", 20)], "AB"),
        ([_filter("amount", "BETWEEN", "50", highValue="150")], "A"),
        ([_filter("dealname", "EQ", "beta valves")], "B"),
        ([_filter("dealname", "IN", values=["gamma", "acme pumps"])], "Ag"),
        ([_filter("dealname", "NOT_IN", values=["gamma"])], "AB"),
        ([_filter("dealname", "CONTAINS_TOKEN", "pump*")], "A"),
        ([_filter("dealname", "NOT_CONTAINS_TOKEN", "pumps")], "Bg"),
        ([_filter("dealtype", "EQ", "newbusiness")], "A"),
        ([_filter("dealtype", "EQ", "NEWBUSINESS")], ""),
        ([_filter("dealtype", "HAS_PROPERTY")], "AB"),
        ([_filter("dealtype", "NOT_HAS_PROPERTY")], "g"),
        ([_filter("closedate", "GT", "1767225600000")], "B"),
        ([_filter("closedate", "LTE", "2026-02-01T00:00:00-08:00")], "AB"),
        ([_filter("flags", "IN", values=["b", "c"])], "Ag"),
        ([_filter("flags", "EQ", "a")], "A"),
        ([_filter("amount", "GT", "1"), _filter("dealtype", "EQ", "existingbusiness")], "B"),
    ],
)
def test_operators(send: Send, deals: list[str], filters: list[dict[str, Any]], found: str) -> None:
    assert [name[0] for name in _names(send, filters)] == list(found)


def test_groups_are_alternatives(send: Send, deals: list[str]) -> None:
    assert len(_names(send, [_filter("amount", "EQ", "20")], [_filter("dealname", "EQ", "gamma")])) == 2


def test_by_id_and_by_stamp(send: Send, deals: list[str]) -> None:
    window = _filter("hs_lastmodifieddate", "GTE", "2020-01-01T00:00:00Z")
    order = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
    assert _names(send, [window, _filter("hs_object_id", "GT", deals[0])], sorts=order) == ["Beta Valves", "gamma"]
    assert _names(send, sorts=["-amount"])[0] == "Acme pumps"


def test_a_query_searches_all_text(send: Send, deals: list[str]) -> None:
    assert _names(send, query="VALVE beta") == ["Beta Valves"]


def test_associated_records(send: Send, portal: HubSpotPortal, deals: list[str]) -> None:
    company = portal.insert_rows("companies", [{"name": "Acme"}])[0]
    portal.associate("deals", deals[1], "companies", company, "primary")
    assert _names(send, [_filter("associations.company", "EQ", company)]) == ["Beta Valves"]
    assert len(_names(send, [_filter("associations.companies", "NOT_HAS_PROPERTY")])) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"after": "9999", "limit": 10},
        {"after": "x"},
        {"query": "x" * 3_001},
        {"sorts": ["amount", "dealname"]},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [_filter("amount", "EQ", "1")] * 7}]},
        {"filterGroups": [{"filters": [_filter("amount", "EQ", "1")] * 5}] * 4},
        {"filterGroups": [{"filters": [_filter("nothing", "EQ", "1")]}]},
        {"filterGroups": [{"filters": [_filter("amount", "LIKE", "1")]}]},
        {"filterGroups": [{"filters": [_filter("amount", "EQ", "much")]}]},
        {"filterGroups": [{"filters": [_filter("amount", "EQ")]}]},
        {"filterGroups": [{"filters": [_filter("amount", "IN", "1")]}]},
    ],
)
def test_refusals(send: Send, body: dict[str, Any]) -> None:
    answer = send("POST", PATH, body)
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


def test_ten_thousand_and_no_more(send: Send, portal: HubSpotPortal) -> None:
    portal.insert_rows("deals", [{} for _ in range(10_001)])
    last = send("POST", PATH, {"limit": 200, "after": "9800"}).json()
    assert (last["total"], last["paging"]["next"]["after"]) == (10_001, "10000")
    assert send("POST", PATH, {"limit": 200, "after": "10000"}).status_code == 400


def test_a_lagging_index_matches_old_values_and_returns_new_ones(box: Sandbox, send: Send, deals: list[str]) -> None:
    box.hubspot.behaviour.index_lag_ms = 3_000
    box.hubspot.edit("deals", deals[0], {"dealname": "Acme valves"})
    made = box.hubspot.create("deals", {"dealname": "delta"})
    box.hubspot.archive("deals", deals[2])
    assert _names(send, [_filter("dealname", "EQ", "acme pumps")]) == ["Acme valves"]
    assert _names(send, [_filter("dealname", "EQ", "acme valves")]) == []
    assert _names(send, [_filter("hs_object_id", "EQ", made)]) == []
    ghost = send("POST", PATH, {"filterGroups": [{"filters": [_filter("dealname", "EQ", "gamma")]}]}).json()
    assert (ghost["total"], ghost["results"]) == (1, [])
    box.clock.advance(3)
    assert _names(send, [_filter("dealname", "EQ", "acme valves")]) == ["Acme valves"]
    assert _names(send, [_filter("dealname", "EQ", "delta")]) == ["delta"]
    assert _names(send, [_filter("dealname", "EQ", "gamma")]) == []
