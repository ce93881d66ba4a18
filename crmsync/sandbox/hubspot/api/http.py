"""From an HTTP request to an endpoint and back: versions, sign-in, scopes, limits, bodies, ids and the request log."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_bytes
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crmsync.sandbox.hubspot.api.bodies import check_structure
from crmsync.sandbox.hubspot.data.changes import APP_ID, Act
from crmsync.sandbox.hubspot.definitions.object_types import ObjectType
from crmsync.sandbox.hubspot.limits import BURST
from crmsync.sandbox.hubspot.problems import HtmlNotFound, Refusal, invalid, missing_scopes
from crmsync.sandbox.hubspot.stamps import to_ms
from crmsync.sandbox.hubspot.tokens import Token
from crmsync.sandbox.hubspot.wholes import is_whole

if TYPE_CHECKING:
    from crmsync.sandbox.hubspot.portal import HubSpotPortal


class _DateVersion(StringConvertor):
    """``2026-03``, ``2026-09-beta`` and, as paging links recorded in 2026 have it, ``/crm/objects/v3``."""

    regex = r"v[1-4]|20\d\d-\d\d(?:-beta)?"


register_url_convertor("date_version", _DateVersion())

FAMILIES: dict[str, tuple[str, ...]] = {
    "objects": ("/crm/v3/objects", "/crm/objects/{version:date_version}"),
    "properties": ("/crm/v3/properties", "/crm/properties/{version:date_version}"),
    "pipelines": ("/crm/v3/pipelines", "/crm/pipelines/{version:date_version}"),
    "owners": ("/crm/v3/owners", "/crm/owners/{version:date_version}"),
    "links": ("/crm/v4/objects", "/crm/objects/{version:date_version}"),
    "associations": ("/crm/v4/associations", "/crm/associations/{version:date_version}"),
    "associations-v3": ("/crm/v3/associations",),
    "objects-v3": ("/crm/v3/objects",),
    "private-apps": ("/oauth/v2/private-apps",),
    "schemas": (
        "/crm-object-schemas/v3/schemas",
        "/crm-object-schemas/{version:date_version}/schemas",
        "/crm/v3/schemas",
    ),
    "oauth": ("/oauth/v1", "/oauth/{version:date_version}"),
    "account": ("/account-info/v3", "/account-info/{version:date_version}"),
}
"""The same endpoint under the numbered and the dated path (developers.hubspot.com: API versioning, migration guide)."""

GZIP_FROM = 1_024
MAX_URL = 16_384
"""HubSpot answers 414 to longer ones; where exactly it stops is not documented."""

_UNREAD = object()

Answer = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]


@dataclass(slots=True)
class Call:
    """One request as an endpoint sees it."""

    portal: HubSpotPortal
    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    payload: bytes
    now_ms: int
    request_id: str
    base_url: str
    url_path: str
    url_length: int = 0
    content_type: str = ""
    token: Token | None = None
    version: str = ""
    writes: int = 0
    _parsed: Any = _UNREAD

    @property
    def kind(self) -> ObjectType:
        return self.portal.types.get(self.path["object_type"])

    @property
    def act(self) -> Act:
        return Act(self.now_ms, f"app:{APP_ID}", request_id=self.request_id)

    def since(self, version: str) -> bool:
        """Whether the path is of this dated version or a later one."""
        return self.version[:2] == "20" and self.version >= version

    def parsed(self) -> Any:
        if self._parsed is _UNREAD:
            self._parsed = _parse(self.payload)
        return self._parsed

    def json(self) -> dict[str, Any]:
        body = self.parsed()
        if body is None:
            raise Refusal(400, "validation error", errors=["The request body may not be null"])
        if not isinstance(body, dict):
            raise invalid("Invalid input JSON on line 1, column 1: an object was expected")
        return body

    def inputs(self, maximum: int) -> list[dict[str, Any]]:
        inputs = self.json().get("inputs")
        if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
            raise invalid("Invalid input JSON: some required fields were not set: [inputs]")
        if len(inputs) > maximum:
            raise invalid(f"The batch has {len(inputs)} inputs, at most {maximum} are allowed")
        return inputs

    def names(self, parameter: str) -> list[str]:
        """A list, repeated or comma-joined."""
        given = (name.strip() for value in self.query.get(parameter, ()) for name in value.split(","))
        return [name for name in given if name]

    def one(self, parameter: str) -> str | None:
        values = self.query.get(parameter)
        return values[-1] if values else None

    def flag(self, parameter: str) -> bool:
        return (self.one(parameter) or "").lower() == "true"

    def whole(self, parameter: str, default: int, maximum: int | None = None) -> int:
        text = self.one(parameter)
        if text is None or text == "":
            return default
        if not is_whole(text) or (maximum is not None and not 1 <= int(text) <= maximum):
            wanted = f"a whole number from 1 to {maximum}" if maximum else "a whole number"
            raise invalid(f"Invalid value '{text}' for the parameter '{parameter}': expected {wanted}")
        return int(text)


def _parse(payload: bytes) -> Any:
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise invalid(f"Invalid input JSON on line {error.lineno}, column {error.colno}: {error.msg}") from None
    check_structure(body)
    return body


Handler = Callable[[Call], Answer]
ScopeRule = Callable[[Call], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the route table. A token must have one of the ``scopes``; with ``None`` no token is needed."""

    method: str
    family: str
    template: str
    run: Handler
    scopes: ScopeRule | None
    limiter: str = BURST

    def routes(self, portal: HubSpotPortal) -> list[Route]:
        view = self._view(portal)
        return [Route(root + self.template, view, methods=[self.method]) for root in FAMILIES[self.family]]

    def _view(self, portal: HubSpotPortal) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        async def view(request: Request) -> Response:
            return answer(portal, self, request, await request.body())

        return view


