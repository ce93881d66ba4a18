"""JSON Schema of the YAML files, in draft 7: the one that editors' YAML plug-ins understand best."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

DRAFT = "http://json-schema.org/draft-07/schema#"


def draft7(model: type[BaseModel], title: str) -> dict[str, Any]:
    """A model's schema, without what only later drafts know."""
    schema = _translate(model.model_json_schema(by_alias=True, mode="validation"))
    schema.pop("title", None)
    return {"$schema": DRAFT, "title": title, **schema}


def _translate(node: Any) -> Any:
    if isinstance(node, list):
        return [_translate(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:  # draft 7 reads nothing beside a reference
        return {"$ref": str(node["$ref"]).replace("#/$defs/", "#/definitions/")}
    translated = {_KEYS.get(key, key): _translate(value) for key, value in node.items() if key not in _DROPPED}
    if isinstance(translated.get("title"), str):
        del translated["title"]
    return translated


_KEYS = {"$defs": "definitions"}
_DROPPED = frozenset({"discriminator"})
