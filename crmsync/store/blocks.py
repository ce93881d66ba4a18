"""The blocking index: which records share a key, how often a value occurs, and each record as it is compared.

Keys and values are kept as 64-bit hashes and records by a small number, so that a million records fit in a few
hundred megabytes and a look-up reads few pages. Two keys with one hash would only cost a needless comparison.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from crmsync.store.database import CHUNK, Tables

TABLES = (
    """CREATE TABLE prepared (
        no INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (kind, id))""",
    "CREATE TABLE blk (key INTEGER NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (key, no)) WITHOUT ROWID",
    "CREATE TABLE term_counts (term INTEGER PRIMARY KEY, n INTEGER NOT NULL)",
)

_COUNT = """INSERT INTO term_counts VALUES (?, ?) ON CONFLICT (term) DO UPDATE SET n = n + excluded.n"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record as the matching model compares it. ``body`` is the model's own text; the store does not read it."""

    kind: str
    id: str
    body: str
    keys: tuple[str, ...]
    terms: tuple[tuple[str, str], ...]
    """``(column, value)`` whose frequency the model asks for."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Records that share a key with another, and the keys that too many share to tell anything."""

    ids: Mapping[str, str]
    """Id to body."""
    hot: tuple[str, ...] = ()
    dropped: int = 0
    """How many were left out, because there were too many of them."""


def hashed(*parts: str) -> int:
    """A signed 64-bit number for a key."""
    digest = blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class Blocks(Tables):
    def prepared_body(self, kind: str, id: str) -> str | None:
        """The body of one record; ``None`` where the index does not hold it."""
        row = self._one("SELECT body FROM prepared WHERE kind = ? AND id = ?", (kind, id))
        return row[0] if row else None

    def prepared_ids(self, kind: str) -> Iterator[str]:
        """Ids of one kind, in order."""
        last = ""
        sql = "SELECT id FROM prepared WHERE kind = ? AND id > ? ORDER BY id LIMIT 10000"
        while chunk := self._rows(sql, (kind, last)):
            last = chunk[-1][0]
            yield from (row[0] for row in chunk)

    def has_prepared(self) -> bool:
        """Whether the index holds anything."""
        return self._one("SELECT 1 FROM prepared LIMIT 1") is not None

    def save_prepared(self, record: Prepared, former: Prepared | None) -> None:
        """Put a record into the index, in place of what it was."""
        with self.transaction():
            if former is not None:
                self._take_out(former)
            self._run(
                "INSERT INTO prepared (kind, id, body) VALUES (?, ?, ?) "
                "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
                (record.kind, record.id, record.body),
            )
            number = self._number(record.kind, record.id)
            self._many(
                "INSERT OR IGNORE INTO blk VALUES (?, ?)", [(hashed(record.kind, key), number) for key in record.keys]
            )
            self._many(_COUNT, [(term, 1) for term in _terms(record)])

    def drop_prepared(self, former: Prepared) -> None:
        """Take a record out of the index."""
        with self.transaction():
            self._take_out(former)
            self._run("DELETE FROM prepared WHERE kind = ? AND id = ?", (former.kind, former.id))

    def begin_bulk(self) -> None:
        """Before a whole base is indexed with :meth:`add_bulk`; call inside a transaction."""
        self._run("PRAGMA cache_size = -131072")
        self._run("CREATE TEMP TABLE new_keys (key INTEGER, no INTEGER)")
        self._run("CREATE TEMP TABLE new_terms (term INTEGER)")

    def add_bulk(self, records: Sequence[Prepared]) -> None:
        """Add records that the index does not hold yet; it can be searched after :meth:`end_bulk`."""
        row = self._one("SELECT max(no) FROM prepared")
        numbered = list(enumerate(records, start=((row[0] if row else 0) or 0) + 1))
        self._many("INSERT INTO prepared VALUES (?, ?, ?, ?)", [(n, r.kind, r.id, r.body) for n, r in numbered])
        keys = [(hashed(r.kind, key), n) for n, r in numbered for key in r.keys]
        self._many("INSERT INTO new_keys VALUES (?, ?)", keys)
        self._many("INSERT INTO new_terms VALUES (?)", [(term,) for _, r in numbered for term in _terms(r)])

    def end_bulk(self) -> None:
        """Sort what was added into the index, once: a key at a time would read and write the same pages for hours."""
        self._run("INSERT OR IGNORE INTO blk SELECT key, no FROM new_keys ORDER BY key, no")
        self._run(
            "INSERT INTO term_counts SELECT term, count(*) FROM new_terms WHERE true GROUP BY term "
            "ON CONFLICT (term) DO UPDATE SET n = n + excluded.n"
        )
        self._run("DROP TABLE new_keys")
        self._run("DROP TABLE new_terms")
        self._run("PRAGMA cache_size = -16000")

    def clear_index(self) -> None:
        """Forget all of it; it is rebuilt from the mirror."""
        with self.transaction():
            for table in ("prepared", "blk", "term_counts"):
                self._run(f"DELETE FROM {table}")

    def candidates(self, kind: str, keys: Collection[str], *, block_cap: int, cap: int) -> Candidates:
        """Records of a kind that share a key with a record. A key that more than ``block_cap`` records have tells
        nothing and is left out; of more than ``cap`` candidates, those stay that share the most keys.
        """
        shared: dict[int, int] = {}
        hot: list[str] = []
        sql = "SELECT no FROM blk WHERE key = ? LIMIT ?"
        for key in keys:
            found = self._rows(sql, (hashed(kind, key), block_cap + 1))
            if len(found) > block_cap:
                hot.append(key)
                continue
            for (number,) in found:
                shared[number] = shared.get(number, 0) + 1
        chosen = sorted(shared, key=lambda number: (-shared[number], number))[:cap]
        return Candidates(self._bodies(chosen), tuple(hot), len(shared) - len(chosen))

    def frequency(self, kind: str, column: str, value: str) -> tuple[int, int]:
        """How many records of a kind have the value in the column, and how many have any."""
        own, all_ = hashed(kind, column, value), hashed(kind, column)
        found: dict[int, int] = dict(self._rows("SELECT term, n FROM term_counts WHERE term IN (?, ?)", (own, all_)))
        return found.get(own, 0), found.get(all_, 0)

    # ------------------------------------------------------------------ inside

    def _take_out(self, record: Prepared) -> None:
        number = self._number(record.kind, record.id)
        if number is None:
            return
        self._many("DELETE FROM blk WHERE key = ? AND no = ?", [(hashed(record.kind, k), number) for k in record.keys])
        terms = _terms(record)
        self._many("UPDATE term_counts SET n = n - 1 WHERE term = ?", [(term,) for term in terms])
        self._many("DELETE FROM term_counts WHERE term = ? AND n <= 0", [(term,) for term in terms])

    def _number(self, kind: str, id: str) -> int | None:
        row = self._one("SELECT no FROM prepared WHERE kind = ? AND id = ?", (kind, id))
        return row[0] if row else None

    def _bodies(self, numbers: list[int]) -> dict[str, str]:
        found: dict[str, str] = {}
        for start in range(0, len(numbers), CHUNK):
            chunk = numbers[start : start + CHUNK]
            marks = ",".join("?" * len(chunk))
            found.update(self._rows(f"SELECT id, body FROM prepared WHERE no IN ({marks})", chunk))
        return found


def _terms(record: Prepared) -> list[int]:
    """The hash of each value, and of each column that has one."""
    columns = {column for column, _ in record.terms}
    values = [hashed(record.kind, column, value) for column, value in record.terms]
    return [*values, *(hashed(record.kind, column) for column in sorted(columns))]
