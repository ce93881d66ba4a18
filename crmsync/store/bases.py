"""The bases: per field, the last value that the CRM and crmsync agreed on. An edit is what differs from it."""

from __future__ import annotations

from collections.abc import Iterable

from crmsync.store.codec import from_json, from_stamp, to_json, to_stamp
from crmsync.store.database import Row, Tables
from crmsync.store.rows import BaseRow

_COLUMNS = "object, id, remote_field, value, digest, run_id, at"


class Bases(Tables):
    def bases(self, object: str, ids: Iterable[str]) -> dict[tuple[str, str], BaseRow]:
        """By record id and remote field. A field that both sides always left blank has none."""
        sql = f"SELECT {_COLUMNS} FROM bases WHERE object = ? AND id IN ({{}})"
        return {(row[1], row[2]): _from_row(row) for row in self._where_in(sql, (object,), ids)}

    def save_bases(self, rows: Iterable[BaseRow]) -> None:
        """Both sides agree on these values now."""
        with self.transaction():
            self._many(f"INSERT OR REPLACE INTO bases ({_COLUMNS}) VALUES (?,?,?,?,?,?,?)", map(_to_row, rows))

    def drop_bases(self, object: str, ids: Iterable[str]) -> None:
        """Forget what was agreed on about records: the next contact is the first one."""
        with self.transaction():
            self._many("DELETE FROM bases WHERE object = ? AND id = ?", [(object, i) for i in ids])


def _to_row(row: BaseRow) -> Row:
    return (row.object, row.id, row.remote_field, to_json(row.value), row.digest, row.run_id, to_stamp(row.at))


def _from_row(row: Row) -> BaseRow:
    object_name, record_id, remote_field, value, digest, run_id, at = row
    return BaseRow(
        object=object_name,
        id=record_id,
        remote_field=remote_field,
        value=from_json(value),
        digest=digest,
        run_id=run_id,
        at=from_stamp(at),
    )
