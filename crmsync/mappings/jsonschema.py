"""JSON Schema of mapping files for editors: the model's, with the canonical names and options that can stand in it."""

from __future__ import annotations

from typing import Any

from crmsync.mappings.labels import HELP
from crmsync.mappings.model import ANY_OTHER, MappingFile
from crmsync.mappings.transforms import TRANSFORMS
from crmsync.mappings.vocabulary import LINKS, REQUIRED_FIELDS, REQUIRED_KINDS
from crmsync.records import KINDS, FieldType, field_types
from crmsync.yamlschema import draft7


def mapping_json_schema() -> dict[str, Any]:
    """JSON Schema (draft 7) of a mapping file."""
    schema = draft7(MappingFile, "crmsync mapping")
    definitions = schema["definitions"]
    _name_transforms(definitions)
    schema["properties"]["objects"] = {
        "type": "object",
        "properties": {kind: _object_schema(kind, definitions) for kind in KINDS},
        "required": list(REQUIRED_KINDS),
        "additionalProperties": False,
    }
    schema["properties"]["links"] |= {
        "properties": {name: {"$ref": "#/definitions/LinkEntry"} for name in LINKS},
        "additionalProperties": False,
    }
    return schema


def _name_transforms(definitions: dict[str, Any]) -> None:
    names = {"enum": list(TRANSFORMS)}
    for entry in ("FieldEntry", "ExtraEntry"):
        choice = {"anyOf": [names, {"type": "array", "items": names}]}
        definitions[entry]["properties"]["transform"] = choice


def _object_schema(kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {**definitions["ObjectEntry"]}
    fields = {
        "type": "object",
        "properties": {name: _field_schema(kind, name, type_) for name, type_ in field_types(kind).items()},
        "required": list(REQUIRED_FIELDS.get(kind, ())),
        "additionalProperties": False,
    }
    return {**entry, "properties": {**entry["properties"], "fields": fields}}


def _field_schema(kind: str, name: str, type_: FieldType) -> dict[str, Any]:
    long_form: dict[str, Any] = {"$ref": "#/definitions/FieldEntry"}
    if type_.options:
        targets = {"enum": [*(str(option) for option in type_.options), None]}
        values = {"type": "object", "additionalProperties": targets, "properties": {ANY_OTHER: targets}}
        long_form = {"allOf": [long_form, {"properties": {"values": values}}]}
    schema: dict[str, Any] = {"anyOf": [{"type": "string"}, long_form]}
    if about := HELP.get((kind, name)):
        schema["description"] = about
    return schema