def answer(portal: HubSpotPortal, endpoint: Endpoint, request: Request, payload: bytes) -> Response:
    call = _call(portal, request, payload)
    headers = {"X-HubSpot-Correlation-Id": call.request_id}
    accepted = request.headers.get("accept-encoding", "")
    try:
        _admit(portal, endpoint, call, request.headers.get("authorization", ""))
        with portal.database.transaction():
            status, body, *more = endpoint.run(call)
        portal.count_writes(call.writes)
        shown = {**headers, **_limits(portal, endpoint, call), **(more[0] if more else {})}
        response = _response(status, body, shown, accepted)
    except Refusal as refusal:
        status = refusal.status
        response = _refused(refusal, call.request_id, headers | _limits(portal, endpoint, call))
    portal.log_request(request.method, request.url.path, status)
    return response


def _limits(portal: HubSpotPortal, endpoint: Endpoint, call: Call) -> dict[str, str]:
    is_oauth = bool(call.token and call.token.is_oauth)
    return portal.limits.headers(endpoint.limiter, call.now_ms, is_oauth=is_oauth)


def _call(portal: HubSpotPortal, request: Request, payload: bytes) -> Call:
    query: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        query.setdefault(name, []).append(value)
    now_ms = to_ms(portal.clock.now())
    path = request.path_params
    version = path.get("version") or request.url.path.strip("/").split("/")[1]
    base = str(request.base_url).rstrip("/")
    content_type = request.headers.get("content-type", "")
    return Call(
        portal,
        path,
        query,
        payload,
        now_ms,
        correlation_id(now_ms),
        base,
        request.url.path,
        len(request.url.path) + len(request.url.query),
        content_type,
        version=version,
    )


def _admit(portal: HubSpotPortal, endpoint: Endpoint, call: Call, authorization: str) -> None:
    if endpoint.scopes is None:
        return
    call.token = token = portal.tokens.check(authorization, call.now_ms)
    portal.limits.count(endpoint.limiter, call.now_ms)
    if call.url_length > MAX_URL:
        raise Refusal(414, f"The URI is too long: {call.url_length} characters")
    wanted = endpoint.scopes(call)
    if wanted and not token.scopes.intersection(wanted):
        raise missing_scopes(list(wanted))


def _response(status: int, body: Any, headers: dict[str, str], accepted: str = "") -> Response:
    if body is None:
        return Response(None, status, headers)
    content, headers = orjson.dumps(body), {**headers, "Vary": "origin, Accept-Encoding"}
    if "gzip" in accepted and len(content) >= GZIP_FROM:
        content, headers = gzip.compress(content, 1), headers | {"Content-Encoding": "gzip"}
    return Response(content, status, headers, media_type="application/json;charset=utf-8")


_PAGE = b"""<html>
<head>
<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>
<title>Error 404 Not Found</title>
</head>
<body><h2>HTTP ERROR 404</h2>
<p>Resource not found</p>
</body>
</html>
"""


def _refused(refusal: Refusal, request_id: str, headers: dict[str, str]) -> Response:
    if isinstance(refusal, HtmlNotFound):
        kind = {"X-HubSpot-NotFound": "true", "Content-Type": "text/html;charset=iso-8859-1"}
        return Response(_PAGE, 404, {**headers, **kind, "Cache-Control": "must-revalidate,no-cache,no-store"})
    return _response(refusal.status, {**refusal.body, "correlationId": request_id}, headers)


def correlation_id(now_ms: int) -> str:
    """A UUID version 7, as HubSpot's have been since 2025."""
    noise = int.from_bytes(token_bytes(10), "big")
    time, random = now_ms & (1 << 48) - 1, noise & (1 << 62) - 1
    return str(UUID(int=time << 80 | 0x7 << 76 | (noise >> 64 & 0xFFF) << 64 | 0b10 << 62 | random))


def unknown_path(portal: HubSpotPortal) -> list[Route]:
    """Anything else below HubSpot's roots: a JSON 404, as for a path that no API has."""

    async def view(request: Request) -> Response:
        now_ms = to_ms(portal.clock.now())
        message = f"Resource not found: {request.url.path}"
        portal.log_request(request.method, request.url.path, 404)
        request_id = correlation_id(now_ms)
        headers = {"X-HubSpot-Correlation-Id": request_id}
        return _refused(Refusal(404, message, "OBJECT_NOT_FOUND"), request_id, headers)

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return [Route(f"/{root}/{{rest:path}}", view, methods=methods) for root in _ROOTS]


_ROOTS = (
    "crm", "crm-object-schemas", "oauth", "account-info", "settings", "marketing", "automation", "cms", "files",
    "webhooks", "communication-preferences", "conversations", "events", "business-units", "integrations",
)  # fmt: skip
