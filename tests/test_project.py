import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from crmsync.diagnostics import Diagnostic, render_all
from crmsync.errors import ConfigError, UsageError
from crmsync.mappings import mapping_json_schema
from crmsync.project import Project, find_project, load_project, project_json_schema, starter_dir, write_starter
from crmsync.rules import policy_json_schema

TEXT = """\
version: 1
name: test
connections:
  sf:
    type: salesforce
    url: https://acme.my.salesforce.com/
    mapping: m.yaml
    auth: {flow: client_credentials, client_id: abc, client_secret: {env: SF_SECRET}}
  hs:
    type: hubspot
    mapping: m.yaml
    auth: {flow: token, token: {file: token.txt, env: HS_TOKEN}}
policy: p.yaml
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name in ("m.yaml", "p.yaml"):
        (tmp_path / name).touch()
    return tmp_path


def load(directory: Path, text: str = TEXT) -> Project:
    (directory / "crmsync.yaml").write_text(text)
    return load_project(directory)


def problems(directory: Path, old: str, new: str) -> list[Diagnostic]:
    assert old in TEXT
    with pytest.raises(ConfigError) as caught:
        load(directory, TEXT.replace(old, new, 1))
    return list(caught.value.diagnostics)


# ------------------------------------------------------------------ what is loaded


def test_a_connection_knows_where_its_secrets_are_and_nothing_more(directory: Path) -> None:
    project = load(directory)
    salesforce, hubspot = project.connection("sf"), project.connection("hs")
    assert salesforce.url == "https://acme.my.salesforce.com"
    assert salesforce.auth == {"flow": "client_credentials", "client_id": "abc"}
    assert salesforce.secrets == {"client_secret": {"env": "SF_SECRET"}}
    assert hubspot.url == "https://api.hubapi.com"
    assert hubspot.secrets == {"token": {"env": "HS_TOKEN", "file": "token.txt"}}
    assert (hubspot.api_share, hubspot.timeout_s, hubspot.overlap_s) == (0.8, 30.0, 600)


def test_paths_start_from_the_file(directory: Path) -> None:
    project = load(directory)
    assert project.policy == directory / "p.yaml"
    assert project.connection("sf").mapping == directory / "m.yaml"
    assert project.store_path("sf") == directory / ".crmsync" / "sf.db"


def test_the_default_connection_is_the_one_named_else_the_first(directory: Path) -> None:
    assert load(directory).connection().name == "sf"
    assert load(directory, TEXT + "default_connection: hs\n").connection().name == "hs"


def test_an_unknown_connection_is_a_usage_error(directory: Path) -> None:
    with pytest.raises(UsageError, match="no connection 'hss'") as caught:
        load(directory).connection("hss")
    assert caught.value.hint == "did you mean 'hs'?"


def test_guards_schedule_and_intake(directory: Path) -> None:
    more = """\
guards: {max_changes: 5, max_percent: 12.5, first_run: {max_changes: 900}, deletes: never}
schedule: {every: 90s, timezone: Europe/Berlin, jitter: 1m}
intake:
  - {kind: registration, file: in/r.csv, rejects: in/bad.csv}
  - {kind: touch, file: in/t.jsonl}
