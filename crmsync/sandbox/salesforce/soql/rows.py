"""SQL rows to records: attributes first, parents nested, missing parents null."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crmsync.sandbox.salesforce.schema import SObject
from crmsync.sandbox.salesforce.values import address

Convert = Callable[[Any], Any]
Record = dict[str, Any]


@dataclass(slots=True)
class Node:
    """One object in the answer: the record itself, or a parent inside it."""

    sobject: SObject
    id_index: int
    keys: list[str] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)
    converts: list[tuple[str, Convert]] = field(default_factory=list)
    parents: dict[str, Node] = field(default_factory=dict)
    addresses: dict[str, dict[str, int]] = field(default_factory=dict)
    children: list[str] = field(default_factory=list)

    def add(self, key: str, index: int, convert: Convert | None) -> None:
        if key in self.keys:
            return
        self.keys.append(key)
        self.indexes.append(index)
        if convert is not None:
            self.converts.append((key, convert))

    def add_parent(self, key: str, parent: Node) -> None:
        self.add(key, self.id_index, None)
        self.parents[key] = parent

    def add_address(self, key: str, parts: Mapping[str, int]) -> None:
        self.add(key, self.id_index, None)
        self.addresses[key] = dict(parts)

    def add_children(self, key: str) -> None:
        self.add(key, self.id_index, None)
        self.children.append(key)

    def record(self, row: tuple[Any, ...], base: str) -> Record | None:
        """``base`` is the URL of the version's sobjects resource; ``None`` where there is no such parent."""
        record_id = row[self.id_index]
        if record_id is None:
            return None
        name = self.sobject.name
        record: Record = {"attributes": {"type": name, "url": f"{base}{name}/{record_id}"}}
        record.update(zip(self.keys, map(row.__getitem__, self.indexes), strict=True))
        for key, convert in self.converts:
            record[key] = convert(record[key])
        for key, parent in self.parents.items():
            record[key] = parent.record(row, base)
        for key, parts in self.addresses.items():
            record[key] = address({part: row[index] for part, index in parts.items()}, "")
        return record
