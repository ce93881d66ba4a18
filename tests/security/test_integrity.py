"""Items 35–48 of docs/security.md: what is read, what may be written, what a release is made of, how failures look."""

from __future__ import annotations

import io
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import structlog

from crmsync import log
from crmsync.cli import failures
from crmsync.connectors.wire import Wire
from crmsync.errors import GuardError
from crmsync.sync.allowed import allowed_fields, check_allowed
from crmsync.sync.cycle import apply_plan, make_plan, sync
from crmsync.sync.plan import Change, FieldChange
from tests.sync.conftest import SYSTEMS, Bench

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()
PINNED = dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", LOCK, re.MULTILINE))
MOST_DEPENDENCIES = 30

both = pytest.mark.parametrize("system", SYSTEMS)


# ---------------------------------------------------------------------- privacy


def test_35_personal_fields_and_addresses_are_not_in_the_log() -> None:
    stream = io.StringIO()
    log.setup_logging("debug", stream=stream)
    structlog.get_logger().info(
        "row", email="jane@customer.example", text="ask jane@customer.example", phone="+1 555 0100"
    )
    assert "jane" not in stream.getvalue()


@both
def test_37_only_mapped_fields_are_asked_for(tiny: Bench, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, bytes]] = []
    exchange = Wire.exchange

    def listen(wire: Wire, method: str, url: str, headers: Any, body: bytes | None) -> Any:
        sent.append((unquote(url), body or b"{}"))
        return exchange(wire, method, url, headers, body)

    monkeypatch.setattr(Wire, "exchange", listen)
    with tiny.session(system) as session:
        known = set().union(*allowed_fields(session.mapping).values())
        sync(session)
    technical = {"Id", "SystemModstamp", "IsDeleted", "MasterRecordId", "LastModifiedById", "LastModifiedDate"}
    technical |= {"IsSandbox"}  # of the organization: is this production?
    technical |= {"hs_object_id", "hs_lastmodifieddate", "lastmodifieddate", "hs_merged_object_ids"}
    asked = [name for url, body in sent for name in _asked(url, body)]
    assert len(asked) > 50
    assert set(asked) - known - technical == set()


def _asked(url: str, body: bytes) -> Iterator[str]:
    """Field names that a reading request names."""
    query = parse_qs(urlsplit(url).query)
    if soql := re.match(r"SELECT (.*?) FROM \w+", query.get("q", [""])[0]):
        yield from (part for part in soql[1].split(",") if "(" not in part and " " not in part)
    yield from query.get("properties", [])
    if url.endswith(("/search", "/batch/read")) or "/composite/sobjects/" in url:
        told = json.loads(body)
        if isinstance(told, dict):
            yield from [*told.get("properties", []), *told.get("fields", [])]


# ---------------------------------------------------------------------- what may be written


@both
@pytest.mark.parametrize("what", ["a field that no mapping names", "an object that no mapping names"])
def test_38_nothing_but_mapped_fields_can_be_written(tiny: Bench, system: str, what: str) -> None:
    with tiny.session(system) as session:
        plan, _ = make_plan(session)
        first = plan.changes[0]
        if what.startswith("a field"):
            odd = replace(first, fields=(*first.fields, replace(first.fields[0], remote_field="IsAdmin__c")))
        else:
            odd = replace(first, object="User")
        before = tiny.writes(system)
        with pytest.raises(GuardError, match="the mapping does not name") as caught:
            apply_plan(session, replace(plan, changes=(*plan.changes[1:], odd)))
    assert (caught.value.code, caught.value.exit_code) == ("E640", 6)
    assert tiny.writes(system) == before


@both
def test_38_everything_that_a_sync_writes_is_allowed(tiny: Bench, system: str) -> None:
    with tiny.session(system) as session:
        plan, _ = make_plan(session)
        check_allowed(session.mapping, plan.changes)
        assert isinstance(plan.changes[0], Change)
        assert isinstance(plan.changes[0].fields[0], FieldChange)


@both
def test_39_a_run_that_would_change_too_much_stops_before_its_first_write(tiny: Bench, system: str) -> None:
    before = tiny.writes(system)
    with tiny.session(system) as session, pytest.raises(GuardError) as caught:
        sync(session, limits=session.project.guards.model_copy(update={"max_changes": 1, "first_run_max_changes": 1}))
    assert re.search(r"\d", caught.value.message)
    assert tiny.writes(system) == before


@both
def test_40_a_dry_run_makes_no_request_that_could_change_anything(tiny: Bench, system: str) -> None:
    crm = getattr(tiny.box, system)
    crm.reset_requests()
    with tiny.session(system) as session:
        plan, _ = make_plan(session)
    assert plan.changes
    assert crm.write_count() == 0
    reading = re.compile(r"/search$|/batch/read$|/oauth2/token$|/oauth/v1/token$|/composite/sobjects/\w+$")
    mutating = [(method, path) for method, path, _ in crm.requests if method != "GET" and not reading.search(path)]
    assert mutating == []
    assert len(crm.requests) > 10


# ---------------------------------------------------------------------- supply chain


def test_43_every_dependency_is_pinned_with_its_hashes() -> None:
    wanted = {re.split(r"[><=\[ ]", item)[0].lower().replace("_", "-") for item in PROJECT["dependencies"]}
    assert wanted <= {name.replace("_", "-") for name in PINNED}
    blocks = re.split(r"\n(?=\S)", LOCK.strip())
    assert all("--hash=sha256:" in block for block in blocks if not block.startswith("#"))
    assert "://" not in LOCK


def test_44_the_bill_of_materials_is_that_of_the_lock() -> None:
    bill = json.loads((ROOT / "sbom.cdx.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert {item["name"]: item["version"] for item in bill["components"]} == PINNED
    hashes = {h["content"] for item in bill["components"] for h in item["hashes"]}
    assert hashes == set(re.findall(r"sha256:([0-9a-f]{64})", LOCK))


def test_45_dependencies_are_few_and_none_is_an_alias_of_another_place() -> None:
    assert len(PROJECT["dependencies"]) <= MOST_DEPENDENCIES
    assert not [item for item in PROJECT["dependencies"] if "@" in item or "://" in item]


def test_46_continuous_integration_runs_nothing_but_the_repository() -> None:
    """No action of others is called, so none has to be pinned; no secret is used."""
    script = (ROOT / ".ci" / "run").read_text()
    assert "exec make test" in script
    assert not re.search(r"curl|wget|secrets\.|TOKEN|uses:", script)
    assert not (ROOT / ".github" / "workflows").exists()


# ---------------------------------------------------------------------- failure


def test_48_a_bug_says_where_its_report_is_and_nothing_of_its_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    log.register_secret("canary-secret")
    code = failures.report_failure(ValueError("canary-secret of jane@customer.example"), ["sync"], "sync")
    shown: Any = capsys.readouterr()
    (report,) = (tmp_path / "crmsync").iterdir()
    assert code == 70
    assert "E999" in shown.err
    for text in (shown.err, shown.out, report.read_text()):
        assert "canary-secret" not in text
        assert "jane@" not in text
    assert "Traceback" not in shown.err
    assert report.stat().st_mode & 0o777 == 0o600


@both
def test_48_a_check_that_cannot_run_stops_the_run(tiny: Bench, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail closed: what stands before the first write may not be skipped because it broke."""

    def broken(*_: object) -> None:
        raise RuntimeError("the check broke")

    monkeypatch.setattr("crmsync.sync.push.check_allowed", broken)
    before = tiny.writes(system)
    with tiny.session(system) as session, pytest.raises(RuntimeError):
        sync(session)
    assert tiny.writes(system) == before
