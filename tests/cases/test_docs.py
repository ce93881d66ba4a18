"""The admin's page says every key; its examples run; the schema accepts what the loader does."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from pydantic import BaseModel

from crmsync.cases import case_json_schema, failure_lines, run_scenario
from crmsync.cases.expectations import ASPECTS
from crmsync.cases.model import RECORDS, Case, CaseFile, Event, Expect, Look
from crmsync.starter import starter_dir
from crmsync.yamlpos import load_yaml
from tests.cases.conftest import Load

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "scenarios.md").read_text()
FILES = [*(ROOT / "tests" / "cases").glob("*.yaml"), *(starter_dir() / "tests").glob("*.yaml")]


@pytest.mark.parametrize("model", [CaseFile, Case, Look, Event, Expect])
def test_every_key_is_explained(model: type[BaseModel]) -> None:
    names = set(model.model_fields)
    assert {name for name in names if not re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", PAGE)} == set()


def test_every_kind_and_aspect_is_explained() -> None:
    assert [name for name in (*RECORDS, *ASPECTS, "links", "merged") if f"`{name}`" not in PAGE] == []


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_every_example_passes(load: Load, example: str) -> None:
    for scenario in load(example, baseline="{}"):
        result = run_scenario(scenario)
        assert result.passed, "\n".join(failure_lines(result))


def test_the_schema_is_sound_and_current() -> None:
    """Written by ``crmsync schema --write``."""
    Draft7Validator.check_schema(case_json_schema())
    assert json.loads((starter_dir() / "schema" / "case.json").read_text()) == case_json_schema()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_schema_accepts_every_scenario(path: Path) -> None:
    data = json.loads(json.dumps(load_yaml(path).data, default=float))
    assert [error.message for error in Draft7Validator(case_json_schema()).iter_errors(data)] == []


@pytest.mark.parametrize("broken", [[{"cas": 1}], {"givn": {}}, [{"case": "x", "expect": {"deal D1": {"stge": 1}}}]])
def test_the_schema_refuses_what_is_misspelt(broken: object) -> None:
    assert not Draft7Validator(case_json_schema()).is_valid(broken)
