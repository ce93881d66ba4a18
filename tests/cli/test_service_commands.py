"""Commands that stay in the foreground, as processes of their own."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from crmsync.sandbox import Sandbox
from crmsync.sandbox.world import FixtureMissing
from tests.cli.conftest import run


def start(*args: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "crmsync", *map(str, args)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_sandbox_serves_until_it_is_told_to_stop(tmp_path: Path, how: signal.Signals) -> None:
    process = start("sandbox", "start", "--json", "--port", "0", "--directory", tmp_path / "box", "--world", "blank")
    assert process.stdout is not None
    url = json.loads(process.stdout.readline())["data"]["url"]
    with urllib.request.urlopen(f"{url}/services/data") as answer:  # noqa: S310
        assert answer.status == 200
    second = run("sandbox", "start", "--port", "0", "--directory", tmp_path / "box")
    assert second.exit_code == 2
    assert "a sandbox is running" in second.stderr
    process.send_signal(how)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert (tmp_path / "box" / "hubspot-token").stat().st_mode & 0o077 == 0


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = run("sandbox", "start", "--port", port, "--directory", tmp_path / "box", "--world", "blank")
    assert result.exit_code == 2
    assert f"port {port} is in use" in result.stderr
    assert "--port 0" in result.stderr


def test_a_world_whose_data_is_missing_is_no_bug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_self: Sandbox) -> None:
        raise FixtureMissing("demo data not found")

    monkeypatch.setattr(Sandbox, "start", start)
    result = run("sandbox", "reset", "--directory", tmp_path / "box")
    assert result.exit_code == 2
    assert "install crmsync again" in result.stderr


def test_reset_loads_a_new_world(tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.mkdir()
    (box / "salesforce.db").write_bytes(b"rubbish")
    result = run("sandbox", "reset", "--directory", box, "--world", "blank")
    assert result.exit_code == 0, result.stderr
    assert (box / "salesforce.db").read_bytes().startswith(b"SQLite format 3")


def test_the_schedule_ends_cleanly_on_sigterm(project: Path) -> None:
    process = start("schedule", "-p", project)
    assert process.stderr is not None
    assert "next run" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in rest


def test_a_project_without_a_schedule_says_how_to_write_one(project: Path) -> None:
    file = project / "crmsync.yaml"
    file.write_text(file.read_text().replace("schedule:", "# schedule:"))
    result = run("schedule", "-p", project)
    assert result.exit_code == 2
    assert "every: 15m" in result.stderr
