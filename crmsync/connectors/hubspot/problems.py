"""What HubSpot's error bodies say.

No field of them can be relied on: ``category`` may be missing, ``errors`` may be a list of plain strings, a missing
record may come as an HTML page, and a rejected property list may sit as JSON inside the message text (all recorded).
So: structured parts first, text last, and never a record value in a message of ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

MISSING_SCOPES = "MISSING_SCOPES"
NOT_FOUND = "OBJECT_NOT_FOUND"
NO_ASSOCIATIONS = "crm.associations.NO_ASSOCIATIONS_FOUND"
NAME_TAKEN = "OBJECT_ALREADY_EXISTS"

_EMBEDDED = re.compile(r"Property values were not valid: (\[.*\])", re.DOTALL)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|\S+@\S+")


@dataclass(frozen=True, slots=True)
class PropertyProblem:
    """A property that HubSpot would not take, and its code (``INVALID_OPTION``, ``PROPERTY_DOESNT_EXIST``…)."""

    property: str
    code: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One error, of a whole answer or of one entry of a batch."""

    category: str = ""
    sub_category: str = ""
    message: str = ""
    policy: str = ""
    correlation_id: str = ""
    properties: tuple[PropertyProblem, ...] = ()
    scopes: tuple[str, ...] = ()
    context: Mapping[str, tuple[str, ...]] | None = None

    @property
    def code(self) -> str:
        """The most telling code there is."""
        if self.properties:
            return self.properties[0].code
        return self.sub_category or self.category or "ERROR"

    def named(self, key: str) -> tuple[str, ...]:
        """The values that the error's context gives for ``key``."""
        return (self.context or {}).get(key, ())

    @property
    def summary(self) -> str:
        """What went wrong, without record values: properties and codes if given, else the message, quotes masked."""
        if self.properties:
            return "; ".join(sorted({f"{p.property}: {p.code}" for p in self.properties}))
        return _masked(self.message)


def parse_problem(body: bytes | Mapping[str, Any]) -> Problem:
    """An error body or one entry of a batch's ``errors``."""
    data = body if isinstance(body, Mapping) else _json_object(body)
    if data is None:
        return Problem(message="the answer is not JSON")
    details = [entry for entry in _list(data.get("errors")) if isinstance(entry, Mapping)]
    message = str(data.get("message") or "")
    return Problem(
        category=str(data.get("category") or data.get("errorType") or _oauth_code(data)),
        sub_category=_sub_category(data.get("subCategory")),
        message=message or _first_text(data),
        policy=str(data.get("policyName") or ""),
        correlation_id=str(data.get("correlationId") or ""),
        properties=_property_problems(details, message),
        scopes=_scopes(data, details),
        context=_context(data.get("context")),
    )


def _json_object(body: bytes) -> Mapping[str, Any] | None:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return data if isinstance(data, Mapping) else None


def _oauth_code(data: Mapping[str, Any]) -> str:
    """The token endpoint puts its code into ``status`` (``BAD_REFRESH_TOKEN``) or, by the standard, into ``error``."""
    status = str(data.get("status") or "")
    return status if status.startswith("BAD_") else str(data.get("error") or "")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _sub_category(value: Any) -> str:
    return str(value.get("name") or value.get("category") or "") if isinstance(value, Mapping) else str(value or "")


def _first_text(data: Mapping[str, Any]) -> str:
    texts = [entry for entry in _list(data.get("errors")) if isinstance(entry, str)]
    return texts[0] if texts else str(data.get("error_description") or data.get("error") or "")


def _context(value: Any) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        return {}
    return {key: tuple(str(v) for v in (entry if isinstance(entry, list) else [entry])) for key, entry in value.items()}


def _scopes(data: Mapping[str, Any], details: list[Mapping[str, Any]]) -> tuple[str, ...]:
    """``requiredGranularScopes`` stands at the top in some answers, in the first detail in others (both recorded)."""
    found = [
        scope for part in (data, *details) for scope in _context(part.get("context")).get("requiredGranularScopes", ())
    ]
    return tuple(dict.fromkeys(found))


def _property_problems(details: list[Mapping[str, Any]], message: str) -> tuple[PropertyProblem, ...]:
    found = [
        PropertyProblem(name, str(entry.get("code") or "VALIDATION_ERROR"))
        for entry in details
        for name in (_context(entry.get("context")).get("propertyName") or ())
    ]
    return tuple(dict.fromkeys(found or _embedded_problems(message)))


def _embedded_problems(message: str) -> list[PropertyProblem]:
    match = _EMBEDDED.search(message)
    if match is None:
        return []
    try:
        entries = orjson.loads(match[1])
    except orjson.JSONDecodeError:
        return []
    return [
        PropertyProblem(str(e.get("name") or ""), str(e.get("error") or "")) for e in entries if isinstance(e, Mapping)
    ]


def _masked(message: str) -> str:
    """Messages quote what was sent (names, e-mails, option values); none of it may reach a log."""
    text = _QUOTED.sub("'…'", " ".join(message.split()))
    return text if len(text) <= 200 else f"{text[:199]}…"
