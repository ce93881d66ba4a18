"""The mirror: raw records as the CRM holds them, the checkpoint of each pull, and what awaits a decision."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from crmsync.remote import Cursor, RemoteRecord, Scalar
from crmsync.store.codec import from_json, record_body, record_from, row_hash, to_json, to_stamp
from crmsync.store.database import CHUNK, Row, Tables, corrupt

_COLUMNS = "id, body, hash, modified_at, deleted, merged_into"
_UPSERT = """INSERT INTO mirror (object, id, body, hash, modified_at, deleted, merged_into, seen)
    VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (object, id) DO UPDATE SET
    body = excluded.body, hash = excluded.hash, modified_at = excluded.modified_at, deleted = excluded.deleted,
    merged_into = excluded.merged_into, seen = excluded.seen"""


class Mirror(Tables):
    # ------------------------------------------------------------------ pulling

    def save_page(
        self, object: str, records: Sequence[RemoteRecord], cursor: Cursor, *, run_id: str, merge: bool = False
    ) -> list[str]:
        """Keep a page and its cursor in one transaction; the ids whose content is new come back and become pending.

        ``merge`` keeps fields that the mirror has and the page does not name. A tombstone without fields always keeps
        the last known ones: they tell what the record was.
        """
        del run_id  # the run that pulls; rows carry the full pull that saw them instead
        incoming = {record.id: record for record in records}
        with self.transaction():
            known = self._stored(object, incoming)
            full_run = self.full_run(object) or ""
            changed: list[str] = []
            rows: list[Row] = []
            for record in incoming.values():
                old = known.get(record.id)
                row = _row(object, self._completed(object, record, old, merge=merge), full_run)
                if old is None or (old[1], old[4], old[5]) != (row[2], row[5], row[6]):
                    changed.append(record.id)
                elif old[3] == row[4] and full_run in ("", old[6]):
                    continue
                rows.append(row)
            self._many(_UPSERT, rows)
            self.mark_pending((object, i) for i in changed)
            for record in incoming.values():
                if record.merged_into:
                    self.alias(object, record.id, record.merged_into)
            self._save_cursor(object, cursor)
        return changed

    def cursor(self, object: str) -> Cursor | None:
        row = self._one("SELECT cursor FROM checkpoints WHERE object = ?", (object,))
        return from_json(row[0]) if row and row[0] is not None else None

    def fingerprint(self, object: str) -> str | None:
        """What the rows were read with; ``None`` before the first pull."""
        row = self._one("SELECT fingerprint FROM checkpoints WHERE object = ?", (object,))
        return row[0] if row else None

    def reset_object(self, object: str, fingerprint: str) -> None:
        """Drop the cursor, so that the next pull reads everything; the rows stay until :meth:`finish_full`."""
        self._run(
            """INSERT INTO checkpoints (object, fingerprint) VALUES (?, ?)
            ON CONFLICT (object) DO UPDATE SET fingerprint = excluded.fingerprint, cursor = NULL, full_run = NULL""",
            (object, fingerprint),
        )

    def begin_full(self, object: str, run_id: str) -> None:
        """From here on, rows remember that this full pull saw them.

        A full pull that was cut off and goes on from its saved cursor stays the same full pull: what it saw counts.
        """
        self._run(
            """INSERT INTO checkpoints (object, full_run) VALUES (?, ?) ON CONFLICT (object) DO UPDATE SET full_run =
            CASE WHEN full_run IS NOT NULL AND cursor IS NOT NULL THEN full_run ELSE excluded.full_run END""",
            (object, run_id),
        )

    def full_run(self, object: str) -> str | None:
        """The run that began the full pull now under way; ``None`` when there is none."""
        row = self._one("SELECT full_run FROM checkpoints WHERE object = ?", (object,))
        return row[0] if row else None

    def finish_full(self, object: str, run_id: str) -> list[str]:
        """Mark live rows that the full pull did not bring as deleted and pending; their ids."""
        del run_id  # may be a later one than the run that began it
        with self.transaction():
            full_run = self.full_run(object)
            if full_run is None:
                return []
            sql = "SELECT id FROM mirror WHERE object = ? AND NOT deleted AND seen <> ? ORDER BY id"
            gone = [row[0] for row in self._rows(sql, (object, full_run))]
            self.mark_deleted(object, gone)
            self._run("UPDATE checkpoints SET full_run = NULL WHERE object = ?", (object,))
        return gone

    def mark_deleted(self, object: str, ids: Iterable[str]) -> None:
        """Turn live rows into tombstones and make them pending; unknown ids and tombstones are left alone."""
        with self.transaction():
            rows = [row for row in self._stored(object, list(ids)).values() if not row[4]]
            self._many(
                "UPDATE mirror SET deleted = 1, hash = ? WHERE object = ? AND id = ?",
                [(row_hash(object, row[0], row[1], row[3], 1, row[5]), object, row[0]) for row in rows],
            )
            self.mark_pending((object, row[0]) for row in rows)

    def update_mirror(self, object: str, id: str, fields: Mapping[str, Scalar]) -> None:
        """Take over what the CRM accepted from us, so that our own write does not come back as somebody's change."""
        with self.transaction():
            known = self.row(object, id) or RemoteRecord(id=id, fields={})
            record = replace(known, fields={**known.fields, **fields}, deleted=False, merged_into=None)
            self._run(_UPSERT, _row(object, record, self.full_run(object) or ""))

    # ------------------------------------------------------------------ reading

    def rows(
        self, object: str, ids: Iterable[str] | None = None, *, include_deleted: bool = False
    ) -> Iterator[RemoteRecord]:
        """Records by id order (``ids``: in their order, missing left out), verified, a chunk in memory at a time."""
        stored = self._scan(object) if ids is None else self._select(object, ids)
        for row in stored:
            if include_deleted or not row[4]:
                yield self._verified(object, row)

    def row(self, object: str, id: str) -> RemoteRecord | None:
        """One record, a tombstone too."""
        row = self._one(f"SELECT {_COLUMNS} FROM mirror WHERE object = ? AND id = ?", (object, id))
        return self._verified(object, row) if row else None

    def count(self, object: str) -> int:
        """Live rows."""
        count = "SELECT count(*) FROM mirror WHERE object = ?1"
        row = self._one(f"SELECT ({count}) - ({count} AND deleted)", (object,))
        return row[0] if row else 0

    def object_ids(self, object: str) -> Iterator[str]:
        """Ids of live rows in order."""
        last = ""
        sql = "SELECT id FROM mirror WHERE object = ? AND id > ? AND NOT deleted ORDER BY id LIMIT 10000"
        while chunk := self._rows(sql, (object, last)):
            last = chunk[-1][0]
            yield from (row[0] for row in chunk)

    def objects(self) -> list[str]:
        return [row[0] for row in self._rows("SELECT object FROM checkpoints ORDER BY object")]

    # ------------------------------------------------------------------ pending, aliases

    def pending(self) -> list[tuple[str, str]]:
        """Records that changed and have not been decided since: ``(object, id)``."""
        return [(row[0], row[1]) for row in self._rows("SELECT object, id FROM pending ORDER BY object, id")]

    def mark_pending(self, pairs: Iterable[tuple[str, str]]) -> None:
        with self.transaction():
            self._many("INSERT OR IGNORE INTO pending VALUES (?, ?)", pairs)

    def clear_pending(self, pairs: Iterable[tuple[str, str]]) -> None:
        with self.transaction():
            self._many("DELETE FROM pending WHERE object = ? AND id = ?", pairs)

    def alias(self, object: str, old_id: str, new_id: str) -> None:
        """``old_id`` was merged into ``new_id``."""
        with self.transaction():
            self._run("DELETE FROM aliases WHERE object = ? AND old_id = ?", (object, new_id))
            if old_id != new_id:
                self._run("INSERT OR REPLACE INTO aliases VALUES (?, ?, ?)", (object, old_id, new_id))

    def resolve(self, object: str, id: str) -> str:
        """The surviving id at the end of a chain of merges."""
        seen = {id}
        while row := self._one("SELECT new_id FROM aliases WHERE object = ? AND old_id = ?", (object, id)):
            if row[0] in seen:
                break
            id = row[0]  # noqa: A001
            seen.add(id)
        return id

    def aliases(self, object: str) -> dict[str, str]:
        """Merged-away id to surviving id."""
        direct: dict[str, str] = dict(
            self._rows("SELECT old_id, new_id FROM aliases WHERE object = ? ORDER BY old_id", (object,))
        )
        return {old: self.resolve(object, old) for old in direct}

    # ------------------------------------------------------------------ inside

    def _stored(self, object: str, ids: Collection[str]) -> dict[str, Row]:
        sql = f"SELECT {_COLUMNS}, seen FROM mirror WHERE object = ? AND id IN ({{}})"
        return {row[0]: row for row in self._where_in(sql, (object,), ids)}

    def _scan(self, object: str) -> Iterator[Row]:
        last = ""
        sql = f"SELECT {_COLUMNS} FROM mirror WHERE object = ? AND id > ? ORDER BY id LIMIT {CHUNK}"
        while chunk := self._rows(sql, (object, last)):
            last = chunk[-1][0]
            yield from chunk

    def _select(self, object: str, ids: Iterable[str]) -> Iterator[Row]:
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), CHUNK):
            found = self._stored(object, wanted[start : start + CHUNK])
            yield from (found[i] for i in wanted[start : start + CHUNK] if i in found)

    def _verified(self, object: str, row: Row) -> RemoteRecord:
        record_id, body, stored_hash, modified_at, deleted, merged_into = row[:6]
        if row_hash(object, record_id, body, modified_at, deleted, merged_into) != stored_hash:
            raise corrupt(self.path, f"a row of {object} does not match its hash")
        return record_from(record_id, body, modified_at, deleted, merged_into)

    def _completed(self, object: str, record: RemoteRecord, old: Row | None, *, merge: bool) -> RemoteRecord:
        if old is None or not (merge or (record.deleted and not record.fields)):
            return record
        return replace(record, fields={**self._verified(object, old).fields, **record.fields})

    def _save_cursor(self, object: str, cursor: Cursor) -> None:
        self._run(
            """INSERT INTO checkpoints (object, cursor) VALUES (?, ?)
            ON CONFLICT (object) DO UPDATE SET cursor = excluded.cursor""",
            (object, to_json(dict(cursor))),
        )


def _row(object: str, record: RemoteRecord, full_run: str) -> Row:
    body, stamp, deleted = record_body(record), to_stamp(record.modified_at), int(record.deleted)
    digest = row_hash(object, record.id, body, stamp, deleted, record.merged_into)
    return (object, record.id, body, digest, stamp, deleted, record.merged_into, full_run)
