"""Making two HubSpot answers comparable: ids by role, instants by relation, correlation ids and hosts blotted out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.sandbox.conformance.framework import Answer, Delta, Exchange, compare

_PATTERNS = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<instant>"),
    (r"https?://(app[-a-z0-9]*\.hubspot\.com|api\.hubapi\.com|127\.0\.0\.1:\d+)", "<host>"),
    (r"\b\d{4,}\b", "<n>"),
)
_STAMPS = ("createdate", "hs_createdate", "lastmodifieddate", "hs_lastmodifieddate")
_LEFT_OUT = frozenset({"url", "portalId"})
"""HubSpot added the address of a record in its app later than most recordings; it holds the number of the portal."""


def normal(value: Any, names: Mapping[str, str]) -> Any:
    """``names`` are ids and the marks to put in their place."""
    if isinstance(value, dict):
        marked = _marked(value) if "createdAt" in value and "updatedAt" in value else value
        return {key: normal(one, names) for key, one in marked.items() if key not in _LEFT_OUT}
    if isinstance(value, list):
        return [normal(one, names) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and value > 999:
        return names.get(str(value), "<whole number>")
    if isinstance(value, str):
        return names.get(value) or _text(value)
    return value


def _text(value: str) -> str:
    for pattern, mark in _PATTERNS:
        value = re.sub(pattern, mark, value)
    return value


def _marked(record: dict[str, Any]) -> dict[str, Any]:
    """A record whose modified date is its created date is one that nothing has touched since."""
    created, updated = record["createdAt"], record["updatedAt"]
    marks = {updated: "<created>" if updated == created else "<later>", created: "<created>"}
    shown = {**record, "createdAt": "<created>", "updatedAt": marks[updated]}
    if isinstance(record.get("properties"), dict):
        properties = record["properties"]
        stamps = {name: marks.get(properties[name], "<another>") for name in _STAMPS if name in properties}
        shown["properties"] = {**properties, **stamps}
    return shown


def batch(body: Any) -> Any:
    """Batch answers come in no order: by id."""
    if isinstance(body, dict) and "startedAt" in body and isinstance(body.get("results"), list):
        return {**body, "results": sorted(body["results"], key=_sort_key)}
    return body


def _sort_key(one: Any) -> str:
    return str(one.get("id") or one.get("toObjectId") or one) if isinstance(one, dict) else str(one)


def deltas(
    exchange: Exchange, answer: Answer, theirs: Mapping[str, str] | None = None, ours: Mapping[str, str] | None = None
) -> Iterator[Delta]:
    """Status, the headers that matter, and the whole body."""
    if exchange.status != answer.status:
        yield Delta("status", exchange.status, answer.status)
    yield from compare(_headers(exchange.headers), _headers(answer.headers), "header")
    left, right = normal(exchange.body, theirs or {}), normal(answer.body, ours or {})
    yield from compare(batch(left), batch(right))


_COUNTERS = tuple(f"x-hubspot-ratelimit-{name}remaining" for name in ("", "daily-", "secondly-"))
_SHOWN = ("content-type", "location", "retry-after")


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    """HubSpot's own families, and those that clients act on; of counters only that they are there."""
    shown = {}
    for name, value in headers.items():
        lowered = name.lower()
        if lowered in _COUNTERS or lowered == "x-hubspot-correlation-id":
            shown[lowered] = "<value>"
        elif lowered in _SHOWN or lowered.startswith("x-hubspot-"):
            shown[lowered] = _text(value).lower() if lowered == "content-type" else _text(value)
    return shown
