"""A plan is a value: the same everywhere; a saved one is done exactly, or refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crmsync.errors import UsageError
from crmsync.sync.cycle import apply_plan, make_plan
from crmsync.sync.planfile import load_plan, save_plan
from tests.sync.conftest import SECRETS, SYSTEMS, Bench, make_project
from tests.sync.people import People

DIGEST = """
import sys
from datetime import datetime
from pathlib import Path
from crmsync.project import load_project
from crmsync.sync.cycle import make_plan
from crmsync.sync.session import open_session
with open_session(load_project(Path(sys.argv[1])), sys.argv[2], now=datetime.fromisoformat(sys.argv[3])) as session:
    print(make_plan(session)[0].digest)
"""


@pytest.mark.parametrize("system", SYSTEMS)
def test_it_is_the_same_bytes_in_every_place_and_process(tiny: Bench, tmp_path: Path, system: str) -> None:
    now = tiny.now.replace(microsecond=0).isoformat()
    digests = set()
    for seed in ("1", "2"):
        project = make_project(tmp_path / f"elsewhere-{seed}", tiny.box.url)
        done = subprocess.run(
            [sys.executable, "-c", DIGEST, str(project), system, now],
            env={**os.environ, **SECRETS, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True, cwd=Path.cwd(),
        )  # fmt: skip
        digests.add(done.stdout.strip().splitlines()[-1])
    assert len(digests) == 1


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_saved_plan_is_done_exactly_and_decided_next(tiny: Bench, tmp_path: Path, system: str) -> None:
    with tiny.session(system) as session:
        plan, _ = make_plan(session)
        save_plan(plan, tmp_path / "plan.json")
        assert (tmp_path / "plan.json").stat().st_mode & 0o777 == 0o600
        loaded = load_plan(tmp_path / "plan.json")
        assert loaded == plan
        report = apply_plan(session, loaded)
        assert (report.status, report.written) == ("ok", len(plan.changes))
        again = apply_plan(session, loaded)
        assert again.status == "ok"
    rest, report = tiny.sync(system)
    assert rest.changes == ()
    assert report.decided > 0
    with tiny.session(system) as session:
        assert session.store.findings()
        assert session.store.pending() == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_records_that_are_deleted_or_merged_meanwhile_are_reported(tiny: Bench, system: str) -> None:
    people = People(tiny, system)
    with tiny.session(system) as session:
        plan, _ = make_plan(session)
        deal = next(change for change in plan.changes if change.kind == "deal")
        people.delete("deal", deal.id or "")
        report = apply_plan(session, plan)
    assert ("GONE", deal.id) in [(failure.code, failure.record_id) for failure in report.failures]
    tiny.box.clock.advance(60)
    _, report = tiny.sync(system)
    assert report.status == "ok", report.failures
    plan, _ = tiny.sync(system)
    assert plan.changes == ()


def test_a_plan_for_another_policy_or_connection_is_refused(tiny: Bench) -> None:
    with tiny.session("salesforce") as session:
        plan, _ = make_plan(session)
    with tiny.session("hubspot") as session, pytest.raises(UsageError, match="connection 'salesforce'"):
        apply_plan(session, plan)
    tiny.edit_yaml("policies/baseline.yaml", "value: 90", "value: 91")
    with tiny.session("salesforce") as session, pytest.raises(UsageError, match="policy changed"):
        apply_plan(session, plan)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "no plan file"),
        (b"\xff\xfe", "is not a plan file"),
        (b"[]", "is not a crmsync.plan/1 file"),
        (b'{"schema": "crmsync.plan/1"}', "was changed"),
        (b'{"schema": "crmsync.plan/1", "digest": "0", "plan": {"changes": 3}}', "was changed"),
        (b'{"schema": "crmsync.plan/1", "digest": "0", "plan": null}', "was changed"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "plan.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=problem) as caught:
        load_plan(path)
    assert "crmsync plan --save" in caught.value.hint


def test_an_edited_plan_is_refused(tiny: Bench, tmp_path: Path) -> None:
    with tiny.session("hubspot") as session:
        plan, _ = make_plan(session)
    path = tmp_path / "plan.json"
    save_plan(plan, path)
    path.write_bytes(path.read_bytes().replace(b'"sourced"', b'"direct"', 1))
    with pytest.raises(UsageError, match="changed after it was saved"):
        load_plan(path)


def test_a_place_that_cannot_be_written_is_named(tiny: Bench, tmp_path: Path) -> None:
    with tiny.session("hubspot") as session:
        plan, _ = make_plan(session)
    with pytest.raises(UsageError, match="cannot write the plan"):
        save_plan(plan, tmp_path / "nowhere" / "plan.json")
