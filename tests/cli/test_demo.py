"""The demo, on the small world: what the README promises, told in order, without a terminal."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import envelope, run


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("demo") / "demo"
    result = run("demo", "--directory", directory, "--world", "small")
    assert result.exit_code == 0, result.stderr
    assert "Traceback" not in result.stderr
    return directory, result.stdout


def test_it_goes_through_both_crms_step_by_step(told: tuple[Path, str]) -> None:
    steps = re.findall(r"^\$ crmsync (\w+)", told[1], re.MULTILINE)
    each = ["provision", "check", "plan", "sync", "sync", "why", "why", "why"]
    assert steps == [*each, *each]
    assert told[1].index("Salesforce   http://127.0.0.1:") < told[1].index("HubSpot   http://127.0.0.1:")


def test_the_second_sync_writes_nothing(told: tuple[Path, str]) -> None:
    assert told[1].count("  ✔ 0 writes\n") == 2


def test_both_crms_explain_the_same_records(told: tuple[Path, str]) -> None:
    labels = [line.split("  ")[1] for line in told[1].splitlines() if re.match(r"(deal|registration)  ", line)]
    assert len(labels) == 6
    assert labels[:3] == labels[3:]


def test_its_last_words_are_commands_that_work(told: tuple[Path, str]) -> None:
    directory, text = told
    typed = re.findall(r"^  crmsync (why .*?) -p (\S+)", text, re.MULTILINE)
    assert typed
    for words, where in typed:
        assert run(*words.split(), "-p", where).exit_code == 0
    assert run("status", "-p", directory).exit_code == 0
    assert run("findings", "-p", directory).exit_code == 0


def test_again_it_starts_from_what_is_there(told: tuple[Path, str]) -> None:
    again = envelope(run("demo", "--directory", told[0], "--json"))
    assert again["schema"] == "crmsync.demo/1"
    assert [row["written"] for row in again["data"]["connections"]] == [0, 0]
