"""The admin's pages say everything that can be said: every key, function, code and name; and their examples load."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from crmsync.rules import FLAGS, load_policy_text
from crmsync.rules.expressions import FUNCTIONS, ROOTS
from crmsync.rules.policy import PolicyModel
from crmsync.rules.reasons import REASONS

DOCS = Path(__file__).parents[2] / "docs"
POLICY = (DOCS / "policy.md").read_text()
EXPRESSIONS = (DOCS / "expressions.md").read_text()


def keys_of(model: type[BaseModel]) -> list[str]:
    found = []
    for name, info in model.model_fields.items():
        found.append(info.alias or name)
        for inner in _models(info.annotation):
            found += keys_of(inner)
    return found


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for arg in get_args(annotation) for model in _models(arg)]


@pytest.mark.parametrize("key", sorted(set(keys_of(PolicyModel))))
def test_every_key_is_explained(key: str) -> None:
    assert re.search(rf"(^## .*|`[^`\n]*)\b{key}\b", POLICY, re.MULTILINE)


@pytest.mark.parametrize(("code", "text"), [*((c, t) for c, (_, t) in FLAGS.items()), *REASONS.items()])
def test_every_code_is_explained(code: str, text: str) -> None:
    assert re.search(rf"\| `{code}` \|.*{re.escape(text)} \|", POLICY)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_explained_by_its_example(name: str) -> None:
    assert f"`{FUNCTIONS[name].example}`" in EXPRESSIONS
    assert f"`{name}(" in EXPRESSIONS


@pytest.mark.parametrize("root", ROOTS)
def test_every_kind_of_condition_says_what_it_sees(root: str) -> None:
    (line,) = [line for line in EXPRESSIONS.splitlines() if re.match(rf"\| an? {root} \|", line)]
    assert all(f"`{kind}.…`" in line for kind in ROOTS[root][1:])


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", POLICY, re.DOTALL))
def test_every_example_loads(block: str) -> None:
    load_policy_text(block)
