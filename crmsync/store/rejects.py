"""Refused writes, one row per record, until they succeed or are no longer wanted."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from crmsync.store.codec import from_json, from_stamp, to_json, to_stamp
from crmsync.store.database import Row, Tables
from crmsync.store.rows import RejectRow

_NAMES = (
    "object", "target", "kind", "label", "class", "code", "message", "reason", "fix", "rule", "place", "fields",
    "attempts", "first_at", "last_at", "next_at", "row_hash", "mapping_hash", "schema_hash", "run_id", "request_id",
)  # fmt: skip
_COLUMNS = ", ".join(_NAMES)
_FIRST_KEPT = ("object", "target", "first_at", "attempts")
Target = tuple[str, str]
"""``(object, record id or key)``."""


class Rejects(Tables):
    def rejects(self) -> list[RejectRow]:
        """The oldest first."""
        return [_from_row(row) for row in self._rows(f"SELECT id, is_released, {_COLUMNS} FROM rejects ORDER BY id")]

    def save_reject(self, row: RejectRow) -> None:
        """Refused, again or for the first time: attempts are counted here, and the first time is kept."""
        news = ", ".join(f"{name} = excluded.{name}" for name in _NAMES if name not in _FIRST_KEPT)
        self._run(
            f"""INSERT INTO rejects ({_COLUMNS}) VALUES ({",".join("?" * len(_NAMES))})
            ON CONFLICT (object, target) DO UPDATE SET {news}, attempts = attempts + 1, is_released = 0""",
            _to_row(row),
        )

    def drop_rejects(self, targets: Iterable[Target]) -> None:
        """Written at last, or no longer wanted."""
        with self.transaction():
            self._many("DELETE FROM rejects WHERE object = ? AND target = ?", targets)

    def release_rejects(self, ids: Collection[int]) -> None:
        """The next sync sends them again, whatever they wait for."""
        with self.transaction():
            self._many("UPDATE rejects SET is_released = 1 WHERE id = ?", [(number,) for number in ids])


def _to_row(row: RejectRow) -> Row:
    said = (row.reject_class, row.code, row.message, row.reason, row.fix, row.rule, row.where, to_json(row.fields))
    at = (to_stamp(row.first_at), to_stamp(row.last_at), to_stamp(row.next_at))
    hashes = (row.row_hash, row.mapping_hash, row.schema_hash)
    return (row.object, row.target, row.kind, row.label, *said, row.attempts, *at, *hashes, row.run_id, row.request_id)


def _from_row(row: Row) -> RejectRow:
    values = dict(zip(("id", "is_released", *_NAMES), row, strict=True))
    values |= {"reject_class": values.pop("class"), "where": values.pop("place")}
    values |= {name: from_stamp(values[name]) for name in ("first_at", "last_at", "next_at")}
    values |= {"fields": tuple(from_json(values["fields"])), "is_released": bool(values["is_released"])}
    return RejectRow(**values)
