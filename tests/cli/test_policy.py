"""``crmsync policy show``."""

from pathlib import Path

from crmsync.starter import starter_dir
from tests.cli.conftest import envelope, run


def test_the_projects_policy_is_shown_in_words(project: Path) -> None:
    result = run("policy", "show", "-p", project)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("# Rules of engagement: test\n\nVersion 2026-1.")
    assert "* Protection starts on the day it is approved and lasts 90 days.\n" in result.stdout


def test_any_policy_needs_no_project(tmp_path: Path) -> None:
    policy = starter_dir() / "policies" / "baseline.yaml"
    page = run("policy", "show", "--policy", policy, "--format", "html").stdout
    assert page.startswith("<!DOCTYPE html>")
    data = envelope(run("policy", "show", "--policy", policy, "--json"))["data"]
    assert data["sections"][0]["title"] == "Who may register"
    assert data["text"].startswith("# Rules of engagement\n")


def test_a_policy_of_several_versions_shows_the_newest_and_names_the_others(tmp_path: Path) -> None:
    (tmp_path / "1.yaml").write_text("version: old\n")
    (tmp_path / "2.yaml").write_text("version: new\neffective_from: 2026-03-01\n")
    text = run("policy", "show", "--policy", tmp_path).stdout
    assert "Version new, in force from 2026-03-01." in text
    assert "* What was created or submitted before 2026-03-01 is judged by version old.\n" in text


def test_a_mistake_has_its_line(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: x\ncredits: {}\n")
    result = run("policy", "show", "--policy", policy)
    assert result.exit_code == 2
    assert "policy.yaml:2:1: error[E102]" in result.stderr
