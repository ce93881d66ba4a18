"""Open registrations by partner, as last decided: what a neighbourhood must know of all the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from crmsync.store.database import Tables

TABLES = (
    "CREATE TABLE open_claims (id TEXT PRIMARY KEY, partner TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX open_claims_partner ON open_claims (partner)",
    # what is open has to be decided once before it can be counted
    "DELETE FROM meta WHERE key = 'config_hash'",
)


class Claims(Tables):
    def save_claims(self, registrations: Collection[str], opened: Mapping[str, str]) -> set[str]:
        """Say of these registrations which are open, and whose. The partners whose count differs from before.

        :param opened: partner by registration id; those left out are not open.
        """
        sql = "SELECT id, partner FROM open_claims WHERE id IN ({})"
        before: dict[str, str] = {row[0]: row[1] for row in self._where_in(sql, (), sorted(registrations))}
        if before == dict(opened):
            return set()
        gone = sorted(before.keys() - opened.keys())
        moved = sorted((i, partner) for i, partner in opened.items() if before.get(i) != partner)
        with self.transaction():
            self._many("DELETE FROM open_claims WHERE id = ?", [(i,) for i in gone])
            self._many("INSERT OR REPLACE INTO open_claims VALUES (?, ?)", moved)
        old, new = Counter(before.values()), Counter(opened.values())
        return {partner for partner in old.keys() | new.keys() if old[partner] != new[partner]}

    def count_claims(self, partners: Collection[str]) -> dict[str, int]:
        """How many registrations each of these partners has open."""
        sql = "SELECT partner, count(*) FROM open_claims WHERE partner IN ({}) GROUP BY partner"
        return {row[0]: row[1] for row in self._where_in(sql, (), sorted(partners))}
