"""Which scope each kind of call needs; any one of the alternatives is enough (developers.hubspot.com: Scopes)."""

from __future__ import annotations

from collections.abc import Sequence

from crmsync.sandbox.hubspot.api.http import Call, ScopeRule
from crmsync.sandbox.hubspot.definitions.object_types import ObjectType


def _objects(kind: ObjectType, way: str) -> list[str]:
    if kind.name == "tickets":
        return ["tickets"]
    scopes = [f"crm.objects.{kind.scope_family}.{way}"]
    return [*scopes, "e-commerce"] if kind.name in {"products", "line_items"} else scopes


def objects(way: str) -> ScopeRule:
    return lambda call: _objects(call.kind, way)


def schemas(way: str) -> ScopeRule:
    """Definitions are read with any object or schema scope of the type, and written with the schema scope only."""

    def rule(call: Call) -> Sequence[str]:
        kind = call.kind
        if kind.name == "tickets":
            return ["tickets"]
        written = [f"crm.schemas.{kind.scope_family}.write"]
        if way == "write":
            return written
        return [f"crm.schemas.{kind.scope_family}.read", *_objects(kind, "read"), *_objects(kind, "write"), *written]

    return rule


def both_ends(way: str) -> ScopeRule:
    """Associations: an object scope of either of the two types."""

    def rule(call: Call) -> Sequence[str]:
        ends = [call.portal.types.get(call.path[name]) for name in ("from_type", "to_type")]
        return [scope for kind in ends for scope in _objects(kind, way)]

    return rule


def custom_schemas(way: str) -> ScopeRule:
    def rule(call: Call) -> Sequence[str]:
        name = call.path.get("object_type")
        kind = call.portal.types.find(name) if name else None
        if kind and not kind.is_custom:
            return []
        alternatives = [f"crm.schemas.custom.{way}"]
        return [*alternatives, "crm.objects.custom.read"] if way == "read" else alternatives

    return rule


def owners(_call: Call) -> Sequence[str]:
    return ["crm.objects.owners.read"]


def any_token(_call: Call) -> Sequence[str]:
    return []
