"""Records as answers: which properties a read shows, what a write gives back, what may be asked along."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from crmsync.sandbox.hubspot.api.http import Call
from crmsync.sandbox.hubspot.data.records import Row, render, render_page, visible_properties
from crmsync.sandbox.hubspot.definitions.object_types import ObjectType
from crmsync.sandbox.hubspot.definitions.properties import is_read_only

MAX_ASSOCIATED = 500


@dataclass(frozen=True, slots=True)
class View:
    """What a read asked for. ``names`` holds defined properties only: an unknown one is left out silently."""

    kind: ObjectType
    names: tuple[str, ...]
    history: tuple[str, ...] = ()
    associated: tuple[ObjectType, ...] = ()


def always_shown(kind: ObjectType) -> tuple[str, ...]:
    """Recorded: a read of named properties brings these three as well."""
    return (kind.created_property, kind.modified_property, "hs_object_id")


def build_view(
    call: Call, kind: ObjectType, asked: Iterable[Any], history: Sequence[Any] = (), associated: Sequence[str] = ()
) -> View:
    defined = call.portal.catalog.of(kind.id)
    wanted = {str(name) for name in asked} or set(kind.defaults)
    names = sorted(name for name in {*wanted, *always_shown(kind)} if name in defined)
    others = tuple(call.portal.types.get(name) for name in associated)
    return View(kind, tuple(names), tuple(str(name) for name in history if name in defined), others)


def shown(call: Call, view: View, rows: Sequence[Row]) -> list[dict[str, Any]]:
    records = render_page(rows, view.kind, view.names, call.now_ms, call.portal.portal_id)
    if view.history:
        for record, row in zip(records, rows, strict=True):
            record["propertiesWithHistory"] = call.portal.changes.history(view.kind.id, row, view.history)
    for other in view.associated:
        _attach(call, view.kind, other, records)
    return records


def _attach(call: Call, kind: ObjectType, other: ObjectType, records: Sequence[dict[str, Any]]) -> None:
    found = call.portal.associations.read(kind.id, [int(record["id"]) for record in records], other.id)
    for record in records:
        links = found.get(int(record["id"]))
        if links:
            listed = [
                {"id": str(to_id), "type": v3_type(kind, other, link.name, link.is_primary, link.label)}
                for to_id, types in links.items()
                for link in types
            ]
            record.setdefault("associations", {})[other.name] = {"results": listed[:MAX_ASSOCIATED]}


def v3_type(kind: ObjectType, other: ObjectType, name: str, is_primary: bool, label: str | None) -> str:
    """The old names: the primary is "deal_to_company", the plain one beside it "deal_to_company_unlabeled"."""
    if label and not is_primary:
        return name or label.lower().replace(" ", "_")
    base = f"{kind.singular}_to_{other.singular}"
    return (
        f"{base}_unlabeled" if not label and "0-2" in {kind.id, other.id} and kind.id in {"0-1", "0-2", "0-3"} else base
    )


def written(call: Call, kind: ObjectType, row: Row, values: Collection[str] | None = None) -> dict[str, Any]:
    """After a create everything that has a value; after an update what was written and what the portal computes."""
    everything: dict[str, str | None] = {**visible_properties(row, kind, call.now_ms)}
    if values is not None:
        definitions = call.portal.catalog.of(kind.id)
        computed = {name for name in everything if name in definitions and is_read_only(definitions[name])}
        everything = {name: everything.get(name) for name in {*computed, *values, *always_shown(kind)}}
    properties = {name: "" if everything[name] is None else everything[name] for name in sorted(everything)}
    return render(row, kind, properties, call.now_ms, call.portal.portal_id)
