"""Reads a policy and remembers what was said of it, so that nothing that differs from the default is left unsaid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias

from pydantic import BaseModel

from crmsync.rules.policy import PolicyModel

Path: TypeAlias = tuple[str, ...]


class Terms:
    """The values of a policy by path, in the words of the YAML file."""

    def __init__(self, model: PolicyModel) -> None:
        self._model = model
        self._said: set[Path] = set()

    def take(self, path: str) -> Any:
        """The value at a dotted path; it counts as said from now on, with all that is below it."""
        steps = tuple(path.split("."))
        self._said.add(steps)
        value: Any = self._model
        for step in steps:
            value = None if value is None else getattr(value, _attribute(value, step))
        return value

    def unsaid(self, section: str) -> list[str]:
        """What else the section says beyond the defaults, as the file says it."""
        field = type(self._model).model_fields[section]
        found = _differences((section,), getattr(self._model, section), field.get_default())
        return [f"{'.'.join(path)}: {written(value)}" for path, value in found if not self._is_said(path)]

    def _is_said(self, path: Path) -> bool:
        return any(path[:size] in self._said for size in range(1, len(path) + 1))


def _attribute(value: BaseModel, key: str) -> str:
    fields = type(value).model_fields
    return key if key in fields else next(name for name, info in fields.items() if info.alias == key)


def _differences(path: Path, value: Any, default: Any) -> Iterator[tuple[Path, Any]]:
    """The leaves that are not what they would be if the file were silent. Lists and mappings are leaves."""
    if not isinstance(value, BaseModel):
        if value != default:
            yield path, value
        return
    for name, info in type(value).model_fields.items():
        below = getattr(default, name, None) if default is not None else info.get_default()
        yield from _differences((*path, info.alias or name), getattr(value, name), below)


def written(value: Any) -> str:
    """A value on one line, as YAML would have it."""
    if isinstance(value, BaseModel):
        value = {info.alias or name: getattr(value, name) for name, info in type(value).model_fields.items()}
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{written(key)}: {written(item)}' for key, item in value.items())}}}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(written(item) for item in value)}]"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    return f"{value}" if isinstance(value, int | Decimal | date) else str(value)
