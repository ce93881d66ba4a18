"""Tokens: static ones of any prefix, OAuth ones renewed by the clock, once by a 401, and by one caller at a time."""

from __future__ import annotations

import pytest

from crmsync.connectors.hubspot.auth import OAuthToken, StaticToken, token_source
from crmsync.connectors.hubspot.connector import HubSpotConnector
from crmsync.errors import AuthError
from tests.connectors.scripted import FakeTime, Say, scripted_server, settings

OAUTH = {"client_id": "id", "client_secret": "secret", "refresh_token": "refresh"}
RENEWED = Say(body={"access_token": "fresh", "refresh_token": "refresh", "expires_in": 1800})
COUNT = Say(body={"total": 7, "results": []})


class Renewals:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, refresh_token: str):
        self.asked.append(refresh_token)
        number = len(self.asked)
        return {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}", "expires_in": 1800}


@pytest.fixture
def renewals():
    return Renewals()


@pytest.fixture
def oauth(renewals):
    time = FakeTime()
    token = OAuthToken(renewals, "refresh-0", clock=time.clock)
    token.time = time
    return token


def test_an_access_token_is_kept_until_shortly_before_its_end(oauth, renewals):
    oauth.sign_in(False)
    oauth.time.sleep(1600)
    assert oauth.sign_in(False) == {"Authorization": "Bearer access-1"}
    oauth.time.sleep(100)
    assert oauth.sign_in(False) == {"Authorization": "Bearer access-2"}


def test_a_rotated_refresh_token_is_used_next(oauth, renewals):
    oauth.sign_in(False)
    oauth.sign_in(True)
    assert renewals.asked == ["refresh-0", "refresh-1"]


@pytest.mark.parametrize("token", ["pat-na1-1", "CI1-service-key", "anything"])
def test_a_static_token_may_have_any_form(token):
    source = token_source(settings("https://x", "hubspot", secrets={"token": token}), lambda *_: {})
    assert isinstance(source, StaticToken)
    assert source.sign_in(False) == {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("auth", "secrets", "message"),
    [
        ({}, {}, "has no token"),
        ({}, {"token": "two words"}, "has an unusable token"),
        ({"flow": "oauth"}, {"client_id": "x", "client_secret": "y"}, "has no refresh_token"),
        ({"flow": "saml"}, {"token": "x"}, "sign-in flow 'saml'"),
    ],
)
def test_a_missing_secret_is_named_and_never_shown(auth, secrets, message):
    with pytest.raises(AuthError, match=message) as caught:
        token_source(settings("https://x", "hubspot", auth=auth, secrets=secrets), lambda *_: {})
    assert "two words" not in str(caught.value)


@pytest.fixture
def server():
    with scripted_server() as scripted:
        yield scripted


@pytest.fixture
def connect(server):
    opened = []

    def _connect(**secrets: str) -> HubSpotConnector:
        opened.append(HubSpotConnector(settings(server.url, "hubspot", secrets=secrets)))
        return opened[-1]

    yield _connect
    for connector in opened:
        connector.close()


def test_oauth_signs_in_before_the_first_call_and_with_a_form(server, connect):
    server.says(RENEWED, COUNT)
    assert connect(**OAUTH).count("deals") == 7
    sign_in, call = server.heard
    assert sign_in.path == "/oauth/v1/token"
    assert b"grant_type=refresh_token&client_id=id" in sign_in.body
    assert "Authorization" not in sign_in.headers
    assert call.headers["Authorization"] == "Bearer fresh"


def test_a_401_brings_one_renewal_and_one_replay(server, connect):
    again = Say(body={"access_token": "fresher", "expires_in": 1800})
    server.says(RENEWED, Say(401, {"category": "INVALID_AUTHENTICATION"}), again, COUNT)
    assert connect(**OAUTH).count("deals") == 7
    assert server.heard[-1].headers["Authorization"] == "Bearer fresher"


def test_a_refused_static_token_is_final(server, connect):
    server.says(Say(401, {"category": "INVALID_AUTHENTICATION", "message": "Authentication credentials not found"}))
    with pytest.raises(AuthError) as caught:
        connect(token="wrong-canary").count("deals")
    assert len(server.heard) == 1
    assert caught.value.exit_code == 4
    assert "wrong-canary" not in f"{caught.value} {caught.value.hint}"


def test_a_refused_refresh_token_is_an_auth_error(server, connect):
    server.says(Say(400, {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}))
    with pytest.raises(AuthError, match="refused the sign-in"):
        connect(**OAUTH).count("deals")
