"""The main job, typed at the command line against the sandbox: both CRMs, then every way a CRM can refuse."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crmsync.project import write_starter
from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN, SALESFORCE_CLIENT_SECRET
from tests.cli.conftest import envelope, run

SYSTEMS = ("salesforce", "hubspot")


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(world="small") as opened:
        yield opened


@pytest.fixture(scope="module")
def blank() -> Iterator[str]:
    with Sandbox(world="blank") as opened:
        yield opened.url


@pytest.fixture
def demo(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The demo project, pointed at the sandbox of this module."""
    directory = tmp_path / "demo"
    write_starter(directory, demo=True)
    file = directory / "crmsync.yaml"
    file.write_text(file.read_text().replace("http://127.0.0.1:8790", box.url))
    monkeypatch.setenv("CRMSYNC_SANDBOX_SALESFORCE_SECRET", SALESFORCE_CLIENT_SECRET)
    monkeypatch.setenv("CRMSYNC_SANDBOX_HUBSPOT_TOKEN", HUBSPOT_TOKEN)
    monkeypatch.chdir(directory)
    yield directory
    box.faults.clear()


def data(*args: object) -> Any:
    return envelope(run("--json", *args))["data"]


@pytest.mark.parametrize("name", SYSTEMS)
def test_from_nothing_to_a_second_sync_that_writes_nothing(demo: Path, name: str, box: Sandbox) -> None:
    assert run("provision", "--check", "-c", name).exit_code == 3
    assert run("check").exit_code == 0
    first = run("provision", "-c", name)
    assert first.exit_code == 0, first.stderr
    assert run("provision", "--check", "-c", name).exit_code == 0
    assert data("provision", "-c", name)["steps"]
    live = run("check", "--live", "-c", name)
    assert (live.exit_code, live.stderr.count("error[")) == (0, 0)
    assert run("doctor", "-c", name).exit_code == 0

    before = box.salesforce.write_count() + box.hubspot.write_count()
    planned = run("plan", "-c", name, "--exit-code", "--save", "plan.json")
    assert planned.exit_code == 3, planned.stderr
    assert "policies/baseline.yaml:" in planned.stdout
    assert "Not checked: " in planned.stdout
    assert planned.stderr.splitlines()[-1] == f"Next: crmsync apply plan.json -c {name}"
    assert box.salesforce.write_count() + box.hubspot.write_count() == before

    applied = run("apply", "plan.json")
    assert applied.exit_code in (0, 5), applied.stderr
    run("sync", "-c", name)
    second = data("sync", "-c", name)
    assert (second["written"], second["created"]) == (0, 0)
    assert data("sync", "--full", "-c", name)["written"] == 0
    assert all(row["remote"] == row["mirror"] for row in second["completeness"])
    assert data("plan", "-c", name)["changes"] == []
    assert run("plan", "-c", name, "--exit-code").exit_code == 0

    finding = data("findings", "-c", name)[0]
    told = run("why", f"{finding['kind']}:{finding['id']}", "-c", name)
    assert told.exit_code == 0, told.stderr
    assert finding["code"] in told.stdout
    assert [row["mode"] for row in data("runs", "-c", name)][-2:] == ["apply", "plan"]
    assert envelope(run("schedule", "--once", "--json", "-c", name))["data"] == {name: "ok"}


