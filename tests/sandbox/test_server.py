"""One process, both CRMs: life, clock, faults, control routes, the world cache."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from crmsync.sandbox import Sandbox
from crmsync.sandbox.clock import SandboxClock
from crmsync.sandbox.credentials import HUBSPOT_TOKEN, SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET
from crmsync.sandbox.faults import system_of

HUBSPOT = {"Authorization": f"Bearer {HUBSPOT_TOKEN}"}


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox(world="blank") as running:
        yield running


@pytest.fixture
def box(shared: Sandbox) -> Sandbox:
    shared.faults.clear()
    shared.clock.reset()
    return shared


@pytest.fixture
def http(box: Sandbox) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def token(box: Sandbox, http: requests.Session) -> dict[str, str]:
    form = {
        "grant_type": "client_credentials",
        "client_id": SALESFORCE_CLIENT_ID,
        "client_secret": SALESFORCE_CLIENT_SECRET,
    }
    answer = http.post(f"{box.url}/services/oauth2/token", data=form, timeout=5)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_both_crms_answer_on_one_loopback_port(box: Sandbox, http: requests.Session) -> None:
    assert box.url.startswith("http://127.0.0.1:")
    limits = http.get(f"{box.url}/services/data/v60.0/limits", headers=token(box, http), timeout=5)
    contacts = http.get(f"{box.url}/crm/v3/objects/contacts", headers=HUBSPOT, timeout=5)
    assert (limits.status_code, contacts.status_code) == (200, 200)


def test_a_directory_keeps_what_was_done(tmp_path: Path) -> None:
    with Sandbox(tmp_path, world="blank") as box:
        account = box.salesforce.create("Account", {"Name": "Kept"})
    with Sandbox(tmp_path, world="blank") as box:
        assert (box.salesforce.row("Account", account) or {})["Name"] == "Kept"


def test_a_port_that_is_taken_is_an_error_at_once(box: Sandbox) -> None:
    port = int(box.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        Sandbox(world="blank", port=port).start()


def test_health_and_clock_are_on_the_control_routes(box: Sandbox, http: requests.Session) -> None:
    assert http.get(f"{box.url}/_sandbox/health", timeout=5).json()["status"] == "ok"
    moved = http.post(f"{box.url}/_sandbox/clock", json={"set": "2026-01-02T03:04:05Z"}, timeout=5)
    assert moved.json() == {"now": "2026-01-02T03:04:05+00:00", "is_set": True}
    assert box.clock.now() == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert moved.headers["Date"] == "Fri, 02 Jan 2026 03:04:05 GMT"
    http.post(f"{box.url}/_sandbox/clock", json={"advance": 60}, timeout=5)
    assert box.clock.now().minute == 5
    assert http.post(f"{box.url}/_sandbox/clock", json={"set": "soon"}, timeout=5).status_code == 400
    assert http.delete(f"{box.url}/_sandbox/clock", timeout=5).json()["is_set"] is False


def test_reset_brings_the_world_back(box: Sandbox, http: requests.Session) -> None:
    box.salesforce.create("Account", {"Name": "Gone"})
    box.faults.add(system="salesforce", kind="down")
    assert http.post(f"{box.url}/_sandbox/reset", timeout=5).json()["status"] == "ok"
    assert box.salesforce.rows("Account", "Name = 'Gone'") == []
    assert box.faults.armed() == []
    assert token(box, http)


def test_requests_and_writes_are_on_record(box: Sandbox, http: requests.Session) -> None:
    http.delete(f"{box.url}/_sandbox/requests", timeout=5)
    headers = token(box, http)
    http.post(f"{box.url}/services/data/v60.0/sobjects/Account", json={"Name": "Seen"}, headers=headers, timeout=5)
    found = http.get(f"{box.url}/_sandbox/requests", timeout=5).json()["salesforce"]
    assert [(one["method"], one["status"]) for one in found] == [("POST", 200), ("POST", 201)]
    assert box.salesforce.write_count() == 1
    audit = http.get(f"{box.url}/_sandbox/audit", timeout=5).json()["salesforce"]
    assert (audit[-1]["field"], audit[-1]["new"]) == ("Name", "Seen")


@pytest.mark.parametrize(
    ("path", "system"),
    [
        ("/services/data", "salesforce"),
        ("/id/00D/005", "salesforce"),
        ("/crm/v3/owners", "hubspot"),
        ("/_sandbox/health", None),
    ],
)
def test_paths_belong_to_one_crm(path: str, system: str | None) -> None:
    assert system_of(path) == system


def test_the_clock_is_real_until_it_is_set() -> None:
    clock = SandboxClock()
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 5
    clock.freeze()
    assert clock.now() == clock.now()
    with pytest.raises(ValueError, match="without an offset"):
        clock.set(datetime(2026, 1, 1))  # noqa: DTZ001
    assert SandboxClock(datetime(2026, 1, 1, tzinfo=UTC)).is_set


def test_sigterm_ends_a_served_sandbox_cleanly(tmp_path: Path) -> None:
    code = (
        "from crmsync.sandbox import Sandbox; from pathlib import Path; "
        f"Sandbox(Path({str(tmp_path)!r}), world='blank').serve_forever()"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        wait_for(tmp_path / "hubspot.db")
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def wait_for(path: Path) -> None:
    for _ in range(300):
        if path.exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} did not appear")


def test_a_home_that_cannot_be_written_still_gets_a_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    with Sandbox(world="blank") as box:
        assert box.salesforce.users()
