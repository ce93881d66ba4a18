"""What is retriable, as data: (system, status, vendor code) to what to do. For people: ``docs/reference/retries.md``.

``acted`` says whether the CRM may have done the work although no good answer came. A write that may have been done is
never sent again by the transport, whatever the action says: its outcome is *unknown* and somebody has to read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from types import MappingProxyType

MAX_WAIT_S = 120.0
"""The longest that a ``Retry-After`` is obeyed in one go; some servers ask for days, or in milliseconds."""


class Action(StrEnum):
    RETRY_NOW = "retry now"
    WAIT = "wait"
    """As long as ``Retry-After`` says (else the row's own time), for every request: one gate closes."""
    BACK_OFF = "back off"
    SIGN_IN = "sign in once"
    AUTH = "fix the sign-in"
    STOP = "stop for today"
    PERMANENT = "permanent"


@dataclass(frozen=True, slots=True)
class Row:
    """``status`` 0 means that no answer came; ``code`` "" matches every code of the status."""

    system: str
    status: int
    code: str
    action: Action
    why: str
    acted: bool = False
    wait_s: float = 0.0


ANY = "any"

TABLE: tuple[Row, ...] = (
    # no (whole) answer
    Row(ANY, 0, "connect", Action.BACK_OFF, "no connection: nothing was sent"),
    Row(ANY, 0, "proxy", Action.BACK_OFF, "the proxy let nothing through: nothing was sent"),
    Row(ANY, 0, "tls", Action.PERMANENT, "the certificate does not fit: waiting does not mend it"),
    Row(ANY, 0, "unsendable", Action.AUTH, "a credential holds characters that no header can: a line break, an accent"),
    Row(ANY, 0, "timeout", Action.BACK_OFF, "sent, and silence", acted=True),
    Row(ANY, 0, "dropped", Action.BACK_OFF, "sent, and the connection was cut", acted=True),
    Row(ANY, 0, "truncated", Action.BACK_OFF, "the answer stopped short", acted=True),
    Row(ANY, 0, "garbled", Action.BACK_OFF, "the answer could not be decompressed", acted=True),
    Row(ANY, 0, "too_slow", Action.BACK_OFF, "the answer dripped past the deadline", acted=True),
    Row(ANY, 0, "too_large", Action.PERMANENT, "the answer is larger than we hold in memory", acted=True),
    Row(
        ANY, 0, "not_json", Action.BACK_OFF, "a success that is a web page: something stands before the CRM", acted=True
    ),
    # any CRM, by HTTP status
    Row(ANY, 301, "", Action.PERMANENT, "redirects are not followed: the credential belongs to one host"),
    Row(ANY, 302, "", Action.PERMANENT, "redirects are not followed"),
    Row(ANY, 303, "", Action.PERMANENT, "redirects are not followed"),
    Row(ANY, 307, "", Action.PERMANENT, "redirects are not followed"),
    Row(ANY, 308, "", Action.PERMANENT, "redirects are not followed"),
    Row(ANY, 401, "", Action.SIGN_IN, "the access token ended"),
    Row(ANY, 407, "", Action.AUTH, "the proxy wants a sign-in"),
    Row(ANY, 408, "", Action.BACK_OFF, "the server gave up waiting for the request"),
    Row(ANY, 421, "", Action.RETRY_NOW, "wrong connection for this host: a new one helps"),
    Row(ANY, 425, "", Action.BACK_OFF, "too early"),
    Row(ANY, 429, "", Action.WAIT, "too many requests", wait_s=10),
    Row(ANY, 500, "", Action.BACK_OFF, "the server failed, perhaps after acting", acted=True),
    Row(ANY, 502, "", Action.BACK_OFF, "a gateway lost the answer", acted=True),
    Row(ANY, 503, "", Action.BACK_OFF, "down or overloaded: the request was refused"),
    Row(ANY, 504, "", Action.BACK_OFF, "a gateway gave up waiting", acted=True),
    # Salesforce: "Status Codes and Error Responses" of the REST API guide, ExceptionCode of the partner WSDL
    Row("salesforce", 400, "UNABLE_TO_LOCK_ROW", Action.BACK_OFF, "another transaction holds the row; rolled back"),
    Row("salesforce", 400, "QUERY_TIMEOUT", Action.BACK_OFF, "the query ran out of time"),
    Row("salesforce", 400, "SERVER_UNAVAILABLE", Action.BACK_OFF, "the pod is overloaded"),
    Row("salesforce", 400, "invalid_client", Action.AUTH, "token endpoint: wrong client id or secret"),
    Row("salesforce", 400, "invalid_client_id", Action.AUTH, "token endpoint: unknown client id"),
    Row("salesforce", 400, "invalid_client_credentials", Action.AUTH, "token endpoint: wrong secret"),
    Row("salesforce", 400, "invalid_grant", Action.AUTH, "token endpoint: user or app not allowed, or wrong assertion"),
    Row("salesforce", 400, "invalid_app_access", Action.AUTH, "token endpoint: the user may not use the app"),
    Row("salesforce", 400, "inactive_user", Action.AUTH, "token endpoint: the user is inactive"),
    Row("salesforce", 400, "inactive_org", Action.AUTH, "token endpoint: the org is locked or closed"),
    Row("salesforce", 400, "unauthorized_client", Action.AUTH, "token endpoint: the flow is not enabled for the app"),
    Row(
        "salesforce", 400, "unsupported_grant_type", Action.AUTH, "token endpoint: the flow is not enabled for the app"
    ),
    Row(
        "salesforce", 400, "invalid_request", Action.AUTH, "token endpoint: the flow is not enabled, or data is missing"
    ),
    Row("salesforce", 401, "invalid_client", Action.AUTH, "token endpoint: wrong client id or secret"),
    Row("salesforce", 400, "server_error", Action.BACK_OFF, "token endpoint: overloaded"),
    Row("salesforce", 400, "rate_limit_exceeded", Action.WAIT, "token endpoint: too many logins", wait_s=30),
    Row("salesforce", 400, "login_rate_exceeded", Action.WAIT, "token endpoint: too many logins", wait_s=30),
    Row("salesforce", 403, "REQUEST_LIMIT_EXCEEDED", Action.STOP, "the org's API calls of 24 hours are used up"),
    Row(
        "salesforce",
        403,
        "REQUEST_LIMIT_EXCEEDED:CONCURRENT",
        Action.WAIT,
        "same code, other meaning: too many long calls at once",
        wait_s=5,
    ),
    Row("salesforce", 403, "API_DISABLED_FOR_ORG", Action.AUTH, "the edition has no API, or it is off"),
    Row("salesforce", 403, "API_CURRENTLY_DISABLED", Action.AUTH, "the user lacks the permission 'API Enabled'"),
    Row("salesforce", 403, "FUNCTIONALITY_NOT_ENABLED", Action.AUTH, "the user lacks a permission for this API"),
    Row("salesforce", 403, "INSUFFICIENT_ACCESS", Action.AUTH, "the user lacks a permission"),
    Row("salesforce", 403, "INSUFFICIENT_ACCESS_OR_READONLY", Action.AUTH, "the user lacks a permission"),
    Row("salesforce", 403, "INVALID_SESSION_ID", Action.SIGN_IN, "the access token ended (some endpoints answer 403)"),
    Row("salesforce", 403, "SERVER_UNAVAILABLE", Action.BACK_OFF, "the pod is overloaded"),
    Row("salesforce", 420, "", Action.BACK_OFF, "the edge layer is overloaded"),
    Row("salesforce", 500, "UNABLE_TO_LOCK_ROW", Action.BACK_OFF, "another transaction holds the row; rolled back"),
    Row("salesforce", 500, "SERVER_UNAVAILABLE", Action.BACK_OFF, "the pod is overloaded"),
    Row("salesforce", 503, "SERVER_UNAVAILABLE", Action.BACK_OFF, "the pod is overloaded"),
    # HubSpot: "API usage guidelines" and "Error handling" of the developer documentation
    Row("hubspot", 400, "BAD_REFRESH_TOKEN", Action.AUTH, "the refresh token is wrong or was revoked"),
    Row("hubspot", 400, "BAD_CLIENT_ID", Action.AUTH, "unknown client id"),
    Row("hubspot", 400, "BAD_CLIENT_SECRET", Action.AUTH, "wrong client secret"),
    Row("hubspot", 400, "invalid_grant", Action.AUTH, "the refresh token is wrong or was revoked"),
    Row("hubspot", 400, "invalid_client", Action.AUTH, "wrong client id or secret"),
    Row("hubspot", 403, "MISSING_SCOPES", Action.AUTH, "the token lacks a scope"),
    Row("hubspot", 403, "", Action.AUTH, "the token may not do this"),
    Row("hubspot", 423, "", Action.WAIT, "records are locked for two seconds", wait_s=2),
    Row("hubspot", 429, "DAILY", Action.STOP, "the account's calls of the day are used up"),
    Row("hubspot", 429, "TEN_SECONDLY_ROLLING", Action.WAIT, "the burst limit of 10 seconds", wait_s=10),
    Row("hubspot", 429, "SECONDLY", Action.WAIT, "a limit per second (search)", wait_s=1),
    Row(
        "hubspot",
        429,
        "RATE_LIMITS",
        Action.WAIT,
        "a limit per second (search; recorded without a policy name)",
        wait_s=1,
    ),
    Row("hubspot", 477, "", Action.WAIT, "the account is being moved to another data centre", wait_s=30),
    Row("hubspot", 521, "", Action.BACK_OFF, "the edge cannot reach HubSpot: refused"),
    Row("hubspot", 522, "", Action.BACK_OFF, "the edge cannot reach HubSpot: no connection"),
    Row("hubspot", 523, "", Action.BACK_OFF, "the edge cannot reach HubSpot"),
    Row("hubspot", 524, "", Action.BACK_OFF, "no answer in 100 s", acted=True),
    Row("hubspot", 525, "", Action.BACK_OFF, "the edge cannot reach HubSpot: TLS"),
    Row("hubspot", 526, "", Action.BACK_OFF, "the edge cannot reach HubSpot: TLS"),
)

_BY_KEY: Mapping[tuple[str, int, str], Row] = MappingProxyType({(r.system, r.status, r.code): r for r in TABLE})


def find_row(system: str, status: int, code: str) -> Row:
    """The row that fits best: this system before any, this code before all; without one: permanent, or a 5xx."""
    for key in ((system, status, code), (system, status, ""), (ANY, status, code), (ANY, status, "")):
        if row := _BY_KEY.get(key):
            return row
    if status >= 500:
        return Row(ANY, status, code, Action.BACK_OFF, "an unknown failure of the server", acted=True)
    return Row(ANY, status, code, Action.PERMANENT, "the same request would be refused again")


def retry_after_s(value: str | None, *, now: datetime, default_s: float) -> float:
    """Seconds to wait by a ``Retry-After`` header (seconds or an HTTP date), capped; nonsense counts as absent."""
    wait_s = _stated_wait_s(value.strip(), now) if value else None
    if wait_s is None or wait_s <= 0 or wait_s != wait_s:
        wait_s = default_s
    return min(wait_s, MAX_WAIT_S)


def _stated_wait_s(value: str, now: datetime) -> float | None:
    try:
        return float(value)
    except ValueError:
        pass
    try:
        return (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
