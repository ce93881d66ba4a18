"""A spreadsheet programme: rows become registrations and touches once, bad rows come back with their reason."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from crmsync.errors import ConfigError, GuardError
from crmsync.sync.cycle import make_plan, sync
from tests.sync.conftest import SYSTEMS, Bench
from tests.sync.people import People

pytestmark = pytest.mark.parametrize("system", SYSTEMS)

REGISTRATIONS = "registrations.csv"
HEADER = "number,partner,account_name,account_domain,account_country,products,amount,currency,submitted_at"


def partner_names(bench: Bench, system: str) -> list[str]:
    people = People(bench, system)
    return [str(people.value("partner", record_id, "name")) for record_id in people.ids("partner")]


def give(bench: Bench, name: str, text: str, kind: str = "registration") -> Path:
    """Put an intake file into the project, and name it there."""
    path = bench.directory / name
    path.write_text(text)
    config = bench.directory / "crmsync.yaml"
    known = config.read_text()
    entry = f"  - {{kind: {kind}, file: {name}, rejects: rejects-{kind}.csv}}\n"
    if entry not in known:
        config.write_text(known + ("" if "\nintake:\n" in known else "\nintake:\n") + entry)
    return path


def rejects(bench: Bench, kind: str = "registration") -> list[dict[str, str]]:
    with (bench.directory / f"rejects-{kind}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def registrations(bench: Bench, system: str) -> dict[str, str]:
    people = People(bench, system)
    return {str(people.value("registration", r, "number")): r for r in people.ids("registration")}


def good_rows(partner: str) -> str:
    return (
        f"{HEADER}\n"
        f"SHEET-1,{partner},Halvorsen Marine,halvorsen-marine.example,NO,GTX Pro,48210,USD,2026-06-12T09:30:00Z\n"
        f"SHEET-2,{partner},Brightwater,brightwater.example,GB,MG Advanced;GTX Basic,31000,GBP,\n"
    )


class TestRegistrations:
    def test_rows_land_once_and_are_decided_in_the_same_run(self, tiny_synced: Bench, system: str) -> None:
        give(tiny_synced, REGISTRATIONS, good_rows(partner_names(tiny_synced, system)[0]))
        plan, report = tiny_synced.sync(system)
        assert (report.status, report.created - report.tasks) == ("ok", 2)
        assert {change.key for change in plan.changes if change.kind == "registration" and change.key} == {
            "SHEET-1",
            "SHEET-2",
        }
        people, ids = People(tiny_synced, system), registrations(tiny_synced, system)
        said = {f: people.value("registration", ids["SHEET-1"], f) for f in ("state", "account_name", "intake_channel")}
        assert said["account_name"] == "Halvorsen Marine"
        assert said["intake_channel"] == "import"
        assert people.value("registration", ids["SHEET-1"], "sla_due_at"), "decided at once"
        again, report = tiny_synced.sync(system)
        assert (again.changes, report.created) == ((), 0)

    def test_a_lost_store_creates_nothing_again(self, tiny_synced: Bench, system: str) -> None:
        give(tiny_synced, REGISTRATIONS, good_rows(partner_names(tiny_synced, system)[0]))
        tiny_synced.sync(system)
        tiny_synced.forget(system)
        plan, _ = tiny_synced.sync(system)
        assert plan.changes == ()

    def test_what_people_edit_or_delete_afterwards_stays(self, tiny_synced: Bench, system: str) -> None:
        give(tiny_synced, REGISTRATIONS, good_rows(partner_names(tiny_synced, system)[0]))
        tiny_synced.sync(system)
        people, ids = People(tiny_synced, system), registrations(tiny_synced, system)
        people.edit("registration", ids["SHEET-1"], "account_name", "Halvorsen Marine AS")
        people.delete("registration", ids["SHEET-2"])
        tiny_synced.box.clock.advance(60)
        tiny_synced.sync(system)
        assert people.value("registration", ids["SHEET-1"], "account_name") == "Halvorsen Marine AS"
        assert "SHEET-2" not in registrations(tiny_synced, system)

    def test_a_number_that_a_person_has_just_used_is_left_alone(self, tiny_synced: Bench, system: str) -> None:
        give(tiny_synced, REGISTRATIONS, good_rows(partner_names(tiny_synced, system)[0]))
        people = People(tiny_synced, system)
        made = people.register("sheet-1", account_name="Typed by hand")
        tiny_synced.sync(system)
        assert people.value("registration", made, "account_name") == "Typed by hand"
        assert "SHEET-1" not in registrations(tiny_synced, system)

    def test_bad_rows_come_back_with_line_column_and_reason(self, tiny_synced: Bench, system: str) -> None:
        partner = partner_names(tiny_synced, system)[0]
        bad = (
            f"SHEET-3,{partner},Acme,acme.example,DE,GTX Pro,10,USD,31.12.2026\n"
            "SHEET-4,Nobody Knows,Acme,acme.example,DE,GTX Pro,10,USD,\n"
        )
        give(tiny_synced, REGISTRATIONS, good_rows(partner) + bad)
        _, report = tiny_synced.sync(system)
        assert (report.status, report.rejects) == ("partial", 2)
        assert [(r["line"], r["column"], r["number"]) for r in rejects(tiny_synced)] == [
            ("4", "submitted_at", "SHEET-3"),
            ("5", "partner", "SHEET-4"),
        ]
        assert "YYYY-MM-DD" in rejects(tiny_synced)[0]["reason"]
        assert {"SHEET-1", "SHEET-2"} <= registrations(tiny_synced, system).keys()

    def test_json_lines_do_as_well(self, tiny_synced: Bench, system: str) -> None:
        row: dict[str, Any] = {
            "number": "LINE-1", "partner": partner_names(tiny_synced, system)[0], "account_name": "Acme",
            "products": ["GTX Pro"], "amount": 12000, "currency": "EUR",
        }  # fmt: skip
        give(tiny_synced, "registrations.jsonl", f"{json.dumps(row)}\n{{broken\n")
        _, report = tiny_synced.sync(system)
        assert (report.created - report.tasks, report.rejects) == (1, 1)
        assert "LINE-1" in registrations(tiny_synced, system)

    def test_the_plan_shows_rows_and_creates_none(self, tiny_synced: Bench, system: str) -> None:
        give(tiny_synced, REGISTRATIONS, good_rows(partner_names(tiny_synced, system)[0]))
        before = tiny_synced.writes(system)
        with tiny_synced.session(system) as session:
            plan, _ = make_plan(session)
        assert [change.key for change in plan.changes] == ["SHEET-1", "SHEET-2"]
        assert tiny_synced.writes(system) == before

    def test_guards_count_rows_before_anything_is_written(self, tiny_synced: Bench, system: str) -> None:
        give(tiny_synced, REGISTRATIONS, good_rows(partner_names(tiny_synced, system)[0]))
        tiny_synced.edit_yaml("crmsync.yaml", "max_changes: 2000", "max_changes: 1")
        before = tiny_synced.writes(system)
        with tiny_synced.session(system) as session, pytest.raises(GuardError, match=r"2 records.*allows 1.*nothing"):
            sync(session)
        assert tiny_synced.writes(system) == before

    def test_a_missing_file_is_named_and_nothing_is_written(self, tiny_synced: Bench, system: str) -> None:
        give(tiny_synced, REGISTRATIONS, HEADER).unlink()
        before = tiny_synced.writes(system)
        with tiny_synced.session(system) as session, pytest.raises(ConfigError, match=REGISTRATIONS):
            sync(session)
        assert tiny_synced.writes(system) == before


class TestTouches:
    def test_a_touch_is_logged_once_wherever_it_stands_in_the_file(self, tiny_synced: Bench, system: str) -> None:
        partner = partner_names(tiny_synced, system)[0]
        people = People(tiny_synced, system)
        before = len(people.ids("touch"))
        account = people.value("account", people.ids("account")[0], "name")
        header = "partner,type,occurred_at,account\n"
        row = f"{partner},demo,2026-06-10T15:30:00Z,{account}\n"
        give(tiny_synced, "touches.csv", header + row, "touch")
        _, report = tiny_synced.sync(system)
        assert report.status == "ok", report.failures
        give(tiny_synced, "touches.csv", f"{header}{partner},intro,2026-06-09,{account}\n{row}", "touch")
        tiny_synced.box.clock.advance(60)
        tiny_synced.sync(system)
        assert len(people.ids("touch")) == before + 2


class TestPartners:
    def test_only_what_is_empty_is_filled(self, tiny_synced: Bench, system: str) -> None:
        people = People(tiny_synced, system)
        partner = people.ids("partner")[0]
        name = people.value("partner", partner, "name")
        kept = people.value("partner", partner, "status")
        people.edit("partner", partner, "tier", None)
        tiny_synced.box.clock.advance(60)
        text = f"name,type,tier,status\n{name},reseller,gold,terminated\n"
        give(tiny_synced, "partners.csv", text, "partner")
        plan, report = tiny_synced.sync(system)
        assert report.status == "ok", report.failures
        assert people.value("partner", partner, "tier") == "gold"
        assert people.value("partner", partner, "status") == kept
        plan, _ = tiny_synced.sync(system)
        assert plan.changes == ()

    def test_companies_that_are_unknown_or_no_partner_are_rejected(self, tiny_synced: Bench, system: str) -> None:
        people = People(tiny_synced, system)
        customer = next(a for a in people.ids("account") if a not in people.ids("partner"))
        name = people.value("account", customer, "name")
        give(tiny_synced, "partners.csv", f"name,type\nNobody Knows,var\n{name},var\n", "partner")
        _, report = tiny_synced.sync(system)
        assert report.rejects == 2
        reasons = [(row["line"], row["column"], row["reason"]) for row in rejects(tiny_synced, "partner")]
        assert reasons[0] == ("2", "name", "no company in the CRM has this name or domain")
        assert "is not marked as a partner" in reasons[1][2]
