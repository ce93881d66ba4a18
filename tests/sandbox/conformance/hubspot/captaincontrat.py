"""Exchanges of captaincontrat's cassettes, and the records that must be there for each to come out as recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from crmsync.sandbox import Sandbox
from crmsync.sandbox.hubspot import HubSpotPortal
from tests.sandbox.conformance.framework import Exchange
from tests.sandbox.conformance.hubspot.sessions import RECORDED

_TYPES = {
    16: "contacts",
    339: "companies",
    28: "deals",
    230: "tickets",
    204: "contacts",
    192: "companies",
    216: "deals",
}
"""What a link of this type leads to."""


def exchanges() -> list[Exchange]:
    listed = json.loads((RECORDED / "captaincontrat" / "exchanges.json").read_text())
    return [
        Exchange(
            "captaincontrat", one["cassette"].removesuffix(".yml"), one["method"], one["path"], one["status"],
            one["headers"], one["request"], one["body"] or None,
        )
        for one in listed
    ]  # fmt: skip


def prepare(box: Sandbox, exchange: Exchange) -> None:
    box.clock.set(_instant(exchange.body))
    limits = box.hubspot.limits
    limits.daily = 250_000
    limits.maximum["burst"] = int(exchange.headers.get("X-Hubspot-Ratelimit-Max", limits.maximum["burst"]))
    for part, needed in _NEEDED.items():
        if part in exchange.path:
            needed(box.hubspot, exchange)
            return


def _instant(body: Any) -> datetime:
    told = [body.get(name) for name in ("startedAt", "updatedAt", "createdAt")] if isinstance(body, dict) else []
    return datetime.fromisoformat(next((one for one in told if one), "2024-12-12T00:00:00+00:00")).astimezone(UTC)


def _insert(portal: HubSpotPortal, kind: str, record_id: Any, properties: Mapping[str, Any] | None = None) -> None:
    given = {name: value for name, value in (properties or {}).items() if value is not None}
    portal.insert_rows(kind, [{**given, "hs_object_id": str(record_id)}])


def _pairs(portal: HubSpotPortal, exchange: Exchange) -> None:
    """Both ends of every pair that was accepted, the first end of the others."""
    start, end = exchange.path.split("/associations/")[1].split("/")[:2]
    made: set[str] = set()
    for one in exchange.request["inputs"]:
        there = one["to"] if isinstance(one["to"], dict) else one["to"][0]
        ends = [(start, one["from"]["id"]), (end, there["id"])]
        for kind, record_id in ends if exchange.status == 201 else ends[:1]:
            if str(record_id) not in made:
                made.add(str(record_id))
                _insert(portal, kind, record_id)


def _linked(portal: HubSpotPortal, exchange: Exchange) -> None:
    start, record_id, _, end = exchange.path.split("/objects/")[1].split("/")
    _insert(portal, start, record_id)
    for one in exchange.body["results"]:
        _insert(portal, end, one["toObjectId"])
        portal.associate(start, record_id, end, str(one["toObjectId"]))


def _listed(portal: HubSpotPortal, exchange: Exchange) -> None:
    for one in exchange.body["results"]:
        _insert(portal, "contacts", one["id"], one["properties"])
    _insert(portal, "contacts", int(exchange.body["results"][-1]["id"]) + 1)


def _searched(portal: HubSpotPortal, exchange: Exchange) -> None:
    ticket = exchange.request["filterGroups"][0]["filters"][0]["value"]
    _insert(portal, "tickets", ticket)
    for one in exchange.body["results"]:
        _insert(portal, "tasks", one["id"], one["properties"])
        portal.associate("tasks", one["id"], "tickets", ticket)


def _single(portal: HubSpotPortal, exchange: Exchange) -> None:
    """What a create ties its record to; what a read shows; what an update finds."""
    kind = exchange.path.split("/objects/")[1].partition("/")[0].partition("?")[0]
    for link in (exchange.request or {}).get("associations", ()):
        _insert(portal, _TYPES[link["types"][0]["associationTypeId"]], link["to"]["id"])
    if exchange.method == "GET" and exchange.status == 200:
        _insert(portal, kind, exchange.body["id"], exchange.body["properties"])
    if exchange.method == "PATCH":
        before = {**exchange.body["properties"], "hs_task_status": "NOT_STARTED"}
        del before["hs_task_completion_date"], before["hs_lastmodifieddate"]
        _insert(portal, kind, exchange.body["id"], before)


_NEEDED: dict[str, Callable[[HubSpotPortal, Exchange], None]] = {
    "/batch/": _pairs,
    "/associations/": _linked,
    "/tasks/search": _searched,
    "/contacts?": _listed,
    "/objects/": _single,
}
