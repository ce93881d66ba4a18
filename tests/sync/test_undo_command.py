"""``crmsync undo`` as it is typed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from crmsync.cli import main
from tests.sync.conftest import SECRETS, Bench


def test_it_shows_saves_applies_and_lets_go(tiny_synced: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)

    def run(*args: str) -> Any:
        return CliRunner().invoke(main, [*args, "-p", str(tiny_synced.directory), "-c", "hubspot"])

    shown = run("undo", "r-0001")
    assert (shown.exit_code, "go back" in shown.output) == (3, True)
    assert "Nothing was written" in shown.output
    file = str(tiny_synced.directory / "undo.json")
    assert run("undo", "r-0001", "--only", "deal", "--save", file).exit_code == 0
    done = run("undo", "r-0001", "--yes", "--json")
    data = json.loads(done.stdout)["data"]
    assert (done.exit_code, data["applied"], data["report"]["mode"]) == (0, True, "undo")
    run_id = data["report"]["run_id"]
    again = run("undo", run_id)
    assert (again.exit_code, f"undo of run {run_id}" in again.output) == (3, True)
    assert "released" in run("undo", run_id, "--release").output
    assert run("undo").exit_code == 2
    assert run("undo", "r-9999", "--yes").exit_code == 2
