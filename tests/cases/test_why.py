"""Why, for every scenario, as it was read and found right: a change of any word shows here.

``pytest tests/cases/test_why.py --update-snapshots`` writes the files anew; read the difference before it is kept.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crmsync.cases import CaseSettings, load_cases, run_scenario
from crmsync.starter import starter_dir
from tests.cases.explained import explained

CASES = Path(__file__).parent
KEPT = CASES / "why"
FILES = sorted(path for path in CASES.rglob("*.yaml") if path.name != "baseline.yaml")


def told(path: Path) -> Iterator[str]:
    settings = CaseSettings(starter_dir() / "policies" / "baseline.yaml")
    yield from (explained(run_scenario(scenario)) for scenario in load_cases([path], settings))


def kept(path: Path) -> Path:
    return KEPT / f"{'-'.join(path.relative_to(CASES).with_suffix('').parts)}.txt"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CASES).as_posix())
def test_every_scenario_is_explained_as_it_was_read(path: Path, request: pytest.FixtureRequest) -> None:
    text = "\n".join(told(path))
    if request.config.getoption("update_snapshots"):
        kept(path).parent.mkdir(exist_ok=True)
        kept(path).write_text(text)
    assert text == kept(path).read_text()


def test_nothing_is_kept_of_scenarios_that_are_gone() -> None:
    assert {path.name for path in KEPT.glob("*.txt")} == {kept(path).name for path in FILES}
