"""How Salesforce says things over HTTP: error shapes, the usage header, codes that mean two things."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from crmsync.connectors.transport import Dialect, VendorError

_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")
_SIGN_IN_HINT = "check client_id, the secret and the run-as user of the app in Salesforce, then: crmsync doctor"
_HINTS = {
    "invalid_client": "check client_id and client_secret (Setup, External Client App Manager, OAuth settings)",
    "invalid_client_id": "check client_id (Setup, External Client App Manager, OAuth settings)",
    "invalid_client_credentials": "check client_secret (Setup, External Client App Manager, OAuth settings)",
    "invalid_grant": "approve the app for the user's profile or permission set, and check username and private_key",
    "invalid_app_access": "add the user's profile or permission set to the app's policies",
    "unsupported_grant_type": "enable the flow in the app's OAuth settings",
    "invalid_request": "enable the flow in the app's OAuth settings and set its run-as user",
    "INVALID_SESSION_ID": "the access token has ended; sign in anew or give the connection a client_id and secret",
    "API_DISABLED_FOR_ORG": "this edition of Salesforce has no API, or an admin has switched it off",
    "API_CURRENTLY_DISABLED": "give the integration user the permission 'API Enabled'",
    "INSUFFICIENT_ACCESS": "give the integration user access to the object: crmsync provision",
    "INVALID_TYPE": "create what is missing and grant access to it: crmsync provision",
    "INVALID_FIELD": "create what is missing and grant access to it: crmsync provision",
}


def read_error(status: int, headers: Mapping[str, str], data: bytes) -> VendorError:
    """API errors are an array of {message, errorCode}, token errors an object {error, error_description}, some HTML."""
    code, message = _code_and_message(_decoded(data))
    if status in (301, 302, 303, 307, 308):
        target = headers.get("Location", "").split("?")[0]
        return VendorError("", f"it redirects to {target}", "set the url of the connection to the org's My Domain")
    if code == "REQUEST_LIMIT_EXCEEDED" and "concurrent" in message.lower():
        code = "REQUEST_LIMIT_EXCEEDED:CONCURRENT"
    return VendorError(code, without_values(code, message), _HINTS.get(code, ""))


def _decoded(data: bytes) -> Any:
    try:
        return orjson.loads(data) if data else None
    except orjson.JSONDecodeError:
        return None


def _code_and_message(body: Any) -> tuple[str, str]:
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return "", ""
    code = first.get("errorCode") or first.get("statusCode") or first.get("error") or ""
    return str(code), str(first.get("message") or first.get("error_description") or "")


_VALUES = (
    (re.compile(r"(data value too large: ).*( \(max length=\d+\))", re.DOTALL), r"\1…\2"),
    (re.compile(r"(bad value for restricted picklist field: ).*", re.DOTALL), r"\1…"),
    (re.compile(r"(invalid email address: ).*", re.DOTALL), r"\1…"),
    (re.compile(r"(value not of required type: ).*", re.DOTALL), r"\1…"),
    (re.compile(r"'[^']*@[^']*'|[^\s<>]+@[^\s<>]+"), "…"),
)
_CARET_DRAWING = re.compile(r"^\s*\n.*\n\s*\^\s*\nERROR at Row:\d+:Column:\d+\n", re.DOTALL)


def without_values(code: str, message: str) -> str:
    """The vendor's message without the record values that some quote, and without the drawing of SOQL errors."""
    text = _CARET_DRAWING.sub("", message) if code in ("MALFORMED_QUERY", "INVALID_FIELD", "INVALID_TYPE") else message
    for pattern, replacement in _VALUES:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())[:300]


def read_limits(headers: Mapping[str, str]) -> tuple[int, int] | None:
    """``Sforce-Limit-Info: api-usage=18/15000`` as (allowed, left)."""
    match = _USAGE.search(headers.get("Sforce-Limit-Info", ""))
    if match is None:
        return None
    used, allowed = int(match[1]), int(match[2])
    return allowed, max(0, allowed - used)


def request_id(headers: Mapping[str, str]) -> str:
    return headers.get("X-Request-Id") or headers.get("X-SFDC-Request-Id") or ""


SALESFORCE = Dialect(
    system="salesforce",
    read_error=read_error,
    read_limits=read_limits,
    request_id=request_id,
    sign_in_hint=_SIGN_IN_HINT,
    status_page="status.salesforce.com",
    calls_return="hour by hour, each 24 hours after it was made",
    gzip_requests=True,
)