"""
    project = load(directory, TEXT + more)
    guards = project.guards
    assert (guards.max_changes, guards.max_percent, guards.first_run_max_changes) == (5, 12.5, 900)
    assert project.schedule is not None
    assert (project.schedule.every_s, project.schedule.jitter_s, project.schedule.cron) == (90, 60, "")
    assert [(i.kind, i.rejects) for i in project.intake] == [
        ("registration", directory / "in/bad.csv"),
        ("touch", None),
    ]


def test_cron_counts_sunday_as_0_and_as_7(directory: Path) -> None:
    assert load(directory, TEXT + 'schedule: {cron: "0 6 * * 7"}\n').schedule is not None


def test_a_cron_line_is_a_schedule(directory: Path) -> None:
    schedule = load(directory, TEXT + 'schedule: {cron: "*/15 7-19 * * mon-fri"}\n').schedule
    assert schedule is not None
    assert (schedule.cron, schedule.every_s, schedule.timezone) == ("*/15 7-19 * * mon-fri", None, "UTC")


# ------------------------------------------------------------------ finding it


def test_the_file_is_found_upward(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(directory)
    below = directory / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert find_project() == directory / "crmsync.yaml"
    assert load_project().name == "test"


def test_no_file_is_a_usage_error_that_names_init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (None, tmp_path, tmp_path / "other.yaml"):
        with pytest.raises(UsageError) as caught:
            find_project(path)
        assert "crmsync init" in caught.value.hint


# ------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("old", "new", "code", "message", "hint"),
    [
        ("policy:", "polcy:", "E102", "unknown key 'polcy' in the project", "'policy'"),
        ("type: hubspot", "type: hubspt", "E106", "unknown value 'hubspt'", "'hubspot'"),
        ("flow: token", "flow: tokn", "E106", "unknown value 'tokn'", "'token'"),
        ("flow: token, ", "", "E104", "the key 'flow' is missing", "flow:"),
        ("client_id: abc, ", "", "E104", "the key 'client_id' is missing in the sign-in", "client_id:"),
        ("token: {file: token.txt, env: HS_TOKEN}", "token: {}", "E107", "names no place", "env: NAME"),
        ("    mapping: m.yaml\n", "", "E104", "the key 'mapping' is missing in a connection", "mapping:"),
        ("mapping: m.yaml", "mapping: mm.yaml", "E123", "no file 'mm.yaml'", "'m.yaml'"),
        ("policy: p.yaml", "policy: no/p.yaml", "E123", "no file 'no/p.yaml'", "directory of this file"),
        ("https://acme", "http://acme", "E121", "http:// would show the token", "https://"),
        ("https://acme.my.salesforce.com/", "acme", "E121", "wanted an address", "https://"),
        ("https://acme.my.salesforce.com/", "https://a:99999", "E121", "not sound", ""),
        ("  sf:", "  SF Prod:", "E107", "no name for a connection", "lower case"),
        ("name: test", "name: test\ndefault_connection: sff", "E122", "unknown connection 'sff'", "'sf'"),
        ("name: test", "name: test\nschedule: {}", "E107", "either 'cron' or 'every'", "every: 15m"),
        ("name: test", "name: test\nschedule: {every: 5x}", "E107", "wanted a length of time", "15m"),
        ("name: test", "name: test\nschedule: {every: 1s}", "E107", "at least 10", ""),
        ("name: test", "name: test\nschedule: {cron: '99 * * * *'}", "E107", "no cron line", "minute hour day"),
        ("name: test", "name: test\nschedule: {every: 1h, timezone: CET}", "E107", "unknown time zone", ""),
        ("name: test", "name: test\nguards: {deletes: always}", "E106", "unknown value 'always'", "never"),
        ("name: test", "name: test\nguards: {max_changes: -1}", "E107", "at least 0", ""),
        ("name: test", "name: test\nintake: [{kind: lead, file: x}]", "E106", "unknown value 'lead'", ""),
    ],
)
def test_a_mistake_is_told_at_its_place(
    directory: Path, old: str, new: str, code: str, message: str, hint: str
) -> None:
    (found,) = problems(directory, old, new)
    assert found.code == code
    assert message in found.message
    assert hint in found.hint
    assert found.span
    assert found.hint


def test_loopback_may_be_plain_http(directory: Path) -> None:
    for host in ("127.0.0.1:8790", "localhost:1", "[::1]:80"):
        assert load(directory, TEXT.replace("https://acme.my.salesforce.com/", f"http://{host}")).connection("sf").url


SECRET = "pat-na1-11111111-2222-3333"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{file: token.txt, env: HS_TOKEN}", SECRET),
        ("{file: token.txt, env: HS_TOKEN}", f"{{env: {SECRET}}}"),
        ("{file: token.txt, env: HS_TOKEN}", f"{{keyring: {SECRET}}}"),
        ("{file: token.txt, env: HS_TOKEN}", f"[{SECRET}]"),
        ("{file: token.txt, env: HS_TOKEN}", f"{SECRET}, token: x"),
        ("client_id: abc", f"client_id: {SECRET}"),
        ("https://acme", f"https://me:{SECRET}@acme"),
        ("{flow: token, token: {file: token.txt, env: HS_TOKEN}}", SECRET),
        ("name: test", f"name: [{SECRET}"),
        ("{env: SF_SECRET}", f"'{SECRET}"),
    ],
)
def test_a_secret_in_the_file_is_refused_and_never_shown(directory: Path, old: str, new: str) -> None:
    found = problems(directory, old, new)
    assert SECRET not in render_all(found)
    assert SECRET not in json.dumps([d.as_json() for d in found])


def test_a_plain_password_is_refused_and_not_shown(directory: Path) -> None:
    (found,) = problems(directory, "{env: SF_SECRET}", "hunter2")
    assert (found.code, "hunter2" in found.render()) == ("E120", False)
    assert "{env: NAME}" in found.hint


# ------------------------------------------------------------------ the starter


def test_the_starter_loads(tmp_path: Path) -> None:
    written = write_starter(tmp_path)
    assert {p.relative_to(tmp_path).parts[0] for p in written} == {
        "crmsync.yaml",
        "mappings",
        "policies",
        "tests",
        "schema",
    }
    project = load_project(tmp_path)
    assert list(project.connections) == ["salesforce", "hubspot"]
    assert all(c.mapping.is_file() for c in project.connections.values())


def test_the_demo_points_at_the_sandbox(tmp_path: Path) -> None:
    write_starter(tmp_path, demo=True)
    project = load_project(tmp_path)
    assert {c.name: c.url for c in project.connections.values()} == {
        "salesforce": "http://127.0.0.1:8790",
        "hubspot": "http://127.0.0.1:8790",
    }


def test_the_demo_brings_the_mappings_of_its_crms(tmp_path: Path) -> None:
    write_starter(tmp_path, demo=True)
    for name in ("salesforce.yaml", "hubspot.yaml"):
        assert (tmp_path / "mappings" / name).read_text() == (starter_dir() / "demo/mappings" / name).read_text()


def test_the_starter_keeps_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "crmsync.yaml").write_text("mine")
    assert tmp_path / "crmsync.yaml" not in write_starter(tmp_path)
    assert (tmp_path / "crmsync.yaml").read_text() == "mine"
    assert write_starter(tmp_path) == []


def test_an_installed_package_finds_its_starter(tmp_path: Path) -> None:
    """As pip installs it: the package in one place, the data files under the prefix."""
    package = tmp_path / "site"
    shutil.copytree(
        Path(__file__).parents[1] / "crmsync", package / "crmsync", ignore=shutil.ignore_patterns("sandbox")
    )
    shutil.copytree(starter_dir(), tmp_path / "prefix/share/crmsync/config")
    code = f"import sysconfig; sysconfig.get_path = lambda _: {str(tmp_path / 'prefix')!r}; "
    code += "from crmsync.starter import starter_dir; print(starter_dir())"
    found = subprocess.run([sys.executable, "-c", code], cwd=package, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == str(tmp_path / "prefix/share/crmsync/config")


def test_the_data_files_of_the_package_are_the_starter_and_the_base_of_the_demo() -> None:
    import tomllib

    root = Path(__file__).parents[1]
    listed = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["data-files"]
    installed = {path for patterns in listed.values() for pattern in patterns for path in root.glob(pattern)}
    base = root / "fixtures" / "crm-sales-opportunities"
    assert installed == {path for path in (*(root / "config").rglob("*"), *base.iterdir()) if path.is_file()}


# ------------------------------------------------------------------ for editors


@pytest.mark.parametrize(
    ("name", "schema"),
    [("project", project_json_schema()), ("mapping", mapping_json_schema()), ("policy", policy_json_schema())],
)
def test_the_schemas_of_the_starter_are_sound_and_current(name: str, schema: dict[str, Any]) -> None:
    """Written by ``crmsync schema --write``."""
    Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert json.loads((starter_dir() / "schema" / f"{name}.json").read_text()) == schema


@pytest.mark.parametrize("name", ["crmsync.yaml", "demo/crmsync.yaml"])
def test_the_schema_accepts_the_starter(name: str) -> None:
    data = yaml.safe_load((starter_dir() / name).read_text())
    assert [e.message for e in Draft7Validator(project_json_schema()).iter_errors(data)] == []
