"""Sign-in: client credentials, JWT bearer, refresh token, username and password; sessions with an idle timeout."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import jwt
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crmsync.sandbox import credentials

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.org import SalesforceOrg

IDLE = timedelta(minutes=120)
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_NO_STORE = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache", "X-ReadonlyMode": "false"}


class OAuthError(Exception):
    """Answered as an object, not as an array like every other error of this API."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


@dataclass(slots=True)
class Session:
    user_id: str
    last_used: datetime


class Sessions:
    """Access tokens and whom they stand for. Idle ones expire; each call starts the time again."""

    def __init__(self, org: SalesforceOrg) -> None:
        self.org = org
        self._open: dict[str, Session] = {}

    def start(self, user_id: str) -> str:
        token = f"{self.org.id[:15]}!AQ{secrets.token_urlsafe(60)}"
        self._open[token] = Session(user_id, self.org.clock.now())
        return token

    def user_of(self, request: Request) -> str | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return self.user_of_token(token) if scheme.lower() in ("bearer", "oauth") else None

    def user_of_token(self, token: str) -> str | None:
        session = self._open.get(token)
        if session is None:
            return None
        now = self.org.clock.now()
        if now - session.last_used > IDLE:
            del self._open[token]
            return None
        session.last_used = now
        return session.user_id

    def holder(self, token: str) -> str | None:
        """Whom a token stands for; to ask does not count as a use of it."""
        session = self._open.get(token)
        return session.user_id if session else None

    def end(self, token: str) -> None:
        self._open.pop(token, None)

    def end_all(self) -> None:
        """Every token is worthless from now on (what an admin does by revoking; what a test needs)."""
        self._open.clear()


def routes(sessions: Sessions, org: SalesforceOrg) -> list[BaseRoute]:
    endpoint = TokenEndpoint(sessions, org)
    return [
        Route("/services/oauth2/token", endpoint.token, methods=["POST"]),
        Route("/services/oauth2/revoke", endpoint.revoke, methods=["POST", "GET"]),
        Route("/services/oauth2/userinfo", endpoint.userinfo, methods=["GET", "POST"]),
        Route("/services/oauth2/introspect", endpoint.introspect, methods=["POST"]),
        Route("/id/{org_id}/{user_id}", endpoint.userinfo, methods=["GET"]),
    ]


