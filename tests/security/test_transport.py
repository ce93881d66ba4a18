"""Items 7–12 of docs/security.md: where requests may go, and how much may come back."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from crmsync.connectors import transport as transport_module
from crmsync.connectors.pacing import Pacer
from crmsync.connectors.patience import MOST_RETRIES
from crmsync.connectors.salesforce.connector import SalesforceConnector
from crmsync.connectors.transport import Transport
from crmsync.connectors.wire import NoAnswer, Wire, checked_base_url, new_session
from crmsync.errors import AuthError, ConfigError, Permanent, RateLimited, RemoteError, Unreachable, UsageError
from crmsync.project import load_project
from tests.connectors.scripted import FakeTime, Say, Scripted, scripted_server, settings
from tests.connectors.test_transport import DIALECT, Tokens
from tests.security.test_secrets_and_files import PROJECT

HOSTILE_HOSTS = (
    "https://evil.example",
    "https://evil.example#.salesforce.com",
    "https://evil.example?.salesforce.com",
    "https://evil.example\\.salesforce.com",
    "https://me@evil.example",
    "https://x.salesforce.com@evil.example",
    "https://salesforce.com.evil.example",
    "https://evilsalesforce.com",
    "https://169.254.169.254",
    "https://[::1]",
)


@pytest.fixture
def crm() -> Iterator[Scripted]:
    with scripted_server() as server:
        yield server


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def transport(crm: Scripted, time: FakeTime) -> Iterator[Transport]:
    made = Transport(DIALECT, settings(crm.url, "hubspot"), sign_in=Tokens(), clock=time.clock, sleep=time.sleep)
    yield made
    made.close()


# ---------------------------------------------------------------------- 7: TLS


def certificate(directory: Path, *, host: str = "localhost", days: int = 1) -> Path:
    """Key and self-signed certificate in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    text = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem)
    path = directory / f"{host}-{days}.pem"
    path.write_bytes(text)
    return path


@contextmanager
def tls_server(chain: Path, most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> Iterator[str]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: object) -> None:
            pass

    class Server(HTTPServer):
        def handle_error(self, *args: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    context.maximum_version = most
    server = Server(("127.0.0.1", 0), Answering)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fetch(url: str) -> int:
    wire = Wire(url, timeout_s=5)
    try:
        return wire.exchange("GET", f"{url}/", {}, None).status
    finally:
        wire.close()


def test_07_a_certificate_of_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    with tls_server(certificate(tmp_path)) as url, pytest.raises(NoAnswer) as caught:
        fetch(url)
    assert caught.value.code == "tls"


def test_07_an_authority_of_ones_own_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(chain))
    with tls_server(chain) as url:
        assert fetch(url) == 200


@pytest.mark.parametrize("wrong", [{"host": "other.example"}, {"days": -1}])
def test_07_a_wrong_host_and_an_expired_certificate_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, object]
) -> None:
    chain = certificate(tmp_path, **wrong)  # type: ignore[arg-type]
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(chain))
    with tls_server(chain) as url, pytest.raises(NoAnswer) as caught:
        fetch(url)
    assert caught.value.code == "tls"


def test_07_nothing_below_tls_1_2_and_nothing_unchecked() -> None:
    session = new_session("https://api.hubapi.com")
    pool = session.get_adapter("https://api.hubapi.com").poolmanager.connection_pool_kw  # type: ignore[attr-defined]
    context = pool["ssl_context"]
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert session.verify is not False


@pytest.mark.parametrize("key", ["verify: false", "insecure: true", "tls: {verify: false}"])
def test_07_no_setting_turns_the_check_off(tmp_path: Path, key: str) -> None:
    for name in ("m.yaml", "p.yaml"):
        (tmp_path / name).touch()
    text = PROJECT.replace("TOKEN", "{env: T}").replace("    mapping:", f"    {key}\n    mapping:")
    (tmp_path / "crmsync.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_project(tmp_path)
    assert caught.value.code == "E102"


# ---------------------------------------------------------------------- 8–11: hosts


@pytest.mark.parametrize("url", ["http://acme.my.salesforce.com", "http://10.0.0.7", "http://127.0.0.1.evil.example"])
def test_08_plain_http_is_for_this_machine_only(url: str) -> None:
    with pytest.raises(UsageError, match="unencrypted"):
        checked_base_url(url)
    assert checked_base_url("http://127.0.0.1:8790/") == "http://127.0.0.1:8790"


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/next",
        "//evil.example/next",
        "http://me@evil.example/next",
        "http://127.0.0.1.evil.example/next",
        "http://127.0.0.1:1/next",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_09_a_next_link_stays_on_its_host(crm: Scripted, transport: Transport, link: str) -> None:
    with pytest.raises(Permanent, match="another host"):
        transport.request("GET", link)
    assert crm.heard == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_09_a_redirect_is_not_followed(crm: Scripted, transport: Transport, status: int) -> None:
    with scripted_server() as other:
        crm.says(Say(status, headers={"Location": f"{other.url}/take-the-token"}))
        with pytest.raises(Permanent):
            transport.request("GET", "/crm/x")
        assert other.heard == []
    assert len(crm.heard) == 1


@pytest.mark.parametrize("instance", HOSTILE_HOSTS)
def test_10_a_token_that_belongs_elsewhere_is_not_sent_there(instance: str) -> None:
    given = settings("https://acme.my.salesforce.com", auth={"client_id": "x"}, secrets={"client_secret": "y"})
    connector = SalesforceConnector(given)
    host = instance.split("://", 1)[1]
    with pytest.raises(AuthError, match="no host of Salesforce"):
        connector._client._move_to(host)
    assert connector._client.transport.base_url == "https://acme.my.salesforce.com"
    connector.close()


def test_10_the_org_s_own_instance_is_followed() -> None:
    given = settings("https://login.salesforce.com", auth={"client_id": "x"}, secrets={"client_secret": "y"})
    connector = SalesforceConnector(given)
    connector._client._move_to("acme.my.salesforce.com")
    assert connector._client.transport.base_url == "https://acme.my.salesforce.com"
    connector.close()


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "http://[fe80::1]/", "http://192.168.0.1/", "file:///etc/passwd"]
)
def test_11_the_metadata_service_and_the_local_network_are_no_crm(url: str) -> None:
    with pytest.raises(UsageError):
        checked_base_url(url)


