"""The shape of one record in an answer, as an SQL expression that writes its JSON: SQLite does it faster than Python.

A page is 2,000 records; building a dictionary for each would be most of the cost of serving it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from crmsync.sandbox.salesforce.schema import Field, SObject
from crmsync.sandbox.salesforce.store import NAME

_PAIRS = 60
"""Key-value pairs per json_object: SQLite functions take 127 arguments."""
_SEAM = ',"~":0}'


@dataclass(frozen=True, slots=True)
class Value:
    """A plain value: its SQL, and its type as the describe names it."""

    sql: str
    type: str
    field: Field | None = None

    def json_sql(self, _base: str) -> str:
        if self.type == "boolean":
            return f"json(CASE {self.sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END)"
        return self.sql


@dataclass(frozen=True, slots=True)
class Compound:
    """An address: an object of its parts, null when all are empty."""

    parts: Mapping[str, str]

    def json_sql(self, _base: str) -> str:
        pairs = ", ".join(f"'{key[0].lower() + key[1:]}', {sql}" for key, sql in self.parts.items())
        empty = f"COALESCE({', '.join(self.parts.values())}) IS NULL"
        return f"json(CASE WHEN {empty} THEN 'null' ELSE json_object({pairs}) END)"


@dataclass(frozen=True, slots=True)
class Children:
    """The place of a subquery's records, which are read apart."""

    def json_sql(self, _base: str) -> str:
        return "NULL"


@dataclass(slots=True)
class Node:
    """One object in the answer: the record itself, or a parent inside it."""

    sobject: SObject
    table: str
    slots: dict[str, Slot] = field(default_factory=dict)

    @property
    def id_sql(self) -> str:
        return f'{self.table}."Id"'

    def add(self, key: str, slot: Slot) -> None:
        self.slots.setdefault(key, slot)

    def record_sql(self, base: str) -> str:
        """The whole record. ``base`` is the URL of the version's sobjects resource."""
        name = self.sobject.name
        type_sql = f"{self.table}.\"Type\" || '/'" if name == NAME else f"'{name}/'"
        attributes = f"json_object('type', '{name}', 'url', '{base}' || {type_sql} || {self.id_sql})"
        pairs = [f"'attributes', {attributes}"]
        pairs += [f"'{key}', {slot.json_sql(base)}" for key, slot in self.slots.items()]
        return _object(pairs)

    def json_sql(self, base: str) -> str:
        """As a parent: null where there is none."""
        return f"json(CASE WHEN {self.id_sql} IS NULL THEN 'null' ELSE {self.record_sql(base)} END)"

    def columns(self, prefix: str = "") -> Iterator[tuple[str, Value]]:
        """(dotted name, value) of every plain value, in order: what a CSV has as columns."""
        for key, slot in self.slots.items():
            if isinstance(slot, Node):
                yield from slot.columns(f"{prefix}{key}.")
            elif isinstance(slot, Value):
                yield prefix + key, slot


Slot: TypeAlias = Value | Compound | Children | Node


def _object(pairs: list[str]) -> str:
    """One object of any number of pairs: long ones are written in pieces, sewn together at a seam."""
    pieces = [pairs[start : start + _PAIRS] for start in range(0, len(pairs), _PAIRS)]
    sql = [f"json_object({', '.join(piece)})" for piece in pieces]
    if len(sql) == 1:
        return sql[0]
    heads = [f"{piece[:-1]}, '~', 0)" for piece in sql[:-1]]
    bodies = [heads[0], *(f"SUBSTR({head}, 2)" for head in heads[1:])]
    sewn = [f"REPLACE({body}, '{_SEAM}', ',')" for body in bodies]
    return " || ".join([*sewn, f"SUBSTR({sql[-1]}, 2)"])
