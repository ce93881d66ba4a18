"""Means: a budget of calls is never exceeded, production is confirmed once, an old plan is refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from crmsync.errors import GuardError, QuotaExhausted, UsageError
from crmsync.sync.cycle import apply_plan, make_plan
from crmsync.sync.guards import _check_production, confirm_production
from tests.sync.conftest import SYSTEMS, Bench


def limit(bench: Bench, line: str) -> None:
    """Into every connection of the project."""
    path = bench.directory / "crmsync.yaml"
    path.write_text(path.read_text().replace("    mapping:", f"    {line}\n    mapping:"))


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_run_stops_at_its_budget_and_the_next_one_goes_on(tiny: Bench, system: str) -> None:
    limit(tiny, "limits: {per_run: 12}")
    done = False
    for _ in range(40):
        before = tiny.calls(system)
        with suppress(QuotaExhausted):
            done = tiny.sync(system)[1].status == "ok"
        assert tiny.calls(system) - before <= 12
        if done:
            break
        tiny.box.clock.advance(60)
    with tiny.session(system) as session:
        failed = [run for run in session.store.runs() if run["status"] == "failed"]
        assert failed
        assert all("E430" in str(run["error"]) for run in failed)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_days_budget_counts_over_runs(tiny: Bench, system: str) -> None:
    limit(tiny, "limits: {per_day: 10}")
    with pytest.raises(QuotaExhausted):
        tiny.sync(system)
    assert tiny.calls(system) <= 12  # sign-in included
    used = tiny.calls(system)
    with pytest.raises(QuotaExhausted, match=r"limits\.per_day"):
        tiny.sync(system)
    assert tiny.calls(system) == used
    tiny.box.clock.advance(86_400)
    with pytest.raises(QuotaExhausted):
        tiny.sync(system)
    assert tiny.calls(system) > used


@pytest.mark.parametrize("system", SYSTEMS)
def test_production_is_confirmed_once_by_name(tiny: Bench, system: str) -> None:
    limit(tiny, "production: true")
    before = tiny.writes(system)
    with pytest.raises(GuardError, match=r"\d+ records planned, 0 written") as caught:
        tiny.sync(system)
    assert caught.value.code == "E610"
    assert tiny.writes(system) == before
    with tiny.session(system) as session:
        with pytest.raises(UsageError, match="not the name"):
            confirm_production(session, "yes")
        confirm_production(session, system)
    assert tiny.sync(system)[1].status == "ok"
    tiny.box.clock.advance(60)
    assert tiny.sync(system)[1].status == "ok"


def become_production(bench: Bench, system: str) -> None:
    """The CRM says of itself that it is no sandbox."""
    if system == "hubspot":
        bench.box.hubspot.account_type = "STANDARD"
        return
    org = bench.box.salesforce
    with org.store.transaction():
        org.store.update(org.schema.require("Organization"), org.rows("Organization")[0]["Id"], {"IsSandbox": False})


@pytest.mark.parametrize("system", SYSTEMS)
def test_production_is_what_the_crm_says_of_itself(tiny: Bench, system: str) -> None:
    become_production(tiny, system)
    before = tiny.writes(system)
    with pytest.raises(GuardError, match=r"is production by its own account .* [1-9]\d* records planned, 0 written"):
        tiny.sync(system)
    with tiny.session(system) as session:
        plan, _ = make_plan(session)
        with pytest.raises(GuardError, match="is production by its own account") as caught:
            apply_plan(session, plan)
        assert (caught.value.code, caught.value.exit_code) == ("E610", 6)
        assert tiny.writes(system) == before
        confirm_production(session, system)
        assert apply_plan(session, plan).status == "ok"
    assert tiny.writes(system) > before


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_confirmed_connection_is_not_asked_again(tiny_synced: Bench, system: str) -> None:
    become_production(tiny_synced, system)
    assert tiny_synced.sync(system)[0].changes == ()  # nothing to write, nothing to confirm
    with tiny_synced.session(system) as session:
        confirm_production(session, system)
        session.connector.is_production = pytest.fail  # type: ignore[method-assign]
        _check_production(session, 1)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_project_may_say_that_it_is_no_production(tiny: Bench, system: str) -> None:
    become_production(tiny, system)
    limit(tiny, "production: false")
    assert tiny.sync(system)[1].status == "ok"


def test_a_crm_that_does_not_say_counts_as_production(tiny: Bench) -> None:
    tiny.box.hubspot.account_type = ""
    with pytest.raises(GuardError, match="does not say whether it is production"):
        tiny.sync("hubspot")


def test_a_plan_expires(tiny: Bench) -> None:
    before = tiny.writes("salesforce")
    with tiny.session("salesforce") as session:
        plan, _ = make_plan(session)
    later = tiny.now + timedelta(hours=25)
    too_old = pytest.raises(UsageError, match=r"25\.\d h old, plan_expires allows 24\.0 h")
    with tiny.session("salesforce", later) as session, too_old:
        apply_plan(session, plan)
    assert tiny.writes("salesforce") == before
    config = tiny.directory / "crmsync.yaml"
    config.write_text(f"{config.read_text()}\nplan_expires: 2d\n")
    with tiny.session("salesforce", tiny.now + timedelta(hours=25)) as session:
        assert apply_plan(session, plan).status == "ok"
