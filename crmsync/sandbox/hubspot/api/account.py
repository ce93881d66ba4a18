"""Owners, the account itself, its API usage, and OAuth (developers.hubspot.com: Owners, Account information, OAuth)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import orjson

from crmsync.sandbox.credentials import HUBSPOT_CLIENT_ID
from crmsync.sandbox.hubspot.api.http import Answer, Call, Endpoint
from crmsync.sandbox.hubspot.api.paging import next_page
from crmsync.sandbox.hubspot.api.scopes import any_token, owners
from crmsync.sandbox.hubspot.limits import NONE
from crmsync.sandbox.hubspot.problems import Refusal, invalid, not_found
from crmsync.sandbox.hubspot.stamps import DAY_MS, wire
from crmsync.sandbox.hubspot.tokens import LIFETIME_S, Token

MAX_OWNERS = 500
APP, USER_ID, USER = 19083857, 5555888, "integration@sandbox.example"


def list_owners(call: Call) -> Answer:
    limit = call.whole("limit", 100, MAX_OWNERS)
    archived, email = call.flag("archived"), call.one("email")
    found = call.portal.owners.page(archived=archived, email=email, after=call.whole("after", 0), limit=limit + 1)
    body: dict[str, Any] = {"results": found[:limit]}
    return 200, {**body, **next_page(call, found[limit]["id"])} if len(found) > limit else body


def read_owner(call: Call) -> Answer:
    given = call.path["owner_id"]
    by_user = (call.one("idProperty") or "id").lower() == "userid"
    found = call.portal.owners.by_user(given) if by_user else call.portal.owners.find(given)
    if found is None or found["archived"] != call.flag("archived"):
        raise not_found(f"Owner {given} does not exist", context={"ownerId": [given]})
    return 200, found


def details(call: Call) -> Answer:
    """Recorded: post-auth account-info."""
    currencies = call.portal.catalog.of("0-3")["deal_currency_code"]["options"]
    return 200, {
        "portalId": call.portal.portal_id,
        "accountType": call.portal.account_type,
        "timeZone": "UTC",
        "companyCurrency": "USD",
        "additionalCurrencies": [one["value"] for one in currencies if one["value"] != "USD"],
        "utcOffset": "+00:00",
        "utcOffsetMilliseconds": 0,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "na1",
    }


def daily_usage(call: Call) -> Answer:
    midnight = (call.now_ms // DAY_MS + 1) * DAY_MS
    usage = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": call.portal.limits.daily,
        "currentUsage": call.portal.limits.used_today,
        "collectedAt": wire(call.now_ms),
        "fetchStatus": "SUCCESS",
        "resetsAt": wire(midnight),
    }
    return 200, {"results": [usage]}


def issue_token(call: Call) -> Answer:
    form = _form(call)
    grant = form.get("grant_type", "")
    if grant not in {"refresh_token", "authorization_code"}:
        raise _refused(f"unsupported grant type '{grant}'", "unsupported_grant_type")
    if grant == "authorization_code":
        raise _refused("missing or unknown auth code", "invalid_grant", "BAD_AUTH_CODE")
    client_id, secret, refresh = (form.get(name, "") for name in ("client_id", "client_secret", "refresh_token"))
    token = call.portal.tokens.refresh(client_id, secret, refresh, call.now_ms)
    body: dict[str, Any] = {"token_type": "bearer", "refresh_token": token.refresh_token, "access_token": token.value}
    body["expires_in"] = LIFETIME_S
    if call.version != "v1":
        body |= {"hub_id": call.portal.portal_id, "scopes": sorted(token.scopes)}
    return 200, body


def access_token(call: Call) -> Answer:
    found = call.portal.tokens.find(call.path["token"])
    if found is None or not found.is_oauth or _left(call, found) <= 0:
        raise not_found("access token is invalid or expired")
    return 200, {"token": found.value, "expires_in": _left(call, found), "token_type": "access", **_holder(call, found)}


def refresh_token(call: Call) -> Answer:
    value = call.path["token"]
    scopes = call.portal.tokens.find_refresh(value)
    if scopes is None:
        raise not_found("refresh token is invalid, expired or revoked")
    return 200, {
        "token": value,
        "token_type": "refresh",
        "client_id": HUBSPOT_CLIENT_ID,
        **_holder(call, Token(value, scopes)),
    }


def revoke_refresh_token(call: Call) -> Answer:
    call.portal.tokens.revoke(call.path["token"])
    return 204, None


def introspect(call: Call) -> Answer:
    found = call.portal.tokens.find(_form(call).get("token", ""))
    if found is None or (found.is_oauth and _left(call, found) <= 0):
        return 200, {"active": False}
    expires = {"expires_in": _left(call, found)} if found.is_oauth else {}
    shown = {"active": True, "token_use": "access_token", "is_private_distribution": not found.is_oauth, **expires}
    return 200, {**shown, **_holder(call, found), "client_id": HUBSPOT_CLIENT_ID}


def revoke(call: Call) -> Answer:
    call.portal.tokens.revoke(_form(call).get("token", ""))
    return 200, {}


def private_app_token(call: Call) -> Answer:
    """What a private-app token or service key may do; the token comes in the body."""
    found = call.portal.tokens.find(str(call.json().get("tokenKey", "")))
    if found is None:
        raise not_found("private app token is invalid or was rotated")
    return 200, {"userId": USER_ID, "hubId": call.portal.portal_id, "appId": APP, "scopes": sorted(found.scopes)}


def _holder(call: Call, token: Token) -> dict[str, Any]:
    shown = {
        "user": USER,
        "hub_domain": "sandbox.example",
        "scopes": sorted(token.scopes),
        "hub_id": call.portal.portal_id,
    }
    return {**shown, "app_id": APP, "user_id": USER_ID}


def _left(call: Call, token: Token) -> int:
    return ((token.expires_ms or 0) - call.now_ms) // 1_000


def _form(call: Call) -> dict[str, str]:
    try:
        if "json" in call.content_type:
            return {key: str(value) for key, value in orjson.loads(call.payload).items()}
        return dict(parse_qsl(call.payload.decode()))
    except (ValueError, AttributeError):
        raise invalid("The request body is not a form") from None


def _refused(message: str, error: str, status: str = "BAD_GRANT_TYPE") -> Refusal:
    refusal = Refusal(400, message)
    refusal.body = {"status": status, "message": message, "error": error, "error_description": message}
    return refusal


ENDPOINTS = (
    Endpoint("GET", "owners", "", list_owners, owners),
    Endpoint("GET", "owners", "/", list_owners, owners),
    Endpoint("GET", "owners", "/{owner_id}", read_owner, owners),
    Endpoint("GET", "account", "/details", details, any_token),
    Endpoint("GET", "account", "/api-usage/daily/private-apps", daily_usage, any_token),
    Endpoint("GET", "account", "/api-usage/daily", daily_usage, any_token),
    Endpoint("POST", "oauth", "/token", issue_token, None, NONE),
    Endpoint("POST", "oauth", "/token/introspect", introspect, None, NONE),
    Endpoint("POST", "oauth", "/token/revoke", revoke, None, NONE),
    Endpoint("POST", "oauth", "/introspect", introspect, None, NONE),
    Endpoint("POST", "oauth", "/revoke", revoke, None, NONE),
    Endpoint("GET", "oauth", "/access-tokens/{token}", access_token, None, NONE),
    Endpoint("GET", "oauth", "/refresh-tokens/{token}", refresh_token, None, NONE),
    Endpoint("DELETE", "oauth", "/refresh-tokens/{token}", revoke_refresh_token, None, NONE),
    Endpoint("POST", "private-apps", "/get/access-token-info", private_app_token, None, NONE),
)
