"""The structure of request bodies: what must be a list, an object or a plain value wherever a key of that name stands.

HubSpot refuses a body of the wrong structure with 400 before it looks at the content (developers.hubspot.com: Error
handling).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crmsync.sandbox.hubspot.problems import Refusal, invalid

_OBJECT_LISTS = frozenset({"inputs", "filterGroups", "filters", "types", "associations", "stages", "options"})
_LISTS = frozenset(
    {"values", "propertiesWithHistory", "searchableProperties", "requiredProperties", "associatedObjects"}
)
_OBJECTS = frozenset({"from", "labels", "metadata"})
_VALUES = frozenset(
    {"id", "idProperty", "propertyName", "operator", "value", "highValue", "query", "limit", "after", "direction"}
    | {"name", "label", "inverseLabel", "description", "type", "fieldType", "groupName", "displayOrder", "objectId"}
    | {"associationCategory", "associationTypeId", "objectWriteTraceId", "primaryDisplayProperty", "probability"}
    | {"primaryObjectId", "objectIdToMerge", "hasUniqueValue", "hidden", "stageId", "pipelineId", "dataSensitivity"}
)


def check_structure(body: Any) -> None:
    """Without recursion: a body may be nested as deep as its sender likes."""
    waiting = [body]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += [inner for inner in one if isinstance(inner, dict | list)]
        elif isinstance(one, dict):
            for key, value in one.items():
                if value is not None:
                    _check(key, value)
                    if isinstance(value, dict | list) and not (key == "properties" and isinstance(value, dict)):
                        waiting.append(value)


def _check(key: str, value: Any) -> None:
    if key in _VALUES:
        if isinstance(value, list | dict):
            raise _wrong(key, "a plain value")
        if key == "displayOrder" and not isinstance(value, int):
            raise _wrong(key, "a whole number")
    elif key in _SHAPES:
        is_right, wanted = _SHAPES[key]
        if not is_right(value):
            raise _wrong(key, wanted)


def _is_list(value: Any, of: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, of) for one in value)


def _is_properties(value: Any) -> bool:
    """Values to write, names to read, or definitions of a new object type."""
    return isinstance(value, dict) or _is_list(value, str) or _is_list(value, dict)


def _is_end(value: Any) -> bool:
    return isinstance(value, dict) or _is_list(value, dict)


_SHAPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(_LISTS, (lambda value: _is_list(value, str | int | float), "a list of plain values")),
    **dict.fromkeys(_OBJECTS, (lambda value: isinstance(value, dict), "an object")),
    **dict.fromkeys(_OBJECT_LISTS, (lambda value: _is_list(value, dict), "a list of objects")),
    "sorts": (lambda value: _is_list(value, dict | str), "a list of sort rules"),
    "to": (_is_end, "an object or a list of objects"),
    "properties": (_is_properties, "an object or a list"),
}


def _wrong(key: str, wanted: str) -> Refusal:
    return invalid(f"Invalid input JSON: '{key}' must be {wanted}")
