"""The ways to sign in, and how each is refused."""

from __future__ import annotations

import time

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simple_salesforce import Salesforce, SalesforceAuthenticationFailed

from crmsync.sandbox import Sandbox, credentials
from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import LoopbackSession, Send

CLIENT = {"client_id": credentials.SALESFORCE_CLIENT_ID, "client_secret": credentials.SALESFORCE_CLIENT_SECRET}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def private_pem(key: rsa.RSAPrivateKey, org: SalesforceOrg) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    org.register_jwt_key(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())
    private = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()).decode()


def token(box: Sandbox, session: requests.Session, **form: str) -> requests.Response:
    return session.post(f"{box.url}/services/oauth2/token", data=form)


def test_client_credentials_sign_in_the_integration_user(sf: Salesforce) -> None:
    [user] = sf.query("SELECT Username FROM User WHERE Name = 'Integration User'")["records"]
    assert user["Username"] == credentials.SALESFORCE_USERNAME
    assert sf.session_id.startswith("00D")
    assert "!" in sf.session_id


def test_client_credentials_may_come_in_a_basic_header(box: Sandbox, session: LoopbackSession) -> None:
    auth = (CLIENT["client_id"], CLIENT["client_secret"])
    answer = session.post(f"{box.url}/services/oauth2/token", data={"grant_type": "client_credentials"}, auth=auth)
    assert answer.status_code == 200
    assert answer.json()["instance_url"] == box.url
    assert answer.headers["Cache-Control"] == "no-cache, no-store"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials", **CLIENT, "client_secret": "wrong"}, "invalid_client"),
        ({"grant_type": "client_credentials", **CLIENT, "client_id": "nobody"}, "invalid_client_id"),
        ({"grant_type": "refresh_token", **CLIENT, "refresh_token": "old"}, "invalid_grant"),
        ({"grant_type": "password", **CLIENT, "username": "nobody@sandbox.example", "password": "x"}, "invalid_grant"),
        ({"grant_type": "magic", **CLIENT}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
    ],
)
def test_a_refusal_is_an_object_with_error_and_description(
    box: Sandbox, session: LoopbackSession, form: dict[str, str], error: str
) -> None:
    answer = token(box, session, **form)
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer.json()["error_description"]


def test_wrong_credentials_are_what_the_client_expects(session: LoopbackSession) -> None:
    with pytest.raises(SalesforceAuthenticationFailed):
        Salesforce(consumer_key="nobody", consumer_secret="wrong", domain="sandbox.my", session=session)


def test_a_refresh_token_gives_a_new_session(box: Sandbox, session: LoopbackSession) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": credentials.SALESFORCE_REFRESH_TOKEN}
    assert token(box, session, **CLIENT, **form).json()["access_token"]


def test_jwt_signs_in_the_subject(session: LoopbackSession, private_pem: str) -> None:
    sf = Salesforce(
        username=credentials.SALESFORCE_ADMIN_USERNAME, consumer_key=CLIENT["client_id"], privatekey=private_pem,
        domain="sandbox.my", session=session,
    )  # fmt: skip
    assert sf.query("SELECT Id FROM Account")["done"]


@pytest.mark.parametrize(
    ("claims", "description"),
    [
        ({"sub": "nobody@sandbox.example"}, "user hasn't approved this consumer"),
        ({"aud": "nowhere"}, "audience is invalid"),
        ({"exp": 1_000_000}, "expired authorization code"),
    ],
)
def test_a_bad_assertion_says_what_is_wrong(
    box: Sandbox, session: LoopbackSession, private_pem: str, claims: dict[str, object], description: str
) -> None:
    good = {
        "iss": CLIENT["client_id"], "sub": credentials.SALESFORCE_USERNAME, "aud": "https://test.salesforce.com",
        "exp": int(time.time()) + 180,
    }  # fmt: skip
    assertion = jwt.encode({**good, **claims}, private_pem, algorithm="RS256")
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    answer = token(box, session, grant_type=grant, assertion=assertion)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert answer.json()["error_description"] == description


def test_an_assertion_of_an_unknown_key_is_refused(box: Sandbox, session: LoopbackSession) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = {"iss": CLIENT["client_id"], "sub": credentials.SALESFORCE_USERNAME, "aud": "https://x", "exp": 9e9}
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    answer = token(box, session, grant_type=grant, assertion=jwt.encode(claims, other, algorithm="RS256"))
    assert answer.json() == {"error": "invalid_grant", "error_description": "invalid assertion"}


def test_soap_login_serves_old_clients(session: LoopbackSession) -> None:
    sf = Salesforce(
        username=credentials.SALESFORCE_USERNAME,
        password=credentials.SALESFORCE_PASSWORD,
        security_token="",
        session=session,
    )
    assert sf.query("SELECT COUNT() FROM User")["totalSize"] > 0


def test_soap_login_faults_on_a_wrong_password(session: LoopbackSession) -> None:
    with pytest.raises(SalesforceAuthenticationFailed, match="INVALID_LOGIN"):
        Salesforce(username="nobody", password="x", security_token="", session=session)


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic abc"])
def test_a_call_without_a_session_is_401(box: Sandbox, session: LoopbackSession, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    answer = session.get(f"{box.url}/services/data/v60.0/limits", headers=headers)
    assert answer.status_code == 401
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_sessions_end_after_two_idle_hours(box: Sandbox, send: Send) -> None:
    assert send("GET", "/limits").status_code == 200
    box.clock.advance(119 * 60)
    assert send("GET", "/limits").status_code == 200
    box.clock.advance(121 * 60)
    assert send("GET", "/limits").status_code == 401
    box.clock.reset()


def test_the_client_signs_in_again_when_its_session_ends(sf: Salesforce, org: SalesforceOrg) -> None:
    org.sessions.end_all()
    assert sf.query("SELECT Id FROM Account")["done"]


def test_userinfo_names_the_user_and_the_org(send: Send, org: SalesforceOrg) -> None:
    info = send("GET", "/services/oauth2/userinfo").json()
    assert info["organization_id"] == org.id
    assert info["preferred_username"] == credentials.SALESFORCE_USERNAME
