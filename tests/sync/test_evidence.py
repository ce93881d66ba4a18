"""Evidence: complete, dated, and telling whoever changed it apart."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crmsync.cli import main
from crmsync.sync.evidence import build_evidence, verify_evidence
from crmsync.sync.why import explain
from tests.sync.conftest import SYSTEMS, Bench
from tests.sync.people import People


def subject(bench: Bench, system: str) -> str:
    with bench.session(system) as session:
        rows = [row for run in session.store.runs() for row in session.store.run_history(str(run["run_id"]))]
        return next(f"deal:{row.record_id}" for row in rows if (row.kind, row.field) == ("deal", "protection_end"))


def evidence(bench: Bench, system: str, record: str, **ago: int) -> dict[str, Any]:
    with bench.session(system) as session:
        at = bench.now - timedelta(**ago)
        return build_evidence(session.store, session.mapping, record, connection=system, at=at, now=bench.now)


@pytest.mark.parametrize("system", SYSTEMS)
def test_it_tells_everything_up_to_the_date(tiny: Bench, system: str) -> None:
    tiny.sync(system)
    record = subject(tiny, system)
    tiny.box.clock.advance(3600)
    tiny.edit_yaml("policies/baseline.yaml", "value: 90", "value: 91")
    tiny.sync(system)
    now, before = evidence(tiny, system, record), evidence(tiny, system, record, minutes=30)
    assert verify_evidence(now) == verify_evidence(before) == []
    ends = [next(f["value"] for f in d["fields"] if f["field"] == "protection_end") for d in (before, now)]
    assert ends[0] < ends[1]
    assert [len(d["runs"]) for d in (before, now)] == [1, 2]
    events = [event for event in now["chain"]["events"] if event["kind"] == "outcome"]
    assert all(json.loads(event["body"])["status"] == "ok" for event in events)
    texts = {rule["where"]: rule["text"] for rule in now["rules"]}
    assert any("91" in text for text in texts.values())
    assert not any("91" in rule["text"] for rule in before["rules"])
    assert any("90" in rule["text"] for rule in before["rules"])
    with tiny.session(system) as session:
        then = explain(session.store, session.mapping, record, "protection_end", at=tiny.now - timedelta(minutes=30))
        assert then.fields[0].value == ends[0]
        long_ago = explain(session.store, session.mapping, record, at=tiny.now - timedelta(days=9))
        assert (long_ago.fields, long_ago.findings) == ([], [])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d["fields"][0].update(reason="x"), "section 'fields' was changed"),
        (lambda d: d["record"].update(label="x"), "section 'record' was changed"),
        (lambda d: d["chain"]["events"][0]["rows"][0].__setitem__(12, '"x"'), "was changed"),
        (lambda d: d["chain"]["events"][1].update(body="{}"), "was changed"),
        (lambda d: d["chain"]["blocks"][0].update(at="2020"), "of the chain was changed"),
        (lambda d: d["chain"]["blocks"].pop(1), "of the chain is missing"),
        (lambda d: d.pop("runs"), "lost its shape"),
        (lambda d: d.update(as_of="2020"), "digest does not fit"),
    ],
)  # fmt: skip
def test_a_changed_file_says_which_entry(tiny_synced: Bench, change: Any, told: str) -> None:
    document = evidence(tiny_synced, "hubspot", subject(tiny_synced, "hubspot"))
    assert verify_evidence(document) == []
    forged = deepcopy(document)
    change(forged)
    problems = verify_evidence(forged)
    assert any(told in problem for problem in problems), problems


@pytest.mark.parametrize("system", SYSTEMS)
def test_who_overwrote_our_value_is_in_it(tiny: Bench, system: str) -> None:
    tiny.sync(system)
    record = subject(tiny, system)
    people = People(tiny, system)
    people.edit("deal", record.partition(":")[2], "protection_end", None)
    tiny.edit_yaml("policies/baseline.yaml", "value: 90", "value: 91")
    tiny.box.clock.advance(3600)
    tiny.sync(system)
    document = evidence(tiny, system, record)
    told = json.dumps([document["overwritten"], document["findings"]])
    assert "rotection_" in told or "USER_EDIT" in told


def test_the_store_knows_what_it_exported(tiny_synced: Bench, tmp_path: Path) -> None:
    record, file = subject(tiny_synced, "salesforce"), tmp_path / "evidence.json"
    options = ["-p", str(tiny_synced.directory), "-c", "salesforce"]

    def run(*args: str) -> Any:
        return CliRunner().invoke(main, [*args, *options])

    assert run("export", "evidence", record, "--out", str(file)).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    good = run("export", "verify", str(file))
    assert (good.exit_code, "exported here" in good.output) == (0, True)
    assert run("export", "verify").exit_code == 0
    assert "# Evidence: deal" in run("export", "evidence", record, "--format", "md").output
    document = json.loads(file.read_text())
    document["made_at"] = "2020-01-01T00:00:00Z"
    from crmsync.sync.evidence import _digest

    document["digest"] = _digest({k: v for k, v in document.items() if k != "digest"})
    file.write_text(json.dumps(document))
    assert verify_evidence(document) == []  # whoever makes all of it anew gets past the file itself …
    forged = run("export", "verify", str(file))
    assert (forged.exit_code, "does not know this file" in forged.output) == (1, True)  # … but not past the store
    assert run("why", record, "--as-of", "2020-01-01").exit_code == 0
    assert run("why", record, "--as-of", "yesterday").exit_code == 2
