"""JSON Schema of a scenario file, for editors: a list of cases, or a mapping that holds one."""

from __future__ import annotations

from typing import Any

from crmsync.cases.expectations import ASPECTS
from crmsync.cases.model import RECORDS, CaseFile, row_name
from crmsync.yamlschema import draft7


def case_json_schema() -> dict[str, Any]:
    schema = draft7(CaseFile, "crmsync scenarios")
    definitions = schema["definitions"]
    definitions["Expect"]["patternProperties"] = {f"^{kind} .+": _fields(definitions, kind) for kind in RECORDS}
    definitions["Expect"]["additionalProperties"] = False
    shape = {key: schema.pop(key) for key in ("type", "properties", "additionalProperties") if key in schema}
    cases = {"type": "array", "items": {"$ref": "#/definitions/Case"}}
    return {**schema, "anyOf": [cases, shape]}


def _fields(definitions: dict[str, Any], kind: str) -> dict[str, Any]:
    """A record's fields, each also with an aspect of its decision: ``attribution.code``."""
    known = definitions[row_name(kind)]["properties"]
    aspects: dict[str, Any] = {f"^({'|'.join(known)})\\.({'|'.join(ASPECTS)})$": {}}
    return {"type": "object", "properties": known, "patternProperties": aspects, "additionalProperties": False}
