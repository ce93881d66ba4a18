from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import structlog

from crmsync.connectors.pacing import Pacer, Rate
from crmsync.connectors.transport import Dialect, Transport, VendorError
from crmsync.errors import (
    AuthError,
    Permanent,
    QuotaExhausted,
    RateLimited,
    RemoteError,
    Transient,
    Unreachable,
    UsageError,
)
from tests.connectors.scripted import FakeTime, Heard, Say, Scripted, scripted_server, settings, unused_url


def read_error(status: int, headers: Any, data: bytes) -> VendorError:
    try:
        body = json.loads(data)
    except ValueError:
        return VendorError("")
    return VendorError(body.get("code", ""), body.get("message", ""))


def read_limits(headers: Any) -> tuple[int, int] | None:
    return (1000, int(headers["Left"])) if "Left" in headers else None


DIALECT = Dialect(
    system="hubspot",
    read_error=read_error,
    read_limits=read_limits,
    request_id=lambda headers: headers.get("Request-Id", ""),
    sign_in_hint="crmsync doctor",
    status_page="status.hubspot.com",
    calls_return="at midnight",
    gzip_requests=True,
)


@pytest.fixture
def crm() -> Iterator[Scripted]:
    with scripted_server() as server:
        yield server


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


class Tokens:
    """A sign-in that hands out t1, t2, …"""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, force: bool) -> dict[str, str]:
        self.count += 1
        return {"Authorization": f"Bearer t{self.count}"}


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def transport(crm: Scripted, time: FakeTime, tokens: Tokens) -> Iterator[Transport]:
    made = Transport(DIALECT, settings(crm.url, "hubspot"), sign_in=tokens, clock=time.clock, sleep=time.sleep)
    yield made
    made.close()


def test_answer_is_decoded_once_and_carries_the_request_id(crm: Scripted, transport: Transport) -> None:
    crm.says(Say(body={"a": 1}, headers={"Request-Id": "r-1"}))
    answer = transport.request("GET", "/crm/x", params={"q": "a b&c"})
    assert (answer.json(), answer.request_id, crm.heard[0].path) == ({"a": 1}, "r-1", "/crm/x?q=a%20b%26c")


def test_large_bodies_are_compressed_both_ways(crm: Scripted, transport: Transport) -> None:
    crm.says(Say(body={"a": "x" * 5000}, packed=True))
    answer = transport.request("POST", "/crm/x", json={"b": "y" * 5000})
    assert len(answer.json()["a"]) == 5000
    assert crm.heard[0].headers["Accept-Encoding"] == "gzip"
    assert len(crm.heard[0].body) < 500
    assert json.loads(gzip.decompress(crm.heard[0].body)) == {"b": "y" * 5000}


def test_one_sign_in_serves_all_requests(crm: Scripted, transport: Transport, tokens: Tokens) -> None:
    for _ in range(3):
        transport.request("GET", "/crm/x")
    assert tokens.count == 1


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize(
    "say", [Say(503), Say(500), Say(cut="before"), Say(body={"a": 1}, cut="middle"), Say(body=b"<html>")]
)
def test_a_read_is_sent_again_after_a_fault(crm: Scripted, transport: Transport, say: Say) -> None:
    crm.says(say, Say(body={"a": 1}))
    assert transport.request("GET", "/crm/x").json() == {"a": 1}
    assert len(crm.heard) == 2


@pytest.mark.parametrize(
    "say", [Say(500), Say(504), Say(cut="before"), Say(body={"a": 1}, cut="middle"), Say(body=b"<html>")]
)
def test_a_write_that_may_have_been_done_is_never_sent_twice(crm: Scripted, transport: Transport, say: Say) -> None:
    crm.says(say)
    with pytest.raises(Transient) as caught:
        transport.request("POST", "/crm/x", json={})
    assert caught.value.outcome_unknown
    assert len(crm.heard) == 1


def test_a_write_that_was_refused_unread_is_sent_again(crm: Scripted, transport: Transport) -> None:
    crm.says(Say(503), Say(429), Say(body={"id": 1}))
    assert transport.request("POST", "/crm/x", json={}).json() == {"id": 1}


def test_an_idempotent_write_is_sent_again(crm: Scripted, transport: Transport) -> None:
    crm.says(Say(cut="before"), Say(body={}))
    transport.request("POST", "/crm/x", json={}, idempotent=True)
    assert len(crm.heard) == 2


