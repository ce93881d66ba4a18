"""Faults on demand, for both CRMs alike: an outage, a spent quota, a lost answer, a slow day.

A fault is armed with ``POST /_sandbox/faults`` (or :meth:`Faults.add`) and is used up by the requests it hits.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Reply = tuple[int, Any, dict[str, str]]
SYSTEMS = ("salesforce", "hubspot")
TRANSPORT = "sandbox.transport"
_SIGN_IN = ("/services/oauth2/", "/oauth/")
_NOT_AT_SIGN_IN = frozenset({"quota", "rate_limit", "missing_scope", "unauthorized", "lock"})


def system_of(path: str) -> str | None:
    """Which CRM a path belongs to; the control routes belong to none."""
    if path.startswith("/_sandbox"):
        return None
    return "salesforce" if path.startswith(("/services/", "/id/")) else "hubspot"


@dataclass(slots=True, eq=False)
class Fault:
    """``times`` requests of ``system`` whose path and query contain ``match`` go wrong; ``None``: until cleared.

    ``skip`` lets that many matching requests pass first. ``seconds`` is for ``latency`` and the Retry-After of
    ``rate_limit``.
    ``when`` is for ``drop``: the connection is cut before the CRM has seen the request, or after it has acted on it.
    """

    system: str
    kind: str
    times: int | None = 1
    match: str = ""
    method: str = ""
    skip: int = 0
    seconds: float = 0.0
    when: str = "after"

    def __post_init__(self) -> None:
        if self.system not in SYSTEMS:
            raise ValueError(f"system must be one of {', '.join(SYSTEMS)}, not {self.system!r}")
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.when not in ("before", "after"):
            raise ValueError(f"when must be before or after, not {self.when!r}")

    def hits(self, method: str, target: str) -> bool:
        """Sign-in has no quota and no scopes: faults of that kind spare it, unless ``match`` says otherwise."""
        if not self.match and self.kind in _NOT_AT_SIGN_IN and target.startswith(_SIGN_IN):
            return False
        return self.match in target and self.method.upper() in ("", method)

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


class Faults:
    """The armed faults, oldest first."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *, system: str, kind: str, **more: Any) -> Fault:
        """Arm a fault; see :class:`Fault` for what can be said of it."""
        fault = Fault(system, kind, **more)
        with self._lock:
            self._armed.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Disarm it, if it is not used up already."""
        with self._lock:
            self._armed = [armed for armed in self._armed if armed is not fault]

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    def armed(self) -> list[Fault]:
        with self._lock:
            return list(self._armed)

    def take(self, system: str, method: str, target: str) -> Fault | None:
        """The first fault that hits this request, one use of it spent."""
        with self._lock:
            for fault in self._armed:
                if fault.system == system and fault.hits(method, target):
                    if fault.skip > 0:
                        fault.skip -= 1
                        continue
                    self._spend(fault)
                    return fault
        return None

    def _spend(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times <= 0:
            self._armed = [armed for armed in self._armed if armed is not fault]


# -------------------------------------------------------------------- what the CRMs would say


def _salesforce(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Callable[[Fault], Reply]:
    return lambda _fault: (status, [{"message": message, "errorCode": code}], dict(headers or {}))


def _hubspot(status: int, message: str, category: str = "", **more: Any) -> Callable[[Fault], Reply]:
    body = {"status": "error", "message": message, "correlationId": "5a9dbe3e-0000-4000-8000-000000000000", **more}
    if category:
        body["category"] = category
    return lambda _fault: (status, body, {})


def _hubspot_rate_limit(fault: Fault) -> Reply:
    body = {
        "status": "error", "message": "You have reached your ten_secondly_rolling limit.", "errorType": "RATE_LIMIT",
        "correlationId": "5a9dbe3e-0000-4000-8000-000000000000", "policyName": "TEN_SECONDLY_ROLLING",
    }  # fmt: skip
    return 429, body, {"Retry-After": str(int(fault.seconds))} if fault.seconds else {}


def _html(status: int) -> Callable[[Fault], Reply]:
    return lambda _fault: (
        status,
        f"<html><head><title>{status}</title></head><body>Please try again later</body></html>",
        {},
    )


_SCOPES = {
    "errors": [{"message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": ["crm.objects.deals.write"]}}],
    "links": {"scopes": "https://developers.hubspot.com/scopes"},
}  # fmt: skip
_REPLIES: dict[tuple[str, str], Callable[[Fault], Reply]] = {
    ("salesforce", "down"): _salesforce(503, "SERVER_UNAVAILABLE", "The service is unavailable. Please try again."),
    ("salesforce", "quota"): _salesforce(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    ("salesforce", "rate_limit"): _salesforce(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."),
    ("salesforce", "missing_scope"): _salesforce(
        403, "API_CURRENTLY_DISABLED", "API is not enabled for this Organization or Partner"
    ),
    ("salesforce", "unauthorized"): _salesforce(401, "INVALID_SESSION_ID", "Session expired or invalid"),
    ("salesforce", "lock"): _salesforce(
        400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: 001Bx0000000001"
    ),
    ("salesforce", "html"): _html(420),
    ("hubspot", "down"): _hubspot(503, "The service is temporarily unavailable.", "SERVICE_UNAVAILABLE"),
    ("hubspot", "quota"): _hubspot(
        429, "You have reached your daily limit.", errorType="RATE_LIMIT", policyName="DAILY"
    ),
    ("hubspot", "rate_limit"): _hubspot_rate_limit,
    ("hubspot", "missing_scope"): _hubspot(
        403,
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: "
        "https://developers.hubspot.com/scopes.",
        "MISSING_SCOPES",
        **_SCOPES,
    ),
    ("hubspot", "unauthorized"): _hubspot(
        401,
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
        "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        "INVALID_AUTHENTICATION",
    ),
    ("hubspot", "lock"): _hubspot(423, "The resource is locked. Please try again.", "LOCKED"),
    ("hubspot", "html"): _html(502),
}
KINDS = (*dict.fromkeys(kind for _, kind in _REPLIES), "drop", "latency")


class FaultMiddleware:
    """Stands before both CRMs. ``log`` notes the requests that never reach them."""

    def __init__(self, app: ASGIApp, faults: Faults, log: Callable[[str, str, str, int], None]) -> None:
        self.app, self.faults, self.log = app, faults, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._fault(scope)
        if fault is None:
            await self.app(scope, receive, send)
        elif fault.kind == "latency":
            await asyncio.sleep(fault.seconds)
            await self.app(scope, receive, send)
        elif fault.kind == "drop":
            await self._drop(fault, scope, receive)
        else:
            await self._reply(fault, scope, send)

    def _fault(self, scope: Scope) -> Fault | None:
        if scope["type"] != "http":
            return None
        system = system_of(scope["path"])
        target = f"{scope['path']}?{scope['query_string'].decode('latin-1')}"
        return self.faults.take(system, scope["method"], target) if system else None

    async def _drop(self, fault: Fault, scope: Scope, receive: Receive) -> None:
        """Cut the connection: before the CRM sees the request, or after it has acted on it."""
        if fault.when == "before":
            self._note(scope, 0)
        else:
            await self.app(scope, receive, _swallow)
        transport = scope.get(TRANSPORT)
        if transport is not None:
            transport.abort()

    async def _reply(self, fault: Fault, scope: Scope, send: Send) -> None:
        status, body, headers = _REPLIES[fault.system, fault.kind](fault)
        is_text = isinstance(body, str)
        content = body.encode() if is_text else orjson.dumps(body)
        kind = "text/html" if is_text else "application/json;charset=UTF-8"
        everything = {"content-type": kind, "content-length": str(len(content)), **headers}
        raw = [(name.lower().encode(), value.encode()) for name, value in everything.items()]
        self._note(scope, status)
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": content})

    def _note(self, scope: Scope, status: int) -> None:
        self.log(system_of(scope["path"]) or "", scope["method"], scope["path"], status)


async def _swallow(_message: Message) -> None:
    """The answer that never arrives."""
