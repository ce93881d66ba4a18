"""What the CRMs would say: bodies as recorded or documented, per system and kind of fault."""

from __future__ import annotations

from typing import Any

from crmsync.sandbox.faults.fault import Fault
from crmsync.sandbox.hubspot.problems import missing_scopes

Reply = tuple[int, Any, dict[str, str]]
CORRELATION = "5a9dbe3e-0000-4000-8000-000000000000"
_LOCKED = "unable to obtain exclusive access to this record or 1 records: 001Bx0000000001"
_UNKNOWN_CALLER = (
    "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
    "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
)
_EDGE_STATUSES = (502, 504)
"""These come from the layer before the CRM, which speaks HTML (Salesforce: REST API guide, status codes)."""

_SALESFORCE = {
    "down": (503, "SERVER_UNAVAILABLE", "The service is unavailable. Please try again."),
    "quota": (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "rate_limit": (403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."),
    "missing_scope": (403, "API_CURRENTLY_DISABLED", "API is not enabled for this Organization or Partner"),
    "unauthorized": (401, "INVALID_SESSION_ID", "Session expired or invalid"),
    "lock": (400, "UNABLE_TO_LOCK_ROW", _LOCKED),
    "row_lock": (400, "UNABLE_TO_LOCK_ROW", _LOCKED),
}
_SERVER_ERRORS = {
    500: ("UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support."),
    503: ("SERVER_UNAVAILABLE", "The service is unavailable. Please try again."),
}
_HUBSPOT: dict[str, tuple[int, dict[str, Any]]] = {
    "down": (503, {"message": "The service is temporarily unavailable.", "category": "SERVICE_UNAVAILABLE"}),
    "quota": (429, {"message": "You have reached your daily limit.", "errorType": "RATE_LIMIT", "policyName": "DAILY"}),
    "rate_limit": (429, {"message": "You have reached your ten_secondly_rolling limit.", "errorType": "RATE_LIMIT",
                         "policyName": "TEN_SECONDLY_ROLLING"}),
    "search_limit": (429, {"message": "You have reached your secondly limit.", "category": "RATE_LIMITS"}),
    "unauthorized": (401, {"message": _UNKNOWN_CALLER, "category": "INVALID_AUTHENTICATION"}),
    "missing_scope": (403, missing_scopes(["crm.objects.deals.write"]).body),
    "lock": (423, {"message": "The resource is locked. Please try again.", "category": "LOCKED"}),
}  # fmt: skip


def reply(fault: Fault, system: str) -> Reply:
    """Status, body (text is HTML) and headers."""
    status, body = _salesforce(fault) if system == "salesforce" else _hubspot(fault)
    wait = fault.retry_after or (str(int(fault.seconds)) if fault.seconds else "")
    return status, body, {"Retry-After": wait} if wait else {}


def _salesforce(fault: Fault) -> tuple[int, Any]:
    if fault.kind == "html" or fault.status in _EDGE_STATUSES:
        return _page(fault.status or 420)
    if fault.kind == "server_error":
        status = fault.status or 500
        code, message = _SERVER_ERRORS.get(status, _SERVER_ERRORS[500])
    else:
        status, code, message = _SALESFORCE[fault.kind]
    return status, salesforce_error(code, message)


def salesforce_error(code: str, message: str) -> list[dict[str, str]]:
    return [{"message": message, "errorCode": code}]


def _hubspot(fault: Fault) -> tuple[int, Any]:
    if fault.kind == "html" or fault.status in _EDGE_STATUSES:
        return _page(fault.status or 502)
    if fault.kind == "server_error":
        return fault.status or 500, hubspot_error({"message": "internal error"})
    status, body = _HUBSPOT[fault.kind]
    return status, hubspot_error(body)


def hubspot_error(body: dict[str, Any]) -> dict[str, Any]:
    return {"status": "error", "correlationId": CORRELATION, **body}


def _page(status: int) -> tuple[int, str]:
    return status, f"<html><head><title>{status}</title></head><body>Please try again later</body></html>"
