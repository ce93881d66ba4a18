"""``crmsync test``."""

from pathlib import Path

import pytest

from tests.cli.conftest import envelope, run

ROOT = Path(__file__).parents[2]


def test_the_starters_scenarios_pass(project: Path) -> None:
    result = run("test", "-p", project)
    assert (result.exit_code, result.stdout) == (0, "✔ 3 scenarios passed\n"), result.output


def test_the_scenarios_of_the_rules_run_without_a_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = run("test", "tests/cases")
    assert result.exit_code == 0, result.output
    assert "scenarios passed" in result.stdout


def test_a_scenario_that_fails_shows_expected_got_and_rule(project: Path) -> None:
    path = project / "tests" / "claims.yaml"
    path.write_text(path.read_text().replace("state: on_hold", "state: rejected"))
    result = run("test", "-p", project)
    assert result.exit_code == 1
    head, statement, *because = result.stdout.splitlines()
    assert head == f"✘ two partners register one customer  {path}:3"
    assert statement == f"    {path}:14  registration R2 state"
    assert because[:3] == [
        "      expected  rejected",
        "      got       on_hold",
        "      because   On hold: R1 comes first.",
    ]
    assert because[3].startswith("      rule      uniqueness.second_registrant  ")
    assert result.stdout.endswith("✘ 2 scenarios passed, 1 failed\n")
    data = envelope(run("test", "-p", project, "--json"))
    assert (data["ok"], data["data"]["failed"]) == (False, 1)
    (failed,) = [scenario for scenario in data["data"]["scenarios"] if not scenario["passed"]]
    assert failed["failures"][0]["expected"] == "rejected"


def test_another_policy_is_tried_with_the_same_scenarios(project: Path, tmp_path: Path) -> None:
    policy = tmp_path / "next.yaml"
    policy.write_text("version: next\nuniqueness: {second_registrant: accept_all}\n")
    result = run("test", "-p", project, "--policy", policy)
    assert result.exit_code == 1
    assert "got       submitted" in result.stdout


def test_only_some(project: Path) -> None:
    assert run("test", "-p", project, "--only", "Two Partners").stdout == "✔ 1 scenario passed\n"
    result = run("test", "-p", project, "--only", "registered before the deal was crated")
    assert result.exit_code == 2
    assert "did you mean 'registered before the deal was created'?" in result.stderr


def test_a_misspelt_key_is_a_usage_error_with_its_place(project: Path) -> None:
    (project / "tests" / "mine.yaml").write_text("- case: x\n  giveen: {}\n")
    result = run("test", "-p", project)
    assert result.exit_code == 2
    assert f"{project}/tests/mine.yaml:2:3: error[E102]: unknown key 'giveen' in a case" in result.stderr
    assert "did you mean 'given'?" in result.stderr


def test_without_scenarios_the_folder_is_named(project: Path) -> None:
    for path in (project / "tests").iterdir():
        path.unlink()
    result = run("test", "-p", project)
    assert result.exit_code == 2
    assert f"no scenario in the folder '{project}/tests'" in result.stderr
