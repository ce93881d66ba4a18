"""Commands that only read the store."""

from datetime import timedelta
from pathlib import Path

import pytest

from crmsync.store import Store
from tests.cli.conftest import NOW, envelope, run
from tests.store.conftest import decision, finding, intent, record


@pytest.fixture
def known(project: Path) -> Path:
    """A project whose first connection has a run, a finding and a decision."""
    with Store.open(project / ".crmsync" / "acme.db") as store:
        store.start_run("r-0001", "sync", NOW, connection="acme", system="hubspot")
        store.save_page("deals", [record("1", dealname="Acme renewal", pipeline="default")], {}, run_id="r-0001")
        store.save_neighbourhood("a", [("deal", "1")], [], None)
        store.save_decisions("a", [decision("1")])
        store.save_findings("a", [finding("1"), finding("1", "STALE_DEAL")], run_id="r-0001", now=NOW)
        store.journal_intents([intent(field="attribution", new="sourced")])
        store.journal_outcome("r-0001/deals/1", "ok", at=NOW)
        store.clear_pending(store.pending())
        done = {"run_id": "r-0001", "status": "ok", "finished_at": NOW + timedelta(seconds=6), "written": 1}
        store.finish_run({**done, "pulled": {"deals": 1}})
    return project


def test_runs_are_listed(known: Path) -> None:
    result = run("runs", "-p", known, "-c", "acme")
    assert result.exit_code == 0
    row = result.stdout.splitlines()[1]
    assert row.split() == ["r-0001", "sync", "2026-11-22", "06:00:00", "UTC", "6.0", "s", *"11000", "ok"]


def test_one_run_shows_what_it_wrote(known: Path) -> None:
    result = run("runs", "r-0001", "-p", known, "-c", "acme")
    assert "Acme renewal  attribution  (blank)  sourced  ok" in result.stdout
    assert envelope(run("runs", "r-0001", "-p", known, "--json"))["data"]["writes"][0]["new"] == "sourced"


def test_a_run_that_does_not_exist_is_named(known: Path) -> None:
    result = run("runs", "r-0002", "-p", known)
    assert result.exit_code == 2
    assert "no run 'r-0002'" in result.stderr
    assert "did you mean 'r-0001'?" in result.stderr


def test_findings_are_grouped_by_code(known: Path) -> None:
    result = run("findings", "-p", known)
    assert result.stdout.splitlines()[0].split() == ["warning", "CONFLICT", "1"]
    assert "deal  Deal 1 (1)  two registrations  policies/baseline.yaml:40" in result.stdout
    assert result.stdout.splitlines()[-1] == "2 open findings"


def test_findings_of_one_code(known: Path) -> None:
    data = envelope(run("findings", "--code", "stale_deal", "-p", known, "--json"))["data"]
    assert [row["code"] for row in data] == ["STALE_DEAL"]
    result = run("findings", "--code", "CONFLIC", "-p", known)
    assert result.exit_code == 2
    assert "did you mean 'CONFLICT'?" in result.stderr


def test_findings_of_one_kind_and_severity(known: Path) -> None:
    found = envelope(run("findings", "--severity", "warning", "--kind", "deal", "-p", known, "--json"))["data"]
    assert {(row["severity"], row["kind"]) for row in found} == {("warning", "deal")}
    assert run("findings", "--kind", "deel", "-p", known).stderr.endswith("= did you mean 'deal'?\n")


def test_no_finding_of_a_known_code_is_no_mistake(known: Path) -> None:
    result = run("findings", "--code", "SLA_BREACH", "-p", known)
    assert (result.exit_code, result.stdout) == (0, "0 open findings\n")


def test_why_finds_a_record_by_name(known: Path) -> None:
    result = run("why", "acme ren", "-p", known)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("deal  Acme renewal  (1)\n")
    assert "attribution  sourced  registered first  policies/baseline.yaml:12" in result.stdout
    assert f"crmsync why deal:1 attribution -p {known}" in result.stderr


def test_why_of_one_field_tells_the_write(known: Path) -> None:
    result = run("why", "deal:1", "attribution", "-p", known)
    assert "run r-0001   (blank) -> sourced" in result.stdout
    assert (
        envelope(run("why", "deal:1", "attribution", "-p", known, "--json"))["data"]["fields"][0]["value"] == "sourced"
    )


def test_why_nothing_fits(known: Path) -> None:
    result = run("why", "Nobody", "-p", known)
    assert result.exit_code == 2
    assert "no record 'Nobody'" in result.stderr


def test_without_a_store_the_next_step_is_a_sync(project: Path) -> None:
    result = run("findings", "-p", project)
    assert result.exit_code == 1
    assert "there is no store" in result.stderr
    assert "crmsync sync" in result.stderr


def test_status_shows_every_connection(known: Path) -> None:
    result = run("status", "-p", known)
    assert result.exit_code == 0
    assert "last run  r-0001 sync, 2026-11-22 06:00:00 UTC: ok" in result.stdout
    assert "open      2 findings, 0 records to decide" in result.stdout
    assert "globex   Salesforce" in result.stdout
    assert "store     not there yet; the first sync makes it" in result.stdout


def test_status_names_who_is_using_the_store(known: Path) -> None:
    with Store.open(known / ".crmsync" / "acme.db"):
        assert "in use by process" in run("status", "-p", known).stdout


def test_a_busy_store_stops_a_sync_with_one_line(known: Path) -> None:
    with Store.open(known / ".crmsync" / "acme.db"):
        result = run("sync", "-p", known)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0].startswith("error[E510]: process ")


def test_the_schedule_is_listed(project: Path) -> None:
    result = run("schedule", "--list", "-p", project)
    assert result.exit_code == 0
    head, acme, globex = result.stdout.splitlines()
    assert head.split() == ["connection", "next", "run"]
    assert acme.split()[0] == "acme"
    assert globex.endswith("06:00:00 UTC")
