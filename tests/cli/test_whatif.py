"""``crmsync what-if``."""

from pathlib import Path

import pytest

from crmsync.remote import RemoteRecord
from crmsync.store import Store
from tests.cli.conftest import NOW, envelope, run

COMPANY = {"name": "Acme", "domain": "acme.example", "country": "Germany", "type": "PROSPECT"}
PARTNER = {
    "name": "North",
    "type": "RESELLER",
    "prm_partner_type": "reseller",
    "prm_partner_status": "active",
    "prm_agreement_status": "active",
}
DEAL = {
    "dealname": "Acme Basic",
    "dealstage": "qualifiedtobuy",
    "pipeline": "default",
    "amount": "50000",
    "deal_currency_code": "USD",
    "createdate": "2026-10-01T09:00:00Z",
    "prm_registration_id": "R1",
}
REGISTRATION = {
    "prm_number": "R1",
    "prm_partner_id": "2",
    "prm_account_id": "1",
    "prm_account_name": "Acme",
    "prm_account_domain": "acme.example",
    "prm_deal_id": "3",
    "prm_state": "approved",
    "prm_submitted_at": "2026-09-20T09:00:00Z",
    "prm_approved_at": "2026-09-21T09:00:00Z",
}


@pytest.fixture
def synced(project: Path) -> Path:
    """A mirror with a registered deal, as a sync left it behind."""
    from crmsync.mappings import load_mapping

    mapping = load_mapping(project / "mappings" / "hubspot.yaml", system="hubspot")
    registrations = mapping.object_of("registration")
    rows = {
        "companies": [RemoteRecord(id="1", fields=COMPANY), RemoteRecord(id="2", fields=PARTNER)],
        "deals": [RemoteRecord(id="3", fields=DEAL)],
        registrations: [RemoteRecord(id="4", fields=REGISTRATION)],
    }
    with Store.open(project / ".crmsync" / "acme.db") as store:
        store.start_run("r-0001", "sync", NOW, connection="acme", system="hubspot")
        for name, records in rows.items():
            store.save_page(name, records, {}, run_id="r-0001")
        store.finish_run({"run_id": "r-0001", "status": "ok", "finished_at": NOW})
    return project


def changed(project: Path, old: str, new: str) -> Path:
    policy = project / "policies" / "next.yaml"
    text = (project / "policies" / "baseline.yaml").read_text()
    assert old in text
    policy.write_text(text.replace(old, new).replace('version: "2026-1"', "version: next"))
    return policy


def test_the_same_policy_flips_nothing(synced: Path) -> None:
    policy = changed(synced, "timezone: UTC", "timezone: UTC")
    result = run("what-if", "-p", synced, "--policy", policy)
    assert result.exit_code == 0, result.output
    assert "policy 2026-1 → next" in result.stdout
    assert "Nothing would flip" in result.stdout
    assert "0 fields of 0 records, 0 tasks, about 0 API calls" in result.stdout


def test_a_shorter_window_moves_the_protection(synced: Path) -> None:
    policy = changed(synced, "length: {value: 90, unit: days}", "length: {value: 2000, unit: days}")
    data = envelope(run("what-if", "-p", synced, "--policy", policy, "--json"))["data"]
    assert sum(data["protections"].values()) == 1
    assert data["fields"]["registration.protection_end"] == 1
    assert sum(data["cost"]["records"].values()) == 2
    assert data["cost"]["api_calls"] == 4


def test_credit_that_is_lost_is_summed_by_partner(synced: Path) -> None:
    policy = changed(synced, "timezone: UTC", "timezone: UTC\nscope: {deals: {when: amount > 100000}}")
    result = run("what-if", "-p", synced, "--policy", policy)
    assert "sourced" in result.stdout
    data = envelope(run("what-if", "-p", synced, "--policy", policy, "--json"))["data"]
    (flip,) = data["attribution"]
    assert (flip["from"], flip["to"], flip["deals"], flip["amount"]) == ("sourced", "not decided", 1, "50000")
    (partner,) = data["partners"]
    assert (partner["name"], partner["sourced_before"]["amount"]) == ("North", "50000")
    assert partner["sourced_after"]["deals"] == 0


def test_since_limits_what_is_compared(synced: Path) -> None:
    policy = changed(synced, "length: {value: 90, unit: days}", "length: {value: 2000, unit: days}")
    data = envelope(run("what-if", "-p", synced, "--policy", policy, "--since", "2026-11-01", "--json"))["data"]
    assert (data["deals"], sum(data["protections"].values())) == (0, 0)


def test_the_store_is_left_as_it_was(synced: Path) -> None:
    path = synced / ".crmsync" / "acme.db"
    before = path.read_bytes()
    policy = changed(synced, "length: {value: 90, unit: days}", "length: {value: 2000, unit: days}")
    with Store.open(path):
        assert run("what-if", "-p", synced, "--policy", policy).exit_code == 0
    assert path.read_bytes() == before


def test_what_is_not_replayed_is_said(synced: Path) -> None:
    result = run("what-if", "-p", synced, "--policy", changed(synced, "timezone: UTC", "timezone: UTC"))
    assert "Not replayed: What has happened stays" in result.stdout


def test_a_store_that_never_synced_is_refused(project: Path) -> None:
    policy = changed(project, "timezone: UTC", "timezone: UTC")
    assert run("what-if", "-p", project, "--policy", policy).exit_code == 1
    with Store.open(project / ".crmsync" / "acme.db"):
        pass
    result = run("what-if", "-p", project, "--policy", policy)
    assert result.exit_code == 1
    assert "nothing was synced yet" in result.stderr


def test_a_mistake_in_the_other_policy_has_its_line(synced: Path) -> None:
    policy = changed(synced, "timezone: UTC", "timezon: UTC")
    result = run("what-if", "-p", synced, "--policy", policy)
    assert result.exit_code == 2
    assert "next.yaml:4:1: error[E102]: unknown key 'timezon'" in result.stderr
