"""One process, both CRMs: life, clock, faults, control routes, the world cache."""

from __future__ import annotations

import gc
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from crmsync.sandbox import Sandbox
from crmsync.sandbox.clock import SandboxClock
from crmsync.sandbox.credentials import HUBSPOT_TOKEN, SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET
from crmsync.sandbox.directory import DirectoryInUse
from crmsync.sandbox.door import MAX_BODY
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


@pytest.mark.parametrize("bad", [b"", b"no key", b"\xff\xfe"])
def test_a_key_that_is_none_is_refused(box: Sandbox, http: requests.Session, bad: bytes) -> None:
    assert http.post(f"{box.url}/_sandbox/jwt-keys", data=bad, timeout=5).status_code == 400


@pytest.mark.parametrize("seconds", [1e12, -1e12, 1e308, "x", None, []])
def test_a_time_that_no_calendar_has_is_refused(box: Sandbox, http: requests.Session, seconds: object) -> None:
    assert http.post(f"{box.url}/_sandbox/clock", json={"advance": seconds}, timeout=5).status_code == 400
    assert http.get(f"{box.url}/_sandbox/health", timeout=5).status_code == 200


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


# -------------------------------------------------------------------- life of the server


def test_a_port_that_is_taken_is_named(box: Sandbox) -> None:
    port = int(box.url.rpartition(":")[2])
    with pytest.raises(OSError, match=f"port {port} of 127.0.0.1 is in use"):
        Sandbox(world="blank", port=port).start()


def test_a_directory_is_served_by_one_sandbox_at_a_time(tmp_path: Path) -> None:
    with Sandbox(tmp_path, world="blank"), pytest.raises(DirectoryInUse, match="another sandbox serves"):
        Sandbox(tmp_path, world="blank").start()
    with Sandbox(tmp_path, world="blank") as box:
        assert box.salesforce.users()


def test_two_sandboxes_at_once_share_nothing(box: Sandbox, http: requests.Session) -> None:
    with Sandbox(world="blank") as other:
        other.salesforce.create("Account", {"Name": "There"})
        other.faults.add(kind="down", times=None)
        assert http.get(f"{box.url}/crm/v3/owners", headers=HUBSPOT, timeout=5).status_code == 200
        assert http.get(f"{other.url}/crm/v3/owners", headers=HUBSPOT, timeout=5).status_code == 503
        assert box.salesforce.rows("Account", "\"Name\" = 'There'") == []


def test_many_sandboxes_one_after_the_other_leave_nothing_open() -> None:
    gc.collect()
    threads, files = threading.active_count(), open_files()
    for _ in range(5):
        with Sandbox(world="blank") as box, requests.Session() as session:
            assert session.get(f"{box.url}/_sandbox/health", timeout=5).status_code == 200
    gc.collect()
    assert threading.active_count() == threads
    assert open_files() <= files


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_stopping_twice_or_before_the_start_is_nothing() -> None:
    box = Sandbox(world="blank")
    box.stop()
    with box:
        pass
    box.stop()


def test_a_client_that_sends_slowly_keeps_nobody_waiting(box: Sandbox, http: requests.Session) -> None:
    port = int(box.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as slow:
        slow.sendall(b"POST /crm/v3/objects/contacts HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert http.get(f"{box.url}/crm/v3/owners", headers=HUBSPOT, timeout=5).status_code == 200


def test_a_client_in_mid_request_does_not_hold_up_the_end() -> None:
    with Sandbox(world="blank") as box:
        slow = socket.create_connection(("127.0.0.1", int(box.url.rpartition(":")[2])), timeout=5)
        slow.sendall(b"POST /crm/v3/objects/contacts HTTP/1.1\r\nHost: x\r\nContent-Le")
    with slow:
        assert slow.recv(100) in (b"", b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.parametrize("path", ["/crm/v3/objects/contacts", "/services/data/v60.0/sobjects/Account"])
def test_a_body_that_is_too_large_is_refused_before_it_is_sent(box: Sandbox, path: str) -> None:
    with socket.create_connection(("127.0.0.1", int(box.url.rpartition(":")[2])), timeout=5) as client:
        client.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_of_unknown_length_is_stopped_when_it_is_too_large(
    box: Sandbox, http: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crmsync.sandbox.door.MAX_BODY", 1000)
    answer = http.post(f"{box.url}/crm/v3/objects/contacts", data=iter([b"x" * 600] * 2), headers=HUBSPOT, timeout=5)
    assert answer.status_code == 413


# -------------------------------------------------------------------- its own door


def served(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "crmsync.sandbox", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_module_serves_until_it_is_told_to_stop(tmp_path: Path, http: requests.Session) -> None:
    with served("--port", "0", "--world", "blank", "--directory", str(tmp_path)) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        assert http.get(f"{url}/_sandbox/health", timeout=5).json()["world"] == "blank"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=10) == ("", "")
        assert process.returncode == 0
    assert (tmp_path / "hubspot.db").exists()


def test_the_module_says_why_it_cannot_serve(box: Sandbox, tmp_path: Path) -> None:
    with served("--port", box.url.rpartition(":")[2], "--world", "blank") as process:
        _, said = process.communicate(timeout=30)
        assert (process.returncode, said.count("\n")) == (1, 1)
        assert "is in use" in said
    with Sandbox(tmp_path, world="blank"), served("--port", "0", "--directory", str(tmp_path)) as process:
        assert "another sandbox serves" in process.communicate(timeout=30)[1]
    with served("--port", "99999") as process:
        assert "invalid _port value" not in process.communicate(timeout=30)[1]
        assert process.returncode == 2
