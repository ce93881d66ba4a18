"""The admin's pages say what the code does."""

import re
from pathlib import Path

import pytest

from crmsync.errors import ConfigError
from crmsync.mappings import Mode, OnNull, OnUserEdit
from crmsync.mappings.load import build_mapping
from crmsync.mappings.model import ExtraEntry, ObjectEntry
from crmsync.mappings.transforms import TRANSFORMS
from crmsync.yamlpos import load_yaml_text

DOCS = Path(__file__).parents[2] / "docs"
MAPPING = (DOCS / "mapping.md").read_text()
SOURCES = [
    *Path("crmsync/mappings").glob("*.py"),
    *Path("crmsync").glob("yaml*.py"),
    *Path("crmsync").glob("project*.py"),
]


def test_the_example_loads() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", MAPPING, re.DOTALL)
    assert build_mapping(load_yaml_text(example), system="salesforce").extra_types("deal")


@pytest.mark.parametrize(
    "names", [TRANSFORMS, Mode, OnUserEdit, OnNull, ObjectEntry.model_fields, ExtraEntry.model_fields]
)
def test_every_name_is_explained(names: object) -> None:
    assert [name for name in names if f"`{name}`" not in MAPPING] == []  # type: ignore[attr-defined]


def test_every_code_is_explained_once() -> None:
    page = (DOCS / "reference" / "errors.md").read_text()
    used = {code for path in SOURCES for code in re.findall(r'"([EW]\d{3})"', path.read_text())}
    assert {code: page.count(f"| {code} |") for code in used} == dict.fromkeys(used, 1)
    assert ConfigError.code not in used