class TokenEndpoint:
    def __init__(self, sessions: Sessions, org: SalesforceOrg) -> None:
        self.sessions, self.org = sessions, org

    async def token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        form = {**dict(request.query_params), **form}
        try:
            with self.org.store.lock:
                body = self._grant(request, form)
        except OAuthError as error:
            return self._json(request, {"error": error.error, "error_description": error.description}, error.status)
        return self._json(request, body)

    def _json(self, request: Request, body: Any, status: int = 200) -> Response:
        self.org.log_request(request.method, request.url.path, status)
        return Response(orjson.dumps(body), status, _NO_STORE, "application/json;charset=UTF-8")

    def _grant(self, request: Request, form: Mapping[str, str]) -> dict[str, Any]:
        grant = form.get("grant_type", "")
        if grant == _JWT_GRANT:
            user_id = self._jwt_user(form.get("assertion", ""))
        elif grant in ("client_credentials", "refresh_token", "password"):
            self._check_client(request, form)
            user_id = self._user(grant, form)
        else:
            raise OAuthError("unsupported_grant_type", "grant type not supported")
        return self._reply(request, user_id, opaque=grant == "client_credentials")

    def _check_client(self, request: Request, form: Mapping[str, str]) -> None:
        client_id, secret = _basic(request) or (form.get("client_id", ""), form.get("client_secret", ""))
        if client_id != credentials.SALESFORCE_CLIENT_ID:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(secret.encode(), credentials.SALESFORCE_CLIENT_SECRET.encode()):
            raise OAuthError("invalid_client", "invalid client credentials")

    def _user(self, grant: str, form: Mapping[str, str]) -> str:
        username = credentials.SALESFORCE_USERNAME
        if grant == "refresh_token" and form.get("refresh_token") != credentials.SALESFORCE_REFRESH_TOKEN:
            raise OAuthError("invalid_grant", "expired access/refresh token")
        if grant == "password":
            username = form.get("username", "")
            if not form.get("password", "").startswith(credentials.SALESFORCE_PASSWORD):
                raise OAuthError("invalid_grant", "authentication failure")
        return self._active_user(username)

    def _active_user(self, username: str) -> str:
        user_id = self.org.user_id(username)
        if user_id is None:
            raise OAuthError("invalid_grant", "authentication failure")
        return user_id

    def _jwt_user(self, assertion: str) -> str:
        try:
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            raise OAuthError("invalid_grant", "invalid assertion") from None
        if claims.get("iss") != credentials.SALESFORCE_CLIENT_ID:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if not any(_is_signed_by(assertion, key) for key in self.org.jwt_keys):
            raise OAuthError("invalid_grant", "invalid assertion")
        if not str(claims.get("aud", "")).startswith("http"):
            raise OAuthError("invalid_grant", "audience is invalid")
        if float(claims.get("exp", 0)) < min(self.org.clock.now(), datetime.now(UTC)).timestamp():
            raise OAuthError("invalid_grant", "expired authorization code")
        user_id = self.org.user_id(str(claims.get("sub", "")))
        if user_id is None:
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")
        return user_id

    def _reply(self, request: Request, user_id: str, *, opaque: bool) -> dict[str, Any]:
        base = f"{request.url.scheme}://{request.url.netloc}"
        reply = {
            "access_token": self.sessions.start(user_id),
            "signature": base64.b64encode(secrets.token_bytes(32)).decode(),
            "instance_url": base,
            "id": f"{base}/id/{self.org.id}/{user_id}",
            "token_type": "Bearer",
            "issued_at": str(int(self.org.clock.now().timestamp() * 1000)),
        }
        return reply | {"token_format": "opaque"} if opaque else reply

    async def revoke(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        self.sessions.end(form.get("token") or request.query_params.get("token", ""))
        return Response(None, 200)

    async def introspect(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        return self._json(request, {"active": self.sessions.user_of_token(form.get("token", "")) is not None})

    async def userinfo(self, request: Request) -> Response:
        user_id = self.sessions.user_of(request)
        if user_id is None:
            self.org.log_request(request.method, request.url.path, 403)
            return Response("Bad_OAuth_Token", 403, media_type="text/html")
        user = self.org.row("User", user_id) or {}
        base = f"{request.url.scheme}://{request.url.netloc}"
        return self._json(
            request,
            {
                "sub": f"{base}/id/{self.org.id}/{user_id}",
                "user_id": user_id,
                "organization_id": self.org.id,
                "active": True,
                "preferred_username": user.get("Username"),
                "nickname": user.get("CommunityNickname"),
                "name": user.get("Name"),
                "email": user.get("Email"),
                "given_name": user.get("FirstName"),
                "family_name": user.get("LastName"),
                "zoneinfo": user.get("TimeZoneSidKey"),
                "locale": user.get("LocaleSidKey"),
                "user_type": "STANDARD",
                "username": user.get("Username"),
                "display_name": user.get("Name"),
                "urls": {
                    "rest": f"{base}/services/data/v{{version}}/",
                    "sobjects": f"{base}/services/data/v{{version}}/sobjects/",
                },
            },
        )


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise OAuthError("invalid_client", "invalid client credentials") from None
    return client_id, secret


def _is_signed_by(assertion: str, public_pem: str) -> bool:
    options: Any = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
    try:
        jwt.decode(assertion, public_pem, algorithms=["RS256"], options=options)
    except jwt.InvalidTokenError:
        return False
    return True
