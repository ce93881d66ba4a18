"""docs/security.md has a line for each of the 48 items, and the tests that it names exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
HERE = [path for path in Path(__file__).parent.glob("test_*.py") if path.name != Path(__file__).name]


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


OWN = set().union(*map(functions, HERE))


def test_each_item_has_one_line() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, 49))


def test_each_line_names_its_test_or_its_reason() -> None:
    for number, item, answer in ROWS:
        named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", answer)
        numbered = [name for name in OWN if re.match(rf"test_(\d+_and_)*{int(number):02d}_", name)]
        if answer.startswith("not applicable: "):
            assert len(answer) > 40, item
            assert not numbered, item
        else:
            assert named or numbered, item
        for path, function in named:
            assert (ROOT / path).is_file(), path
            assert not function or function in functions(ROOT / path), (path, function)


def test_each_numbered_test_belongs_to_a_line() -> None:
    loose = [name for name in OWN if not re.match(r"test_\d\d_", name)]
    assert loose == []
    assert {int(name[5:7]) for name in OWN} <= {int(number) for number, _, _ in ROWS}
