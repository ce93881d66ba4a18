"""Loading many rows at once, as an import before anybody looked would leave them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from crmsync.sandbox.hubspot.data import computed
from crmsync.sandbox.hubspot.data.associations import Associations, Pair
from crmsync.sandbox.hubspot.data.records import RecordStore, Row
from crmsync.sandbox.hubspot.definitions.association_types import CHILD_TO_PARENT, AssociationType
from crmsync.sandbox.hubspot.definitions.object_types import COMPANY, CONTACT, DEAL, ObjectType
from crmsync.sandbox.hubspot.definitions.pipelines import Pipelines
from crmsync.sandbox.hubspot.definitions.properties import PropertyCatalog
from crmsync.sandbox.hubspot.definitions.values import as_text
from crmsync.sandbox.hubspot.stamps import parse_ms, wire, wire_date

LinkOf = Callable[[ObjectType, ObjectType, str | None], AssociationType]
T = TypeVar("T")
CHUNK = 5_000
"""Rows in memory at a time: a base of a million is loaded from a generator without ever being held."""


class Loader:
    def __init__(
        self, records: RecordStore, catalog: PropertyCatalog, associations: Associations, pipelines: Pipelines
    ) -> None:
        self._records = records
        self._catalog = catalog
        self._associations = associations
        self._pipelines = pipelines

    def insert(self, kind: ObjectType, rows: Iterable[Mapping[str, Any]], now_ms: int) -> list[str]:
        instants = {
            name: definition["type"]
            for name, definition in self._catalog.of(kind.id).items()
            if definition["type"] in {"date", "datetime"}
        }
        unique_names = self._catalog.unique_names(kind.id)
        made: list[str] = []
        for given in _chunks(rows):
            new_ids = self._records.new_ids(kind.id, len(given))
            built = [self._row(kind, values, new_ids[n], instants, now_ms) for n, values in enumerate(given)]
            self._records.save(kind.id, built)
            self._records.claim(kind.id, built, unique_names)
            self._associate_references(kind, built)
            made += [str(row.id) for row in built]
        return made

    def associate(self, a: ObjectType, b: ObjectType, rows: Iterable[Sequence[Any]], link_of: LinkOf) -> None:
        links: dict[str | None, AssociationType] = {}
        for given in _chunks(rows):
            pairs = []
            for from_id, to_id, *rest in given:
                label = rest[0] if rest else None
                if label not in links:
                    links[label] = link_of(a, b, label)
                pairs.append((Pair(a.id, int(from_id), b.id, int(to_id)), links[label]))
            self._associations.insert_many(pairs)
            self._tell(pairs)

    def _row(
        self, kind: ObjectType, values: Mapping[str, Any], new_id: int, instants: Mapping[str, str], now_ms: int
    ) -> Row:
        kept = {name: as_text(value) for name, value in values.items() if value is not None and value != ""}
        record_id = int(kept.pop("hs_object_id", new_id))
        if record_id != new_id:
            self._records.keep_id(kind.id, record_id)
        created = _taken(kept, kind.created_property, "hs_createdate") or now_ms
        modified = _taken(kept, kind.modified_property, "hs_lastmodifieddate") or created
        for name in kept.keys() & instants.keys():
            ms = parse_ms(kept[name])
            kept[name] = wire(ms) if instants[name] == "datetime" else wire_date(ms)
        if kind.id == CONTACT and "email" in kept:
            kept["email"] = kept["email"].lower()
        row = Row(record_id, kept, created, modified)
        if "hubspot_owner_id" in kept:
            kept.setdefault("hs_all_owner_ids", kept["hubspot_owner_id"])
        for name, value in computed.derived(kind, row, self._pipelines, now_ms).items():
            kept.setdefault(name, value)
        return row

    def _associate_references(self, kind: ObjectType, rows: Iterable[Row]) -> None:
        name, type_id = {CONTACT: ("associatedcompanyid", 1), COMPANY: ("hs_parent_company_id", CHILD_TO_PARENT)}.get(
            kind.id, ("", 0)
        )
        link = self._associations.types.any_category(kind.id, COMPANY, type_id)
        if link:
            pointing = [row for row in rows if name in row.properties]
            pairs = [(Pair(kind.id, row.id, COMPANY, int(row.properties[name])), link) for row in pointing]
            self._associations.insert_many(pairs)

    def _tell(self, pairs: Iterable[tuple[Pair, AssociationType]]) -> None:
        """The properties that mirror an association follow it, without a stamp."""
        told: dict[str, dict[int, tuple[str, int]]] = {}
        for pair, link in pairs:
            for one, kind in ((pair, link), (pair.turned, self._associations.types.inverse(link))):
                name = _mirror(one, kind)
                if name:
                    told.setdefault(one.from_type, {})[one.from_id] = (name, one.to_id)
        for type_id, values in told.items():
            rows = self._records.get_many(type_id, values)
            for record_id, row in rows.items():
                name, target = values[record_id]
                row.properties[name] = str(target)
            self._records.save(type_id, rows.values())


def _chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(rows)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _mirror(pair: Pair, kind: AssociationType) -> str | None:
    if pair.to_type != COMPANY:
        return None
    if pair.from_type == COMPANY:
        return "hs_parent_company_id" if kind.id == CHILD_TO_PARENT and kind.category == "HUBSPOT_DEFINED" else None
    mirrors = {CONTACT: "associatedcompanyid", DEAL: "hs_primary_associated_company"}
    return mirrors.get(pair.from_type) if kind.is_primary else None


def _taken(values: dict[str, str], *names: str) -> int | None:
    """The first of these instants, taken out of the values: stamps live in columns."""
    found = [values.pop(name) for name in names if name in values]
    return parse_ms(found[0]) if found else None
