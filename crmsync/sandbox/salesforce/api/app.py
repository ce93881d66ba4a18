"""From HTTP to :class:`Call` and back: sessions, versions, bodies, the headers that every answer carries."""

from __future__ import annotations

import gzip
import logging
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crmsync.sandbox.salesforce.api import (
    auth,
    bulk,
    bulk_query,
    collections,
    composite,
    describe,
    metadata,
    query,
    replication,
    resources,
    soap,
    sobjects,
    tooling,
)
from crmsync.sandbox.salesforce.api.calls import Answer, Call, Dispatcher, actor_for, parse_query, read_json
from crmsync.sandbox.salesforce.errors import SalesforceError

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg

MAX_URI, MAX_URI_AND_HEADERS = 16_384, 16_384
GZIP_FROM = 1024
_JSON = "application/json;charset=UTF-8"
_LOG = logging.getLogger(__name__)
_ALL = ["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD"]


class _Anything(PathConvertor):
    """As ``path``, line breaks included: an external id may hold them."""

    regex = r"[\s\S]*"


register_url_convertor("anything", _Anything())


@dataclass(slots=True)
class Refusal(Exception):
    """Ends a request before there is a call."""

    answer: Answer


def _unknown() -> Answer:
    """How Salesforce answers when it fails itself."""
    error_id = f"{uuid4().int % 10**9}-{uuid4().int % 10**6}"
    message = f"An unexpected error occurred. Please include this ErrorId if you contact support: {error_id}"
    return Answer(500, SalesforceError("UNKNOWN_EXCEPTION", message, status=500).body())


class Front:
    def __init__(self, org: SalesforceOrg) -> None:
        self.org = org
        self.sessions = auth.Sessions(org)
        self.dispatcher = Dispatcher(
            [collections.OPERATIONS, composite.OPERATIONS, query.OPERATIONS, replication.OPERATIONS, bulk.OPERATIONS,
             bulk_query.OPERATIONS, tooling.OPERATIONS,
             metadata.OPERATIONS, resources.OPERATIONS, describe.OPERATIONS, sobjects.OPERATIONS]
        )  # fmt: skip

    def routes(self) -> list[BaseRoute]:
        """Token endpoint, version list and login need no session; everything below a version does."""
        return [
            *auth.routes(self.sessions, self.org),
            *soap.routes(self.sessions, self.org),
            Route("/services/data", self.versions, methods=["GET"]),
            Route("/services/data/", self.versions, methods=["GET"]),
            Route("/services/data/{rest:anything}", self.data, methods=_ALL),
        ]

    async def versions(self, request: Request) -> Response:
        self._log(request, 200)
        return Response(orjson.dumps(resources.VERSIONS), 200, media_type=_JSON)

    async def data(self, request: Request) -> Response:
        raw = await request.body()
        try:
            answer = self._answer(request, raw)
        except Refusal as refusal:
            answer = refusal.answer
        except Exception:  # noqa: BLE001 - whatever it was, the client must not see it
            _LOG.exception("the sandbox failed at %s %s", request.method, request.url.path)
            answer = _unknown()
        self._log(request, answer.status)
        return self._response(request, answer)

    def _answer(self, request: Request, raw: bytes) -> Answer:
        self._check_size(request)
        user_id = self.sessions.user_of(request)
        if user_id is None:
            return Answer(401, SalesforceError("INVALID_SESSION_ID", "Session expired or invalid").body())
        if self.org.api_calls >= self.org.api_limit:
            return Answer(403, SalesforceError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.").body())
        self.org.api_calls += 1
        self.org.bulk.tick()
        try:
            call = self._call(request, raw, user_id)
        except SalesforceError as error:
            return Answer(error.status, error.body())
        return self.dispatcher.answer(call)

    def _call(self, request: Request, raw: bytes, user_id: str) -> Call:
        version, path = self._split(request)
        request_id = uuid4().hex
        params = parse_query(request.url.query)
        body = self._body(request, raw)
        is_json = "json" in request.headers.get("content-type", "json")
        return Call(
            org=self.org,
            method=params.pop("_HttpMethod", request.method).upper().replace("HEAD", "GET"),
            path=path,
            version=version,
            query=params,
            headers=request.headers,
            actor=actor_for(self.org.access(user_id), request_id, f"/services/data/v{version:.1f}", request.headers),
            payload=read_json(body) if is_json else None,
            raw=body,
            request_id=request_id,
        )

    @staticmethod
    def _split(request: Request) -> tuple[float, str]:
        raw_path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
        version, slash, rest = raw_path.removeprefix("/services/data/").partition("/")
        number = resources.version_number(version)
        if number is None:
            raise SalesforceError("NOT_FOUND", "The requested resource does not exist", status=404)
        if number < resources.OLDEST:
            raise SalesforceError(
                "UNSUPPORTED_API_VERSION", f"Invalid or unsupported API version: {version}", status=410
            )
        return number, slash + rest or "/"

    @staticmethod
    def _body(request: Request, raw: bytes) -> bytes:
        if request.headers.get("content-encoding", "").lower() != "gzip":
            return raw
        try:
            return gzip.decompress(raw)
        except (OSError, EOFError, zlib.error):
            raise SalesforceError("INVALID_CONTENT", "The body is not gzip, as Content-Encoding says") from None

    @staticmethod
    def _check_size(request: Request) -> None:
        target = request.scope["raw_path"].split(b"?")[0] + b"?" + request.scope["query_string"]
        if len(target) > MAX_URI:
            raise Refusal(Answer(414, "URI Too Long", {"content-type": "text/html"}))
        headers = sum(len(name) + len(value) + 4 for name, value in request.headers.raw)
        if len(target) + headers > MAX_URI_AND_HEADERS:
            raise Refusal(Answer(431, "Request Header Fields Too Large", {"content-type": "text/html"}))

    def _response(self, request: Request, answer: Answer) -> Response:
        headers = {
            "Sforce-Limit-Info": f"api-usage={self.org.api_calls}/{self.org.api_limit}",
            "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private",
            "Vary": "Accept-Encoding",
            **answer.headers,
        }
        if answer.body is None:
            return Response(None, answer.status, headers)
        if isinstance(answer.body, str):
            return Response(answer.body, answer.status, headers)
        content = answer.body if isinstance(answer.body, bytes) else orjson.dumps(answer.body)
        if len(content) >= GZIP_FROM and "gzip" in request.headers.get("accept-encoding", ""):
            content = gzip.compress(content, 1)
            headers["Content-Encoding"] = "gzip"
        return Response(content, answer.status, headers, media_type=headers.pop("Content-Type", _JSON))

    def _log(self, request: Request, status: int) -> None:
        self.org.log_request(request.method, request.url.path, status)
