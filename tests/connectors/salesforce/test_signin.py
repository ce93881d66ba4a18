from __future__ import annotations

from pathlib import Path

import pytest
import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from crmsync.connectors import open_connector
from crmsync.connectors.salesforce.connector import SalesforceConnector
from crmsync.errors import AuthError, UsageError
from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import SALESFORCE_CLIENT_ID, SALESFORCE_USERNAME
from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.connectors.salesforce.conftest import Connect
from tests.connectors.scripted import settings


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*form).decode()


def public_pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(*form).decode()


JWT = {"flow": "jwt", "client_id": SALESFORCE_CLIENT_ID, "username": SALESFORCE_USERNAME}


def test_client_credentials(connect: Connect) -> None:
    assert connect().describe("Account") is not None


def test_jwt_with_the_key_as_text(connect: Connect, org: SalesforceOrg, key: rsa.RSAPrivateKey) -> None:
    org.register_jwt_key(public_pem(key))
    assert connect(auth=JWT, secrets={"private_key": private_pem(key)}).count("User") > 0


def test_jwt_with_the_key_in_a_file(
    connect: Connect, org: SalesforceOrg, key: rsa.RSAPrivateKey, tmp_path: Path
) -> None:
    org.register_jwt_key(public_pem(key))
    path = tmp_path / "server.key"
    path.write_text(private_pem(key))
    assert connect(auth=JWT, secrets={"private_key": str(path)}).count("User") > 0


def test_a_key_that_the_org_does_not_know_is_refused(connect: Connect, key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(AuthError, match=r"invalid_grant|invalid assertion"):
        connect(auth=JWT, secrets={"private_key": private_pem(key)}).count("User")


@pytest.mark.parametrize(
    ("client_id", "secret", "hint"),
    [(SALESFORCE_CLIENT_ID, "wrong", "client_secret"), ("nobody", "sandbox-secret", "client_id")],
)
def test_wrong_credentials_say_what_to_check(connect: Connect, client_id: str, secret: str, hint: str) -> None:
    connector = connect(auth={"client_id": client_id}, secrets={"client_secret": secret})
    with pytest.raises(AuthError) as caught:
        connector.describe("Account")
    assert caught.value.exit_code == 4
    assert hint in caught.value.hint
    assert "wrong" not in caught.value.message


def test_a_session_that_ends_in_the_middle_is_renewed_once(connect: Connect, org: SalesforceOrg) -> None:
    connector = connect()
    connector.count("Account")
    org.sessions.end_all()
    connector.count("Account")
    logins = [path for _, path, _ in org.requests if path.endswith("/token")]
    assert len(logins) == 2


def test_many_requests_need_one_login(connect: Connect, org: SalesforceOrg) -> None:
    connector = connect()
    for name in ("Account", "Contact", "Opportunity"):
        connector.count(name)
    assert len([path for _, path, _ in org.requests if path.endswith("/token")]) == 1


def test_the_room_opens_by_system_name(box: Sandbox) -> None:
    connector = open_connector(settings(box.url))
    assert (connector.system, connector.batch_size) == ("salesforce", 200)
    connector.close()
    with pytest.raises(UsageError, match="salesforce, hubspot"):
        open_connector(settings(box.url, system="dynamics"))


def token_reply(instance_url: str) -> dict[str, str]:
    return {"access_token": "00D!x", "instance_url": instance_url, "token_type": "Bearer"}


@responses.activate
def test_after_sign_in_requests_go_to_the_host_that_the_token_is_for(key: rsa.RSAPrivateKey) -> None:
    responses.post(
        "https://login.salesforce.com/services/oauth2/token", json=token_reply("https://acme.my.salesforce.com")
    )
    query = responses.get("https://acme.my.salesforce.com/services/data/v62.0/query", json={"totalSize": 0})
    connector = SalesforceConnector(
        settings("https://login.salesforce.com", auth=JWT, secrets={"private_key": private_pem(key)})
    )
    connector._client.request("GET", "query", params={"q": "SELECT COUNT() FROM Account"})
    assert query.call_count == 1
    assert connector.record_url("Account", "001x").startswith("https://acme.my.salesforce.com/")


@responses.activate
def test_a_token_reply_that_points_elsewhere_is_refused() -> None:
    responses.post("https://acme.my.salesforce.com/services/oauth2/token", json=token_reply("https://evil.example"))
    secrets = {"client_id": "c", "client_secret": "s"}
    connector = SalesforceConnector(settings("https://acme.my.salesforce.com", secrets=secrets))
    with pytest.raises(AuthError, match=r"'evil\.example'"):
        connector.describe("Account")


def test_the_address_of_the_browser_is_recognised() -> None:
    with pytest.raises(UsageError, match="Lightning") as caught:
        SalesforceConnector(settings("https://acme.lightning.force.com"))
    assert caught.value.hint == "write url: https://acme.my.salesforce.com"
