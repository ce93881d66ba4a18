"""What-if says what a plan under the other policy then holds, and asks no CRM for it."""

from pathlib import Path

import pytest

from crmsync.connectors.hubspot import records as hubspot_records
from crmsync.connectors.salesforce import push as salesforce_push
from crmsync.project import load_project
from crmsync.sync.cycle import make_plan
from crmsync.sync.session import open_session
from crmsync.sync.whatif import BATCH, WhatIf, what_if
from tests.sync.conftest import SYSTEMS, Bench

LONGER = ("length: {value: 90, unit: days}", "length: {value: 120, unit: days}")


def changed(bench: Bench, old: str, new: str) -> Path:
    text = (bench.directory / "policies" / "baseline.yaml").read_text()
    assert old in text
    path = bench.directory / "policies" / "next.yaml"
    path.write_text(text.replace(old, new))
    return path


def ask(bench: Bench, system: str, policy: Path) -> WhatIf:
    project = load_project(bench.directory)
    with open_session(project, system, now=bench.now, environ={}, readonly=True) as session:
        return what_if(session, policy)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_plan_under_the_new_policy_holds_what_was_foretold(tiny_synced: Bench, system: str) -> None:
    calls = tiny_synced.calls(system)
    foretold = ask(tiny_synced, system, changed(tiny_synced, *LONGER))
    assert tiny_synced.calls(system) == calls
    assert foretold.flips.protections["moved"] > 0
    tiny_synced.edit_yaml("policies/baseline.yaml", *LONGER)
    with tiny_synced.session(system) as session:
        plan, _ = make_plan(session)
    planned = {change.place for change in plan.changes if change.op == "update"}
    assert sum(foretold.records.values()) == len(planned) > 0


def test_batches_are_those_of_the_connectors() -> None:
    assert BATCH == {"salesforce": salesforce_push.MAX_WRITES, "hubspot": hubspot_records.BATCH}
