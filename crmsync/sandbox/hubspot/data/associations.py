"""Associations between records, stored in both directions: replacing, primaries and the rules of company families."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from crmsync.sandbox.hubspot.data.database import Database
from crmsync.sandbox.hubspot.definitions.association_types import CHILD_TO_PARENT, AssociationType, AssociationTypes

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Pair:
    from_type: str
    from_id: int
    to_type: str
    to_id: int

    @property
    def turned(self) -> Pair:
        return Pair(self.to_type, self.to_id, self.from_type, self.from_id)


class Associations:
    def __init__(self, database: Database, types: AssociationTypes) -> None:
        self._database = database
        self._execute = database.connection.execute
        self.types = types

    def of(self, pair: Pair) -> list[AssociationType]:
        sql = """SELECT category, type_id FROM associations
                 WHERE from_type = ? AND from_id = ? AND to_type = ? AND to_id = ? ORDER BY type_id"""
        rows = self._execute(sql, (pair.from_type, pair.from_id, pair.to_type, pair.to_id)).fetchall()
        found = (self.types.find(pair.from_type, pair.to_type, *row) for row in rows)
        return [kind for kind in found if kind]

    def read(self, from_type: str, ids: Sequence[int], to_type: str) -> dict[int, dict[int, list[AssociationType]]]:
        """For each id that has any: the associated ids in rising order, each with its types."""
        found: dict[int, dict[int, list[AssociationType]]] = {}
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            sql = f"""SELECT from_id, to_id, category, type_id FROM associations
                      WHERE from_type = ? AND to_type = ? AND from_id IN ({",".join("?" * len(chunk))})
                      ORDER BY from_id, to_id, type_id"""
            for from_id, to_id, category, type_id in self._execute(sql, (from_type, to_type, *chunk)):
                kind = self.types.find(from_type, to_type, category, type_id)
                if kind:
                    found.setdefault(from_id, {}).setdefault(to_id, []).append(kind)
        return found

    def neighbours(self, type_id: str, record_id: int) -> list[tuple[Pair, AssociationType]]:
        sql = "SELECT to_type, to_id, category, type_id FROM associations WHERE from_type = ? AND from_id = ?"
        rows = self._execute(sql, (type_id, record_id)).fetchall()
        listed = []
        for to_type, to_id, category, association in rows:
            kind = self.types.find(type_id, to_type, category, association)
            if kind:
                listed.append((Pair(type_id, record_id, to_type, to_id), kind))
        return listed

    def count(self, from_type: str, from_id: int, to_type: str) -> int:
        sql = "SELECT count(DISTINCT to_id) FROM associations WHERE from_type = ? AND from_id = ? AND to_type = ?"
        return int(self._execute(sql, (from_type, from_id, to_type)).fetchone()[0])

    def with_type(self, from_type: str, from_id: int, to_type: str, type_id: int) -> list[int]:
        sql = """SELECT to_id FROM associations WHERE from_type = ? AND from_id = ? AND to_type = ? AND type_id = ?
                 ORDER BY to_id"""
        return [row[0] for row in self._execute(sql, (from_type, from_id, to_type, type_id))]

    def primary(self, from_type: str, from_id: int, to_type: str) -> int | None:
        kind = self.types.by_label(from_type, to_type, "primary")
        found = self.with_type(from_type, from_id, to_type, kind.id) if kind else []
        return found[0] if found else None

    def replace(self, pair: Pair, kinds: Collection[AssociationType]) -> set[tuple[str, int]]:
        """What stands between the two is what is asked for, plus the plain type. Returns the records this touched."""
        before = {(kind.category, kind.id) for kind in self.of(pair)}
        wanted = self._completed(pair, kinds)
        touched: set[tuple[str, int]] = set()
        for kind in wanted:
            touched |= self._make_room(pair, kind)
        self._delete(pair)
        self._insert((pair, kind) for kind in wanted)
        if before != {(kind.category, kind.id) for kind in wanted}:
            touched |= {(pair.from_type, pair.from_id), (pair.to_type, pair.to_id)}
        return touched

    def add(self, pair: Pair, kinds: Collection[AssociationType]) -> set[tuple[str, int]]:
        return self.replace(pair, [*self.of(pair), *kinds])

    def remove(self, pair: Pair, kinds: Collection[AssociationType] | None = None) -> set[tuple[str, int]]:
        """All that stands between the two, or only some types; without the plain one nothing is left."""
        standing = self.of(pair)
        if not standing:
            return set()
        gone = standing if kinds is None or any(kind.label is None for kind in kinds) else list(kinds)
        left = [kind for kind in standing if kind not in gone]
        self._delete(pair)
        self._insert((pair, kind) for kind in left)
        return {(pair.from_type, pair.from_id), (pair.to_type, pair.to_id)} if len(left) < len(standing) else set()

    def insert_many(self, rows: Iterable[tuple[Pair, AssociationType]]) -> None:
        """Bulk load: no rule is applied, the plain type is added, both directions are written."""
        self._insert((pair, wanted) for pair, kind in rows for wanted in self._completed(pair, [kind]))

    def _completed(self, pair: Pair, kinds: Collection[AssociationType]) -> list[AssociationType]:
        wanted = {(kind.category, kind.id): kind for kind in kinds}
        plain = self.types.plain(pair.from_type, pair.to_type)
        is_family = all(kind.id in {13, 14} for kind in kinds) and pair.from_type == pair.to_type
        if plain and not is_family:
            wanted.setdefault((plain.category, plain.id), plain)
        return list(wanted.values())

    def _make_room(self, pair: Pair, kind: AssociationType) -> set[tuple[str, int]]:
        """One primary company per record, one parent per company: the new one takes the place of the old."""
        if kind.is_primary and pair.to_type == "0-2":
            return self._demote(pair, kind)
        if kind.is_primary and pair.from_type == "0-2":
            return self._demote(pair.turned, self.types.inverse(kind))
        if kind.id == CHILD_TO_PARENT and pair.from_type == pair.to_type == "0-2":
            return self._demote(pair, kind)
        if kind.inverse == CHILD_TO_PARENT and pair.from_type == pair.to_type == "0-2":
            return self._demote(pair.turned, self.types.inverse(kind))
        return set()

    def _demote(self, pair: Pair, kind: AssociationType) -> set[tuple[str, int]]:
        touched: set[tuple[str, int]] = set()
        for other in self.with_type(pair.from_type, pair.from_id, pair.to_type, kind.id):
            if other != pair.to_id:
                touched |= self.remove(Pair(pair.from_type, pair.from_id, pair.to_type, other), [kind])
        return touched

    def _delete(self, pair: Pair) -> None:
        sql = "DELETE FROM associations WHERE from_type = ? AND from_id = ? AND to_type = ? AND to_id = ?"
        for one in (pair, pair.turned):
            self._execute(sql, (one.from_type, one.from_id, one.to_type, one.to_id))

    def _insert(self, rows: Iterable[tuple[Pair, AssociationType]]) -> None:
        values = (
            row
            for pair, kind in rows
            for row in (
                (pair.from_type, pair.from_id, pair.to_type, pair.to_id, kind.id, kind.category),
                (pair.to_type, pair.to_id, pair.from_type, pair.from_id, kind.inverse, kind.category),
            )
        )
        self._database.connection.executemany("INSERT OR IGNORE INTO associations VALUES (?, ?, ?, ?, ?, ?)", values)

    def drop_record(self, type_id: str, record_id: int) -> None:
        sql = "DELETE FROM associations WHERE {0}_type = ? AND {0}_id = ?"
        self._execute(sql.format("from"), (type_id, record_id))
        self._execute(sql.format("to"), (type_id, record_id))
