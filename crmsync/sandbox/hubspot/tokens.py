"""Who may sign in, and what a token may do: private-app (or service-key) tokens, and OAuth tokens of 30 minutes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from secrets import token_urlsafe

from crmsync.sandbox.credentials import (
    HUBSPOT_CLIENT_ID,
    HUBSPOT_CLIENT_SECRET,
    HUBSPOT_REFRESH_TOKEN,
    HUBSPOT_TOKEN,
)
from crmsync.sandbox.hubspot.problems import Refusal, unauthenticated

LIFETIME_S = 1_800
_READ_WRITE = ("contacts", "companies", "deals", "custom", "line_items", "products")
ALL_SCOPES = frozenset(
    {f"crm.objects.{family}.{way}" for family in _READ_WRITE for way in ("read", "write")}
    | {f"crm.schemas.{family}.{way}" for family in _READ_WRITE for way in ("read", "write")}
    | {"crm.objects.owners.read", "tickets", "oauth", "e-commerce", "crm.import", "crm.export"}
)


@dataclass(slots=True)
class Token:
    value: str
    scopes: frozenset[str]
    is_oauth: bool = False
    expires_ms: int | None = None
    refresh_token: str = ""


class Tokens:
    def __init__(self) -> None:
        self._by_value = {HUBSPOT_TOKEN: Token(HUBSPOT_TOKEN, ALL_SCOPES)}
        self._refresh: dict[str, frozenset[str]] = {HUBSPOT_REFRESH_TOKEN: ALL_SCOPES}

    def issue(self, scopes: Collection[str] = ALL_SCOPES) -> str:
        """A private-app token that may do only this."""
        value = f"pat-na1-{token_urlsafe(18)}"
        self._by_value[value] = Token(value, frozenset(scopes))
        return value

    def issue_refresh_token(self, scopes: Collection[str] = ALL_SCOPES) -> str:
        value = f"na1-{token_urlsafe(18)}"
        self._refresh[value] = frozenset(scopes)
        return value

    def revoke(self, value: str) -> None:
        self._by_value.pop(value, None)
        self._refresh.pop(value, None)

    def put_back(self, token: Token) -> None:
        """Trust a revoked token again."""
        self._by_value[token.value] = token

    def refresh(self, client_id: str, client_secret: str, refresh_token: str, now_ms: int) -> Token:
        if (client_id, client_secret) != (HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET):
            raise _oauth_refusal("BAD_CLIENT_ID", "invalid_client", "missing or invalid client id")
        scopes = self._refresh.get(refresh_token)
        if scopes is None:
            raise _oauth_refusal("BAD_REFRESH_TOKEN", "invalid_grant", "missing or invalid refresh token")
        value = f"CN{token_urlsafe(48)}"
        token = Token(value, scopes, True, now_ms + LIFETIME_S * 1_000, refresh_token)
        self._by_value[value] = token
        return token

    def check(self, header: str, now_ms: int) -> Token:
        scheme, _, value = header.partition(" ")
        token = self._by_value.get(value.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise unauthenticated(
                "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find "
                "more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
            )
        if token.expires_ms is not None and token.expires_ms <= now_ms:
            age = (now_ms - token.expires_ms) // 1_000
            raise unauthenticated(f"The OAuth token used to make this call expired {age} second(s) ago.")
        return token

    def find(self, value: str) -> Token | None:
        return self._by_value.get(value)

    def find_refresh(self, value: str) -> frozenset[str] | None:
        return self._refresh.get(value)


def _oauth_refusal(status: str, error: str, message: str) -> Refusal:
    refusal = Refusal(400, message)
    refusal.body = {"status": status, "message": message, "error": error, "error_description": message}
    return refusal
