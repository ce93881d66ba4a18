"""``crmsync metrics``, and its page."""

import re
from pathlib import Path

from crmsync.rules.metrics import METRICS
from tests.cli.conftest import envelope, run

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()


def test_every_metric_is_explained_and_has_words() -> None:
    from crmsync.cli.metrics import _WORDS

    assert {name for name in METRICS if not re.search(rf"^\\|[^|]*`{name}`", PAGE, re.MULTILINE)} == set()
    assert set(_WORDS) | {"revenue_by_month"} == set(METRICS)


def test_nothing_synced_is_said(project: Path) -> None:
    found = run("metrics", "-p", project)
    assert found.exit_code == 1
    assert "crmsync sync" in found.stderr
    assert envelope(run("metrics", "-p", project, "--json"))["ok"] is False
