import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from crmsync.cli import main
from crmsync.sync.plan import Change, FieldChange, Plan

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)

PROJECT = """\
version: 1
name: test
connections:
  acme:
    type: hubspot
    url: http://127.0.0.1:9
    mapping: mappings/hubspot.yaml
    auth: {flow: token, token: {env: ACME_TOKEN}}
  globex:
    type: salesforce
    url: http://127.0.0.1:9
    mapping: mappings/salesforce.yaml
    auth: {flow: client_credentials, client_id: x, client_secret: {env: GLOBEX_SECRET}}
policy: policies/baseline.yaml
schedule: {cron: "0 6 * * 1"}
"""


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Crash reports into the test's own directory; logging as it was."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("CRMSYNC_LOG_FILE", raising=False)
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    yield
    logging.getLogger().handlers = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two connections, the real starter mappings and policy, and no store yet."""
    from crmsync.project import write_starter

    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "crmsync.yaml").write_text(PROJECT)
    write_starter(directory)
    return directory


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args])


def envelope(result: Result) -> dict[str, Any]:
    """The one JSON object on stdout."""
    document = json.loads(result.stdout)
    assert set(document) == {"schema", "ok", "data", "diagnostics"}
    return dict(document)


def change(number: int = 1, **fields: tuple[object, object]) -> Change:
    return Change(
        op="update",
        kind="deal",
        object="deals",
        label=f"Cancity – GTX Basic {number}",
        id=f"006{number}",
        fields=tuple(
            FieldChange(
                field=name,
                remote_field=f"prm_{name}",
                old=old,  # type: ignore[arg-type]
                new=new,  # type: ignore[arg-type]
                reason="90 days from approval",
                rule="protection.window",
                where="policies/baseline.yaml:12",
            )
            for name, (old, new) in fields.items()
        ),
    )


def plan(*changes: Change) -> Plan:
    return Plan(
        connection="acme",
        system="hubspot",
        made_at=NOW,
        policy_version="2026.1",
        config_hash="c0ffee",
        changes=changes,
    )
