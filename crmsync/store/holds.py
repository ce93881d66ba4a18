"""Holds: fields that an undo put back and that stay so; and the texts under which decisions were made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from crmsync.remote import Scalar
from crmsync.store.codec import from_json, from_stamp, to_json, to_stamp
from crmsync.store.database import Tables


@dataclass(frozen=True, slots=True)
class Hold:
    """A value that an undo took back and that is not written again. ``run_id`` is the undo."""

    object: str
    id: str
    remote_field: str
    run_id: str
    config_hash: str
    """Of mapping and policy then: when they change, the hold is over."""
    value: Scalar = None
    at: datetime | None = None


_COLUMNS = "object, id, remote_field, run_id, config_hash, value, at"


class Holds(Tables):
    def save_holds(self, holds: Iterable[Hold]) -> None:
        with self.transaction():
            self._many(
                f"INSERT OR REPLACE INTO holds ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (h.object, h.id, h.remote_field, h.run_id, h.config_hash, to_json(h.value), to_stamp(h.at))
                    for h in holds
                ],
            )

    def holds(self, config_hash: str | None = None) -> list[Hold]:
        """All of them, or those that still bind under this mapping and policy."""
        sql = f"""SELECT {_COLUMNS} FROM holds
            WHERE ?1 IS NULL OR config_hash = ?1 ORDER BY object, id, remote_field"""
        return [_hold(*row) for row in self._rows(sql, (config_hash,))]

    def release_holds(self, run_id: str | None = None) -> list[Hold]:
        """End the holds of one undo, or all. The ended ones."""
        ended = [hold for hold in self.holds() if run_id in (None, hold.run_id)]
        self.drop_holds(ended)
        return ended

    def drop_holds(self, ended: Iterable[Hold]) -> None:
        with self.transaction():
            self._many(
                "DELETE FROM holds WHERE object = ? AND id = ? AND remote_field = ?",
                [(hold.object, hold.id, hold.remote_field) for hold in ended],
            )

    def save_config(self, config_hash: str, texts: Mapping[str, str], now: datetime) -> None:
        """Keep the files behind a config hash, once."""
        if self._one("SELECT 1 FROM configs WHERE config_hash = ? LIMIT 1", (config_hash,)):
            return
        with self.transaction():
            self._many(
                "INSERT OR IGNORE INTO configs VALUES (?, ?, ?, ?)",
                [(config_hash, path, text, to_stamp(now)) for path, text in texts.items()],
            )

    def config_texts(self, config_hash: str) -> dict[str, str]:
        """Path to text of the mapping and policy files behind a config hash; empty where none are kept."""
        return dict(self._rows("SELECT path, body FROM configs WHERE config_hash = ? ORDER BY path", (config_hash,)))


def _hold(object: str, id: str, remote_field: str, run_id: str, config_hash: str, value: str, at: str) -> Hold:
    return Hold(object, id, remote_field, run_id, config_hash, from_json(value), from_stamp(at))
