"""Global options, errors and exit codes: what every command shares."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from crmsync import __version__
from crmsync.cli import COMMANDS
from crmsync.errors import GuardError
from tests.cli.conftest import envelope, run


def test_help_names_every_command() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for name, entry in COMMANDS.items():
        assert f"  {name} " in result.stdout
        assert entry.help in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: crmsync {name}")


def test_help_imports_nothing_heavy() -> None:
    heavy = (
        "('rich', 'structlog', 'pydantic', 'sqlite_utils', 'apscheduler', 'requests', 'hubspot', 'starlette', 'yaml')"
    )
    code = (
        "import sys\nfrom crmsync.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_command_and_exit_code_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    for name in COMMANDS:
        assert f"\n| `{name}" in text, name
    for code in (0, 1, 2, 3, 4, 5, 6, 70, 130):
        assert f"\n| {code} |" in text


def test_version() -> None:
    assert run("--version").stdout == f"crmsync, version {__version__}\n"


@pytest.mark.parametrize(("typed", "meant"), [("pla", "plan"), ("aply", "apply"), ("finding", "findings")])
def test_a_near_miss_is_named(typed: str, meant: str) -> None:
    result = run(typed)
    assert result.exit_code == 2
    assert result.stderr == f"error[E110]: no command '{typed}'\n  = did you mean '{meant}'?\n"


def test_a_wrong_option_is_a_usage_error() -> None:
    result = run("plan", "--ful")
    assert result.exit_code == 2
    assert "no such option" in result.stderr
    assert "--full" in result.stderr


@pytest.mark.parametrize("order", [("--json", "-p", "{}", "status"), ("status", "-p", "{}", "--json")])
def test_global_options_go_before_or_after(order: tuple[str, ...], project: Path) -> None:
    result = run(*(part.format(project) for part in order))
    assert result.exit_code == 0
    assert envelope(result)["schema"] == "crmsync.status/1"


def test_errors_are_an_envelope_too() -> None:
    result = run("--json", "apply", "nowhere.json")
    assert result.exit_code == 2
    document = envelope(result)
    assert document["ok"] is False
    assert document["diagnostics"][0]["message"] == "no plan file at 'nowhere.json'"
    assert result.stderr == ""


def test_no_project_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("status")
    assert result.exit_code == 2
    assert "crmsync init" in result.stderr


def test_an_unknown_connection_is_named(project: Path) -> None:
    result = run("runs", "-p", project, "-c", "acmee")
    assert result.exit_code == 2
    assert "no connection 'acmee'" in result.stderr
    assert "did you mean 'acme'?" in result.stderr


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def load_plan(_path: Path) -> None:
        raise error

    monkeypatch.setattr("crmsync.sync.planfile.load_plan", load_plan)


def test_an_error_of_ours_has_its_own_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, GuardError("the plan changes 9 records", hint="look at it with `crmsync plan`"))
    result = run("apply", "x")
    assert result.exit_code == 6
    assert result.stderr == "error[E600]: the plan changes 9 records\n  = look at it with `crmsync plan`\n"


def test_a_bug_leaves_a_report_without_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failing(monkeypatch, ValueError("token pat-na1-1234-c4n4ry of jane@customer.example"))
    result = run("apply", "x")
    assert result.exit_code == 70
    assert "a bug in crmsync (ValueError)" in result.stderr
    assert "c4n4ry" not in result.stderr
    (report,) = (tmp_path / "state" / "crmsync").iterdir()
    assert str(report) in result.stderr
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    text = report.read_text()
    assert "Traceback" in text
    assert "c4n4ry" not in text
    assert "jane@customer.example" not in text


def test_what_the_machine_refuses_is_no_bug(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("init", tmp_path / "file" / "project")
    assert result.exit_code == 1
    assert "not a directory" in result.stderr
    assert result.stderr.startswith("error[E550]: ")


@pytest.mark.parametrize("args", [(), ("sandbox",)])
def test_a_group_alone_shows_its_help(args: tuple[str, ...]) -> None:
    result = run(*args)
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: crmsync")


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, KeyboardInterrupt())
    result = run("apply", "x")
    assert result.exit_code == 130
    assert "interrupted" in result.stderr


def test_a_reader_that_leaves_early_is_no_crash() -> None:
    shell = f"{sys.executable} -m crmsync schema | head -1"
    done = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script(shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert "_CRMSYNC_COMPLETE" in result.stdout
