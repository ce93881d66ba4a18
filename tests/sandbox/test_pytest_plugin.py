"""The fixture in somebody else's test suite: a pytest of their own, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CONFTEST = 'pytest_plugins = ["crmsync.sandbox.pytest_plugin"]\n'
TESTS = """
import pytest
import requests

URLS = set()


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_sandbox_of_its_own(crm_sandbox, turn):
    assert crm_sandbox.salesforce.count("Account") == 0
    crm_sandbox.salesforce.create("Account", {"Name": "Mine"})
    with requests.get(crm_sandbox.url + "/_sandbox/health", timeout=5) as answer:
        assert answer.json()["world"] == "blank"


@pytest.mark.crm_sandbox(world="small")
def test_the_world_can_be_chosen(crm_sandbox):
    crm_sandbox.faults.add(kind="down")
    assert crm_sandbox.salesforce.count("Opportunity") > 0
"""


def test_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_theirs.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "--strict-markers", "-p", "no:cacheprovider", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