def test_a_crm_that_is_down_gives_one_clear_line(time: FakeTime, tokens: Tokens) -> None:
    url = unused_url()
    transport = Transport(DIALECT, settings(url, "hubspot"), sign_in=tokens, clock=time.clock, sleep=time.sleep)
    with pytest.raises(Unreachable) as caught:
        transport.request("GET", "/crm/x")
    assert caught.value.message == f"hubspot did not answer at {url} after 4 tries (connection refused)"
    assert "status.hubspot.com" in caught.value.hint
    assert len(time.slept) == 3


def test_a_crm_that_stays_down_names_its_status(crm: Scripted, transport: Transport) -> None:
    crm.says(*[Say(503)] * 4)
    with pytest.raises(Unreachable, match=r"after 4 tries \(503\)"):
        transport.request("GET", "/crm/x")


def test_a_permanent_error_is_raised_at_once(crm: Scripted, transport: Transport) -> None:
    crm.says(Say(400, {"code": "BAD", "message": "no such thing"}, {"Request-Id": "r-9"}))
    with pytest.raises(Permanent, match="no such thing") as caught:
        transport.request("GET", "/crm/x")
    assert (caught.value.status, caught.value.vendor_code, caught.value.request_id) == (400, "BAD", "r-9")
    assert len(crm.heard) == 1


def test_an_accepted_status_is_handed_back(crm: Scripted, transport: Transport) -> None:
    crm.says(Say(404, {"code": "GONE"}))
    assert transport.request("GET", "/crm/x", accept=[404]).status == 404


def test_a_redirect_is_not_followed(crm: Scripted, transport: Transport) -> None:
    crm.says(Say(302, headers={"Location": "http://169.254.169.254/"}))
    with pytest.raises(Permanent):
        transport.request("GET", "/crm/x")
    assert len(crm.heard) == 1


# ---------------------------------------------------------------- sign-in


def test_an_ended_token_is_renewed_once_and_the_request_replayed(
    crm: Scripted, transport: Transport, tokens: Tokens
) -> None:
    crm.says(Say(401), Say(body={"a": 1}))
    assert transport.request("POST", "/crm/x", json={}).json() == {"a": 1}
    assert [heard.headers["Authorization"] for heard in crm.heard] == ["Bearer t1", "Bearer t2"]


def test_many_requests_refused_at_once_need_one_new_sign_in(
    crm: Scripted, transport: Transport, tokens: Tokens
) -> None:
    all_refused = threading.Barrier(4)

    def refuse_the_first_token(heard: Heard) -> Say:
        if heard.headers["Authorization"] == "Bearer t1":
            all_refused.wait(5)
            return Say(401)
        return Say(body={"a": 1})

    crm.reply = refuse_the_first_token
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: transport.request("GET", "/crm/x").json(), range(4)))
    assert answers == [{"a": 1}] * 4
    assert tokens.count == 2


def test_a_second_401_is_final(crm: Scripted, transport: Transport) -> None:
    crm.says(Say(401), Say(401, {"message": "still no"}))
    with pytest.raises(AuthError, match="still no") as caught:
        transport.request("GET", "/crm/x")
    assert (caught.value.exit_code, caught.value.hint) == (4, "crmsync doctor")


# ---------------------------------------------------------------- means


@pytest.mark.parametrize(
    ("header", "waited_s"),
    [("3", 3), ("0", 10), ("-1", 10), ("1000000000", 120), ("soon", 10), ("nan", 10), ("inf", 120), ("", 10)],
)
def test_retry_after_is_honoured_within_reason(
    crm: Scripted, transport: Transport, time: FakeTime, header: str, waited_s: float
) -> None:
    crm.says(Say(429, headers={"Retry-After": header}), Say(body={}))
    transport.request("GET", "/crm/x")
    assert sum(time.slept) == pytest.approx(waited_s)


def test_retry_after_may_be_a_date_by_the_servers_clock(crm: Scripted, transport: Transport, time: FakeTime) -> None:
    dates = {"Date": "Sun, 22 Nov 2026 10:00:00 GMT", "Retry-After": "Sun, 22 Nov 2026 10:00:07 GMT"}
    crm.says(Say(429, headers=dates), Say(body={}))
    transport.request("GET", "/crm/x")
    assert sum(time.slept) == pytest.approx(7)


def test_throttling_has_more_patience_than_faults_but_an_end(crm: Scripted, transport: Transport) -> None:
    crm.says(*[Say(429, headers={"Retry-After": "5"})] * 8)
    with pytest.raises(RateLimited) as caught:
        transport.request("GET", "/crm/x")
    assert caught.value.retry_after_s == 10  # from the second refusal in a row on
    assert len(crm.heard) == 8


