"""Sign-in: a bearer string with scopes: a service key, a private app's token, or an OAuth token kept fresh.

A static token may have any prefix: private apps are on the way out and service keys look different.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from crmsync.connectors.base import ConnectionSettings
from crmsync.errors import AuthError

REFRESH_MARGIN_S = 120.0
"""Renewed this long before the end: HubSpot says to go by ``expires_in``, not by a 401 ("Usage guidelines")."""

_HOW_TO_GET_ONE = (
    "create a service key in HubSpot (Settings > Integrations > Service keys) "
    "and put it where the connection's auth in crmsync.yaml looks for it"
)


class TokenSource(Protocol):
    flow: str

    @property
    def token(self) -> str: ...

    @property
    def is_stale(self) -> bool: ...

    def sign_in(self, force: bool) -> Mapping[str, str]:
        """The headers of a signed request; ``force`` asks for a fresh token where there can be one."""
        ...


class StaticToken:
    flow = "token"
    is_stale = False

    def __init__(self, token: str, connection: str) -> None:
        self.token = token
        self._connection = connection

    def sign_in(self, force: bool) -> Mapping[str, str]:
        """:raises AuthError: when a fresh token is wanted: there is none, so the refusal is final."""
        if force:
            raise AuthError(
                f"HubSpot refused the token of connection '{self._connection}'",
                system="hubspot",
                hint=f"it was revoked, or belongs elsewhere; {_HOW_TO_GET_ONE}",
            )
        return _bearer(self.token)


class OAuthToken:
    """An access token kept fresh. ``refresh`` takes the refresh token and returns HubSpot's token answer."""

    flow = "oauth"

    def __init__(
        self,
        refresh: Callable[[str], Mapping[str, Any]],
        refresh_token: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._refresh = refresh
        self._refresh_token = refresh_token
        self._clock = clock
        self._lock = threading.Lock()
        self._access_token = ""
        self._ends_at = float("-inf")

    @property
    def token(self) -> str:
        return self._access_token

    @property
    def is_stale(self) -> bool:
        return self._clock() >= self._ends_at - REFRESH_MARGIN_S

    def sign_in(self, force: bool) -> Mapping[str, str]:
        before = self._access_token
        with self._lock:
            if self.is_stale or (force and self._access_token == before):
                self._renew()
            return _bearer(self._access_token)

    def _renew(self) -> None:
        asked_at = self._clock()
        answer = self._refresh(self._refresh_token)
        if not isinstance(answer, Mapping) or not answer.get("access_token"):
            raise AuthError("HubSpot's token answer holds no access token", system="hubspot", hint=_HOW_TO_GET_ONE)
        self._access_token = str(answer["access_token"])
        self._refresh_token = str(answer.get("refresh_token") or self._refresh_token)
        self._ends_at = asked_at + float(answer.get("expires_in") or 0)


def _bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


def token_source(settings: ConnectionSettings, refresh: Callable[[str, str, str], Mapping[str, Any]]) -> TokenSource:
    """The source that the connection asks for. ``refresh`` takes client id, client secret and refresh token.

    :raises AuthError: when a secret is missing.
    """
    given = {**settings.auth, **settings.secrets}
    flow = given.get("flow") or ("oauth" if given.get("refresh_token") else "token")
    if flow == "oauth":
        client_id, secret, refresh_token = (
            _required(given, name, settings) for name in ("client_id", "client_secret", "refresh_token")
        )
        return OAuthToken(lambda current: refresh(client_id, secret, current), refresh_token)
    if flow != "token":
        raise AuthError(
            f"connection '{settings.name}' asks for the sign-in flow '{flow}'",
            system="hubspot",
            hint="HubSpot connections know the flows 'token' and 'oauth'",
        )
    return StaticToken(_required(given, "token", settings), settings.name)


def _required(given: Mapping[str, str], name: str, settings: ConnectionSettings) -> str:
    value = (given.get(name) or "").strip()
    if not value or not value.isascii() or any(c.isspace() for c in value):
        state = "has no" if not value else "has an unusable"
        raise AuthError(f"connection '{settings.name}' {state} {name}", system="hubspot", hint=_HOW_TO_GET_ONE)
    return value
