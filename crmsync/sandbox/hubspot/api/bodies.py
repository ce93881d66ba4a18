"""The structure of request bodies: what must be a list, an object or a plain value wherever a key of that name stands.

HubSpot refuses a body of the wrong structure with 400 before it looks at the content (developers.hubspot.com: Error
handling).
"""

from __future__ import annotations

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
    if isinstance(body, list):
        for one in body:
            check_structure(one)
    elif isinstance(body, dict):
        for key, value in body.items():
            if value is not None:
                _check(key, value)


def _check(key: str, value: Any) -> None:
    if key in _VALUES and isinstance(value, list | dict):
        raise _wrong(key, "a plain value")
    if key == "displayOrder" and not isinstance(value, int):
        raise _wrong(key, "a whole number")
    if key in _LISTS and not _is_list(value, str | int | float):
        raise _wrong(key, "a list of plain values")
    if key in _OBJECTS and not isinstance(value, dict):
        raise _wrong(key, "an object")
    if key in _OBJECT_LISTS and not _is_list(value, dict):
        raise _wrong(key, "a list of objects")
    if key == "sorts" and not _is_list(value, dict | str):
        raise _wrong(key, "a list of sort rules")
    if key == "to" and not isinstance(value, dict) and not _is_list(value, dict):
        raise _wrong(key, "an object or a list of objects")
    if key == "properties":
        _check_properties(value)
    else:
        check_structure(value)


def _check_properties(value: Any) -> None:
    """Values to write, names to read, or definitions of a new object type."""
    if isinstance(value, dict):
        return
    if not _is_list(value, str) and not _is_list(value, dict):
        raise _wrong("properties", "an object or a list")
    check_structure(value)


def _is_list(value: Any, of: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, of) for one in value)


def _wrong(key: str, wanted: str) -> Refusal:
    return invalid(f"Invalid input JSON: '{key}' must be {wanted}")