def test_one_429_holds_every_lane(time: FakeTime) -> None:
    pacer = Pacer({"search": Rate(4)}, clock=time.clock, sleep=time.sleep)
    pacer.cool_down(10)
    pacer.wait()
    assert time.at == 10


def test_the_pacer_slows_down_before_the_limit_is_hit(time: FakeTime) -> None:
    pacer = Pacer({"": Rate(per_second=10, burst=5)}, clock=time.clock, sleep=time.sleep)
    for _ in range(25):
        pacer.wait()
    assert time.at == pytest.approx(2.0)


def test_the_budget_stops_at_the_share_used_by_whomever(crm: Scripted, transport: Transport) -> None:
    crm.says(Say(body={}, headers={"Left": "201"}), Say(body={}, headers={"Left": "200"}))
    transport.request("GET", "/crm/x")
    transport.request("GET", "/crm/x")
    with pytest.raises(QuotaExhausted, match="800 of 1000"):
        transport.request("GET", "/crm/x")
    assert len(crm.heard) == 2
    assert transport.budget.state().remaining == 200


def test_a_health_check_gets_through_a_spent_budget(crm: Scripted, transport: Transport) -> None:
    crm.says(Say(body={}, headers={"Left": "0"}))
    transport.request("GET", "/crm/x")
    transport.request("GET", "/crm/x", guarded=False)
    assert len(crm.heard) == 2


def test_a_daily_quota_is_not_retried(crm: Scripted, transport: Transport) -> None:
    crm.says(Say(429, {"code": "DAILY", "message": "daily limit"}))
    with pytest.raises(QuotaExhausted, match="daily limit"):
        transport.request("GET", "/crm/x")
    assert len(crm.heard) == 1


# ---------------------------------------------------------------- safety


@pytest.mark.parametrize("link", ["https://evil.example/x", "//evil.example/x", "http://127.0.0.1:1/x"])
def test_a_next_link_to_another_host_is_refused(crm: Scripted, transport: Transport, link: str) -> None:
    with pytest.raises(Permanent, match="another host"):
        transport.request("GET", link)
    assert crm.heard == []


def test_a_next_link_to_the_same_host_is_followed(crm: Scripted, transport: Transport) -> None:
    transport.request("GET", f"{crm.url}/crm/x?after=1")
    assert crm.heard[0].path == "/crm/x?after=1"


@pytest.mark.parametrize(
    "url", ["http://acme.example", "acme.example", "ftp://acme.example", "https://u:p@acme.example", ""]
)
def test_an_unsafe_url_is_refused(url: str, tokens: Tokens) -> None:
    with pytest.raises(UsageError):
        Transport(DIALECT, settings(url), sign_in=tokens)


def test_an_answer_beyond_the_size_limit_is_refused(
    crm: Scripted, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport._wire, "_max_bytes", 1000)
    crm.says(Say(body={"a": "x" * 100_000}, packed=True))
    with pytest.raises(Unreachable, match="larger than"):
        transport.request("GET", "/crm/x")


def test_the_log_has_one_event_per_try_without_secrets_or_values(crm: Scripted, transport: Transport) -> None:
    crm.says(Say(503), Say(body={"email": "canary@acme.example"}, headers={"Request-Id": "r-1", "Left": "900"}))
    with structlog.testing.capture_logs() as events:
        transport.request("GET", "/crm/v3/objects/deals/4711", params={"q": "canary"})
    assert [(event["status"], event["path"]) for event in events] == [
        (503, "/crm/v3/objects/deals/{}"),
        (200, "/crm/v3/objects/deals/{}"),
    ]
    assert events[1]["calls_left"] == 900
    assert "canary" not in str(events)
    assert "Bearer" not in str(events)


def test_every_error_is_a_crmsync_error(crm: Scripted, transport: Transport) -> None:
    crm.says(Say(418, b"\x00<html>"))
    with pytest.raises(RemoteError):
        transport.request("GET", "/crm/x")


@pytest.mark.parametrize("token", ["two\nlines", "naïve€"])
def test_a_credential_that_no_header_can_carry_is_said(crm: Scripted, token: str) -> None:
    transport = Transport(DIALECT, settings(crm.url), sign_in=lambda _force: {"Authorization": f"Bearer {token}"})
    with pytest.raises(AuthError, match="a credential holds a line break") as caught:
        transport.request("GET", "/crm/x")
    assert token not in str(caught.value)
    assert crm.heard == []
    transport.close()