class TestRefusals:
    """One clear line, the right exit code, an intact store."""

    def refused(self, *args: object) -> tuple[int, str]:
        result = run(*args)
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        errors = [line for line in result.stderr.splitlines() if line.startswith("error[")]
        assert len(errors) == 1
        return result.exit_code, errors[0]

    @pytest.mark.parametrize("name", SYSTEMS)
    def test_a_wrong_secret(self, demo: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        for variable in ("CRMSYNC_SANDBOX_SALESFORCE_SECRET", "CRMSYNC_SANDBOX_HUBSPOT_TOKEN"):
            monkeypatch.setenv(variable, "wrong-secret-0815")
        code, line = self.refused("sync", "-c", name)
        assert code == 4
        assert "wrong-secret-0815" not in line

    def test_production_that_nobody_confirmed(self, demo: Path, box: Sandbox) -> None:
        """In a world of its own: there must be something to write."""
        file = demo / "crmsync.yaml"
        with Sandbox(world="small") as fresh:
            file.write_text(file.read_text().replace(box.url, fresh.url))
            fresh.hubspot.account_type = "STANDARD"
            assert run("provision", "-c", "hubspot").exit_code == 0
            assert run("plan", "-c", "hubspot", "--save", "plan.json").exit_code == 0
            before = fresh.hubspot.write_count()
            for command in (("sync", "-c", "hubspot"), ("apply", "plan.json")):
                code, line = self.refused(*command)
                assert code == 6
                assert line.startswith("error[E610]: 'hubspot' is production by its own account")
            assert self.refused("apply", "plan.json", "--confirm", "salesforce")[0] == 2
            assert fresh.hubspot.write_count() == before
            assert run("apply", "plan.json", "--confirm", "hubspot").exit_code in (0, 5)
            assert fresh.hubspot.write_count() > before

    def test_no_secret(self, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CRMSYNC_SANDBOX_HUBSPOT_TOKEN")
        code, line = self.refused("sync", "-c", "hubspot")
        assert code == 4
        assert "environment CRMSYNC_SANDBOX_HUBSPOT_TOKEN (not set); file sandbox/hubspot-token (no such file)" in line

    def test_a_missing_scope(self, demo: Path, box: Sandbox) -> None:
        box.faults.add(system="hubspot", kind="missing_scope", times=None, match="/crm/v3/objects/contacts")
        code, line = self.refused("plan", "-c", "hubspot")
        assert code == 4
        assert "scope" in line

    @pytest.mark.parametrize("name", SYSTEMS)
    def test_a_full_quota(self, demo: Path, box: Sandbox, name: str) -> None:
        box.faults.add(system=name, kind="quota", times=None)
        assert self.refused("sync", "-c", name)[0] == 1

    def test_an_address_where_nobody_answers(self, demo: Path) -> None:
        file = demo / "crmsync.yaml"
        file.write_text(file.read_text().replace("url: http://127.0.0.1:", "url: http://127.0.0.1:9 #"))
        code, line = self.refused("sync", "-c", "hubspot")
        assert code == 1
        assert "127.0.0.1:9" in line

    def test_a_misspelt_key(self, demo: Path) -> None:
        mapping = demo / "mappings" / "hubspot.yaml"
        mapping.write_text(mapping.read_text().replace("objects:", "objetcs:", 1))
        for command in ("check", "plan"):
            result = run(command, "-c", "hubspot")
            assert result.exit_code == 2
            assert "hubspot.yaml:" in result.stderr
            assert "did you mean" in result.stderr

    @pytest.mark.parametrize("kind", ["down", "quota"])
    @pytest.mark.parametrize("name", SYSTEMS)
    def test_doctor_does_not_take_a_crm_that_is_away_for_a_refused_sign_in(
        self, demo: Path, box: Sandbox, name: str, kind: str
    ) -> None:
        box.faults.add(system=name, kind=kind, times=None)
        assert run("doctor", "-c", name).exit_code == 1

    @pytest.mark.parametrize("command", ["doctor", "plan"])
    def test_a_command_that_mends_names_its_connection(self, demo: Path, command: str, blank: str) -> None:
        file = demo / "crmsync.yaml"
        file.write_text(re.sub(r"http://127.0.0.1:\d+", blank, file.read_text()))
        result = run(command, "-c", "hubspot", "-p", ".")
        assert result.exit_code == 1
        assert "crmsync provision -p . -c hubspot" in result.stdout + result.stderr

    def test_doctor_names_the_problem_and_goes_on(self, demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CRMSYNC_SANDBOX_HUBSPOT_TOKEN", "wrong-secret-0815")
        result = run("doctor")
        assert result.exit_code == 4
        assert "✘" in result.stdout
        assert "salesforce" in result.stdout
        assert "1 problem" in result.stdout
