"""Which records are decided together, what they watch, and when time alone could change the answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from crmsync.store.codec import to_stamp
from crmsync.store.database import Tables

Member = tuple[str, str]
"""``(kind, id)``"""

_SHAREABLE: Mapping[str, str] = MappingProxyType(
    {"domain": "account", "name": "account", "number": "account", "email": "contact"}
)
"""Prefixes of keys that may be shared by many, with the kind of record that is counted."""


class Neighbourhoods(Tables):
    # ------------------------------------------------------------------ keys

    def save_keys(self, kind: str, id: str, keys: Collection[str]) -> None:
        """Replace the keys under which a record can be met."""
        known = self.keys(kind, id)
        wanted = frozenset(keys)
        if known == wanted:
            return
        with self.transaction():
            self._many(
                "DELETE FROM record_keys WHERE kind = ? AND id = ? AND key = ?",
                [(kind, id, key) for key in known - wanted],
            )
            self._many("INSERT INTO record_keys VALUES (?, ?, ?)", [(kind, id, key) for key in sorted(wanted - known)])

    def keys(self, kind: str, id: str) -> frozenset[str]:
        return frozenset(
            row[0] for row in self._rows("SELECT key FROM record_keys WHERE kind = ? AND id = ?", (kind, id))
        )

    def drop_keys(self, kind: str, id: str) -> None:
        self._run("DELETE FROM record_keys WHERE kind = ? AND id = ?", (kind, id))

    def members(self, keys: Collection[str]) -> set[Member]:
        """Records that have any of the keys: one step of the walk through a neighbourhood."""
        sql = "SELECT DISTINCT kind, id FROM record_keys WHERE key IN ({})"
        return {(row[0], row[1]) for row in self._where_in(sql, (), keys)}

    def shared_keys(self, keys: Collection[str], above: int) -> set[str]:
        """Those of the keys that more than so many accounts (or contacts) have: they identify nobody."""
        sql = "SELECT 1 FROM record_keys WHERE key = ? AND kind = ? LIMIT 1 OFFSET ?"
        return {
            key
            for key in keys
            if (kind := _SHAREABLE.get(key.partition(":")[0])) and self._one(sql, (key, kind, above))
        }

    def at_the_limit(self, keys: Collection[str], above: int) -> set[str]:
        """Those of the keys that have just begun, or ceased, to identify somebody: what they joined is to be decided
        anew.
        """
        sql = "SELECT count(*) FROM (SELECT 1 FROM record_keys WHERE key = ? AND kind = ? LIMIT ?)"
        found: set[str] = set()
        for key in keys:
            kind = _SHAREABLE.get(key.partition(":")[0])
            row = self._one(sql, (key, kind, above + 2)) if kind else None
            if row and row[0] in (above, above + 1):
                found.add(key)
        return found

    # ------------------------------------------------------------------ neighbourhoods

    def save_neighbourhood(
        self, root: str, members: Collection[Member], watches: Collection[str], next_due_at: datetime | None
    ) -> None:
        """Replace every neighbourhood that shared a member with this one.

        Decisions and findings follow their records, so that a split or a merge neither loses nor re-opens any.
        """
        with self.transaction():
            self._take_over(root, set(members))
            self._run("INSERT INTO neighbourhoods VALUES (?, ?)", (root, to_stamp(next_due_at)))
            self._many(
                "INSERT INTO neighbourhood_members VALUES (?, ?, ?)", [(kind, i, root) for kind, i in sorted(members)]
            )
            self._many("INSERT INTO neighbourhood_watches VALUES (?, ?)", [(key, root) for key in sorted(set(watches))])

    def due(self, now: datetime) -> set[str]:
        """Roots whose decision could be another one at ``now``."""
        sql = "SELECT root FROM neighbourhoods WHERE next_due_at IS NOT NULL AND next_due_at <= ?"
        return {row[0] for row in self._rows(sql, (to_stamp(now),))}

    def watching(self, keys: Collection[str]) -> set[str]:
        """Roots that depend on a shared record (a partner, its certifications) without owning it."""
        sql = "SELECT DISTINCT root FROM neighbourhood_watches WHERE key IN ({})"
        return {row[0] for row in self._where_in(sql, (), keys)}

    def neighbourhood_members(self, root: str) -> set[Member]:
        return set(self._rows("SELECT kind, id FROM neighbourhood_members WHERE root = ?", (root,)))

    def seeds(self) -> Iterator[Member]:
        """One member of every neighbourhood."""
        yield from self._rows("SELECT kind, min(id) FROM neighbourhood_members GROUP BY root ORDER BY root")

    def neighbourhood_of(self, kind: str, id: str) -> str | None:
        row = self._one("SELECT root FROM neighbourhood_members WHERE kind = ? AND id = ?", (kind, id))
        return row[0] if row else None

    def drop_neighbourhood(self, root: str) -> None:
        """Forget a neighbourhood that has no member left; its decisions and findings become orphans."""
        with self.transaction():
            members = self.neighbourhood_members(root)
            self._forget(root)
            self._move(members, from_root=root, to_root="")

    # ------------------------------------------------------------------ inside

    def _take_over(self, root: str, members: set[Member]) -> None:
        earlier = {self.neighbourhood_of(kind, record_id) or root for kind, record_id in members} | {root}
        departed: set[Member] = set()
        for other in sorted(earlier):
            departed |= self.neighbourhood_members(other) - members
            self._forget(other)
            if other != root:
                for table in ("decisions", "findings"):
                    self._run(f"UPDATE {table} SET root = ? WHERE root = ?", (root, other))
        self._move(departed, from_root=root, to_root="")
        self._move(members, from_root="", to_root=root)

    def _forget(self, root: str) -> None:
        for table in ("neighbourhoods", "neighbourhood_members", "neighbourhood_watches"):
            self._run(f"DELETE FROM {table} WHERE root = ?", (root,))

    def _move(self, members: Iterable[Member], *, from_root: str, to_root: str) -> None:
        rows = [(to_root, kind, i, from_root) for kind, i in sorted(members)]
        for table in ("decisions", "findings"):
            self._many(f"UPDATE {table} SET root = ? WHERE kind = ? AND id = ? AND root = ?", rows)
