"""Whether the Metadata of a custom field is of the kinds of values that the Tooling API declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crmsync.sandbox.salesforce.errors import json_error

_TEXTS = ("type", "label", "referenceTo", "relationshipName", "inlineHelpText", "description")
_NUMBERS = ("length", "precision", "scale", "visibleLines")


def check_shape(metadata: Mapping[str, Any]) -> None:
    """Raises the parser's error where a value is of another kind."""
    for key in _TEXTS:
        if not isinstance(metadata.get(key), (str, type(None))):
            raise json_error(f"Cannot deserialize instance of string from the value of {key}")
    for key in _NUMBERS:
        value = metadata.get(key)
        if value in (None, "") or (isinstance(value, int) and not isinstance(value, bool)):
            continue
        if not (isinstance(value, str) and value.isascii() and value.isdigit()):
            raise json_error(f"Cannot deserialize instance of int from the value of {key}")
    _check_values(metadata.get("valueSet"))


def _check_values(value_set: Any) -> None:
    if value_set is None:
        return
    definition = value_set.get("valueSetDefinition") if isinstance(value_set, dict) else value_set
    if definition is None:
        return
    values = definition.get("value") if isinstance(definition, dict) else definition
    values = [values] if isinstance(values, dict) else values  # a single one, from XML
    if not isinstance(values, list) or not all(isinstance(one, dict) and _is_named(one) for one in values):
        raise json_error("Cannot deserialize instance of valueSet: valueSetDefinition.value must list named values")


def _is_named(value: Mapping[str, Any]) -> bool:
    name = value.get("fullName") or value.get("valueName")
    return isinstance(name, str) and isinstance(value.get("label"), (str, type(None)))