# ---------------------------------------------------------------------- 12: how much, how long, how often


def test_12_a_body_that_unpacks_to_more_than_the_limit_is_refused(crm: Scripted) -> None:
    bomb = gzip.compress(b"0" * 20_000_000)
    assert len(bomb) < 50_000
    crm.says(Say(200, bomb, {"Content-Encoding": "gzip"}))
    wire = Wire(crm.url, timeout_s=5, max_bytes=1_000_000)
    with pytest.raises(NoAnswer) as caught:
        wire.exchange("GET", f"{crm.url}/x", {}, None)
    wire.close()
    assert caught.value.code == "too_large"


def test_12_endless_headers_are_cut_off(crm: Scripted) -> None:
    crm.says(Say(200, {}, {f"X-{i}": "x" for i in range(5000)}))
    wire = Wire(crm.url, timeout_s=5)
    with pytest.raises(NoAnswer):
        wire.exchange("GET", f"{crm.url}/x", {}, None)
    wire.close()


@pytest.mark.parametrize("body", [b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000])
def test_12_json_that_nests_without_end_is_an_error_and_no_crash(
    crm: Scripted, transport: Transport, body: bytes
) -> None:
    crm.reply = lambda _: Say(200, body)
    with pytest.raises(RemoteError):
        transport.request("GET", "/crm/x")


def test_12_a_body_that_drips_ends_at_the_deadline(crm: Scripted) -> None:
    """A read timeout never fires on a server that sends something now and then: only a deadline does."""
    ticks = iter(range(0, 10_000, 15))
    crm.says(Say(200, b"x" * 3_000_000))
    wire = Wire(crm.url, timeout_s=1, clock=lambda: float(next(ticks)))
    with pytest.raises(NoAnswer) as caught:
        wire.exchange("GET", f"{crm.url}/x", {}, None)
    wire.close()
    assert caught.value.code == "too_slow"


@pytest.mark.parametrize("retry_after", [None, "0", "-1", "1", "1000000000", "Fri, 31 Dec 9999 23:59:59 GMT", "soon"])
def test_12_a_storm_of_refusals_meets_two_requests_in_ten_seconds(
    crm: Scripted, time: FakeTime, retry_after: str | None
) -> None:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    sent: list[float] = []

    def refuse(_: object) -> Say:
        sent.append(time.at)
        return Say(429, {"code": "SECONDLY"}, headers)

    crm.reply = refuse
    pacer = Pacer(clock=time.clock, sleep=time.sleep)
    made = Transport(
        DIALECT, settings(crm.url, "hubspot"), sign_in=Tokens(), pacer=pacer, clock=time.clock, sleep=time.sleep
    )
    for _ in range(3):
        with pytest.raises(RateLimited):
            made.request("GET", "/crm/x")
    made.close()
    assert len(sent) == 3 * transport_module.WAIT_TRIES
    assert all(sum(at <= other < at + 10 for other in sent) <= 2 for at in sent)
    assert time.at < 3 * transport_module.WAIT_TRIES * 130


def test_12_a_line_that_stays_bad_ends_the_run_and_not_the_patience_of_the_crm(
    crm: Scripted, transport: Transport
) -> None:
    """Every request may be tried four times; all together may be tried again sixty times."""
    crm.reply = lambda _: Say(503)
    for _ in range(40):
        with pytest.raises(Unreachable):
            transport.request("GET", "/crm/x")
    assert 40 < len(crm.heard) <= 40 + MOST_RETRIES
