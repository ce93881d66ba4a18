"""Items 1–6 and 22–24 of docs/security.md: where secrets may be, and what files look like."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from crmsync import cli, log
from crmsync.cli import main
from crmsync.connectors.hubspot.connector import HubSpotConnector
from crmsync.drafts import replacing
from crmsync.errors import AuthError, ConfigError, UsageError
from crmsync.project import load_project
from crmsync.secrets import Surroundings, resolve_secret
from crmsync.store import Store
from tests.connectors.scripted import Say, scripted_server, settings
from tests.sync.conftest import SECRETS, SYSTEMS, Bench
from tests.sync.people import People

PROJECT = """\
version: 1
name: test
connections:
  crm:
    type: hubspot
    mapping: m.yaml
    auth: {flow: token, token: TOKEN}
policy: p.yaml
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name in ("m.yaml", "p.yaml"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.fixture
def careless() -> Iterator[None]:
    """A process whose umask takes nothing away."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize("literal", ["pat-na1-canary-0000", "'{{ token }}'"])
def test_01_a_secret_in_the_project_file_is_refused_with_its_line(directory: Path, literal: str) -> None:
    (directory / "crmsync.yaml").write_text(PROJECT.replace("TOKEN", literal))
    with pytest.raises(ConfigError) as caught:
        load_project(directory)
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.where.split(":")[-2]) == ("E120", "7")
    assert literal.strip("'") not in f"{problem}{caught.value}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_01_a_secret_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "t").write_text("canary")
    (tmp_path / "t").chmod(mode)
    with pytest.raises(AuthError, match="can be read by others"):
        resolve_secret("token", {"file": "t"}, Surroundings({}, tmp_path), system="hubspot")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The command line knows the sandbox's secrets, and leaves logs and reports where the test looks for them."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CRMSYNC_LOG_FILE", str(tmp_path / "log"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("sys.argv", ["crmsync"])


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("system", SYSTEMS)
def test_02_no_secret_is_in_the_log_the_store_the_output_or_the_plan(
    tiny: Bench, system: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The sandbox's own credentials are the canaries; every step is logged as loudly as it can be."""
    at = ["-p", str(tiny.directory), "-c", system]
    tiny.box.faults.add(system=system, kind="server_error", times=1)
    commands = [["plan", "--save", str(tmp_path / "plan")], ["sync", "--yes"], ["doctor"], ["runs"], ["status"]]
    for command in commands:
        with pytest.raises(SystemExit):
            main([*command, "-vv", "--json", *at])
    shown = "".join(capsys.readouterr())
    files = [path for root in (tiny.directory, tmp_path) for path in root.rglob("*") if path.is_file()]
    kept = b"".join(path.read_bytes() for path in files)
    assert len(shown) > 5000
    for canary in SECRETS.values():
        assert canary not in shown
        assert canary.encode() not in kept


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("system", SYSTEMS)
def test_35_no_person_is_in_the_log_of_any_run_nor_in_its_errors(
    tiny: Bench, system: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The store and what is asked for by name may hold a person; logs, errors, plans and reports may not."""
    people = People(tiny, system)
    contact = people.ids("contact")[0]
    people.edit("contact", contact, "email", "canary.person@customer.example")
    at = ["-p", str(tiny.directory), "-c", system]
    tiny.box.faults.add(system=system, kind="server_error", times=1)
    commands = [
        ["plan", "--save", str(tmp_path / "plan")], ["sync", "--yes"], ["doctor"], ["runs"], ["status"], ["findings"],
        ["rejects"], ["why", "canary.person@customer.example"],
    ]  # fmt: skip
    told = []
    for command in commands:
        with pytest.raises(SystemExit):
            main([*command, "-vv", *at])
        out, err = capsys.readouterr()
        told.append(err if command[0] == "why" else out + err)
    written = (path for path in tmp_path.iterdir() if path.is_file())
    logged = b"".join(path.read_bytes() for path in written)
    assert len(logged) > 5000
    assert b"canary.person" not in logged
    assert "canary.person" not in "".join(told).replace("'canary.person@customer.example'", "")
    with tiny.session(system) as session:
        assert b"canary.person" in session.store.path.read_bytes()


def test_02_settings_do_not_show_their_secrets() -> None:
    assert "canary" not in repr(settings("https://api.hubapi.com", "hubspot", secrets={"token": "canary"}))


@pytest.mark.usefixtures("careless")
def test_03_files_are_for_their_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "state" / "crm.db"
    with Store.open(path) as store:
        store.set_meta("a", "b")
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}, modes
    assert {"crm.db", "crm.db-wal", "crm.db.lock"} <= modes.keys()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.usefixtures("careless")
def test_03_logs_are_for_their_owner_only(tmp_path: Path) -> None:
    log.append_private(tmp_path / "log", "a line\n")
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600


def options(command: click.Command, context: click.Context) -> Iterator[str]:
    for param in command.params:
        yield from param.opts
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found
            yield from options(found, context)


def test_05_no_option_of_any_command_takes_a_secret() -> None:
    names = list(options(cli.main, click.Context(cli.main)))
    assert len(names) > 60
    assert not [name for name in names if any(word in name for word in ("token", "secret", "password", "api-key"))]


@pytest.mark.parametrize("system", SYSTEMS)
def test_05_no_secret_is_in_a_url(tiny: Bench, system: str) -> None:
    crm = getattr(tiny.box, system)
    crm.reset_requests()
    tiny.sync(system)
    asked = " ".join(path for _, path, _ in crm.requests)
    assert asked
    assert not [secret for secret in SECRETS.values() if secret in asked]


def test_06_an_expired_credential_is_one_clear_event_and_no_loop() -> None:
    with scripted_server() as crm:
        crm.reply = lambda _: Say(401, {"category": "EXPIRED_AUTHENTICATION", "message": "expired"})
        connector = HubSpotConnector(settings(crm.url, "hubspot", secrets={"token": "old"}))
        with pytest.raises(AuthError) as caught:
            connector.count("deals")
        connector.close()
        assert len(crm.heard) <= 2
    assert caught.value.exit_code == 4
    assert caught.value.hint


@pytest.mark.parametrize("name", ["../crm", "/etc/crm", "a/b", "crm\\x00"])
def test_22_the_name_of_a_connection_cannot_lead_out_of_the_store(directory: Path, name: str) -> None:
    text = PROJECT.replace("TOKEN", "{env: T}").replace("  crm:", f'  "{name}":')
    (directory / "crmsync.yaml").write_text(text)
    with pytest.raises(ConfigError):
        load_project(directory)


@pytest.mark.parametrize("key", ["policy", "store"])
def test_22_a_nul_in_a_path_is_an_error_of_the_file(directory: Path, key: str) -> None:
    text = PROJECT.replace("TOKEN", "{env: T}").replace("policy: p.yaml\n", "")
    paths = {"policy": "p.yaml", "store": ".crmsync", key: "p\\0.yaml"}
    (directory / "crmsync.yaml").write_text(text + "".join(f'{k}: "{v}"\n' for k, v in paths.items()))
    with pytest.raises(ConfigError):
        load_project(directory)


def test_22_a_link_in_place_of_a_draft_or_the_target_is_not_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    target = tmp_path / "plan.json"
    target.symlink_to(victim)
    with replacing(target) as file:
        file.write(b"new")
    assert (victim.read_text(), target.read_text(), target.is_symlink()) == ("mine", "new", False)


@pytest.mark.usefixtures("careless")
def test_24_a_draft_is_private_unguessable_and_never_left_behind(tmp_path: Path) -> None:
    names: set[str] = set()
    for _ in range(2):
        with pytest.raises(UsageError):
            _break_off(tmp_path, names)
    assert len(names) == 2
    assert list(tmp_path.iterdir()) == []


def _break_off(directory: Path, names: set[str]) -> None:
    with replacing(directory / "plan.json"):
        (draft,) = directory.iterdir()
        names.add(draft.name)
        assert stat.S_IMODE(draft.stat().st_mode) == 0o600
        raise UsageError("stop")
