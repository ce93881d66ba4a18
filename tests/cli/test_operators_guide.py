"""The operator's guide knows every exit code and every finding, and its commands work on the demo project."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmsync.project import write_starter
from crmsync.rules import FLAGS
from crmsync.rules.reasons import NEXT_ACTIONS
from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN, SALESFORCE_CLIENT_SECRET
from crmsync.sync.codes import SYNC_FINDINGS
from tests.cli.conftest import run

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "operators-guide.md").read_text()
COMMANDS = list(dict.fromkeys(re.findall(r"`crmsync ((?!init|sandbox)[^`]+)`", GUIDE)))
GOES_WELL = (0, 5)


def test_every_exit_code_is_there() -> None:
    codes = re.findall(r"^\| (\d+) \|", (DOCS / "cli.md").read_text(), re.MULTILINE)
    assert codes == re.findall(r"^\| (\d+) \|", GUIDE, re.MULTILINE)
    assert len(codes) == 9


@pytest.mark.parametrize("code", [*FLAGS, *SYNC_FINDINGS])
def test_every_finding_is_there_with_what_to_do(code: str) -> None:
    severity, meaning = {**FLAGS, **SYNC_FINDINGS}[code]
    (row,) = [line for line in GUIDE.splitlines() if line.startswith(f"| `{code}` |")]
    assert row.startswith(f"| `{code}` | {severity} | {meaning} | ")
    assert NEXT_ACTIONS.get(code, "") in row
    assert row.split("|")[4].strip()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The demo project, synced once."""
    directory = tmp_path_factory.mktemp("guide") / "demo"
    write_starter(directory, demo=True)
    with Sandbox(world="small") as box, pytest.MonkeyPatch.context() as patch:
        file = directory / "crmsync.yaml"
        file.write_text(file.read_text().replace("http://127.0.0.1:8790", box.url))
        patch.setenv("CRMSYNC_SANDBOX_SALESFORCE_SECRET", SALESFORCE_CLIENT_SECRET)
        patch.setenv("CRMSYNC_SANDBOX_HUBSPOT_TOKEN", HUBSPOT_TOKEN)
        patch.chdir(directory)
        assert [run("provision", "-c", name).exit_code for name in ("salesforce", "hubspot")] == [0, 0]
        assert run("sync", "--yes").exit_code in GOES_WELL
        yield directory


def test_every_command_of_the_guide_works(project: Path) -> None:
    """In the order in which the guide has them: an undo is saved before it is applied."""
    failed = {}
    for command in COMMANDS:
        result = run(*command.split())
        if result.exit_code not in GOES_WELL:
            failed[command] = (result.exit_code, result.stderr)
    assert failed == {}, failed
    assert len(COMMANDS) > 20
