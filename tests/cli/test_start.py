import json
from pathlib import Path

import pytest

from tests.cli.conftest import envelope, run


def test_init_writes_a_project_that_checks(tmp_path: Path) -> None:
    first = run("init", tmp_path / "p")
    assert first.exit_code == 0
    assert f"wrote {tmp_path / 'p' / 'crmsync.yaml'}" in first.stdout
    checked = run("check", "-p", tmp_path / "p")
    assert checked.exit_code == 0, checked.stderr
    assert "0 errors" in checked.stdout


def test_init_touches_no_project_that_exists(tmp_path: Path) -> None:
    (tmp_path / "crmsync.yaml").write_text("mine")
    result = run("init", tmp_path, "--demo")
    assert result.exit_code == 2
    assert "this is a project already" in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["crmsync.yaml"]


def test_init_keeps_a_mapping_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "hubspot.yaml").write_text("mine")
    assert run("init", tmp_path).exit_code == 0
    assert (tmp_path / "mappings" / "hubspot.yaml").read_text() == "mine"


def test_check_shows_all_files_problems_at_once(project: Path) -> None:
    for name in ("hubspot", "salesforce"):
        mapping = project / "mappings" / f"{name}.yaml"
        mapping.write_text(mapping.read_text() + "surprise: 1\n")
    result = run("check", "-p", project)
    assert result.exit_code == 2
    assert "hubspot.yaml:" in result.stderr
    assert "salesforce.yaml:" in result.stderr
    assert "2 errors" in result.stdout
    document = envelope(run("check", "-p", project, "--json"))
    assert document["ok"] is False
    assert {Path(problem["file"]).name for problem in document["diagnostics"]} == {"hubspot.yaml", "salesforce.yaml"}


def test_schemas_are_printed_and_written(project: Path) -> None:
    printed = json.loads(run("schema", "mapping").stdout)
    assert printed["$schema"]
    result = run("schema", "--write", "-p", project)
    assert result.exit_code == 0
    assert json.loads((project / "schema" / "mapping.json").read_text()) == printed


def test_an_unknown_schema_is_refused() -> None:
    result = run("schema", "maping")
    assert result.exit_code == 2
    assert "project, mapping, policy" in result.stderr


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("crmsync sta", ["status"]),
        ("crmsync schema p", ["project", "policy"]),
        ("crmsync sync -c ", ["acme", "globex"]),
        ("crmsync -c g", ["globex"]),
    ],
)
def test_the_shell_completes(typed: str, offered: list[str], project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(typed.count(" ")))
    monkeypatch.setenv("_CRMSYNC_COMPLETE", "bash_complete")
    assert [line.split(",")[1] for line in run().stdout.splitlines()] == offered
