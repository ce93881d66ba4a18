"""Other people's values in fields of ours: who put them there, as far as the CRM told, and which fields are frozen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from crmsync.store.codec import from_json, from_stamp, to_json, to_stamp
from crmsync.store.database import Row, Tables
from crmsync.store.rows import EditRow

_COLUMNS = "object, id, remote_field, theirs, edited_at, by, source, frozen_run, thawed_at"
Place = tuple[str, str, str]


class Edits(Tables):
    def edit_rows(self) -> dict[Place, EditRow]:
        """Every edit that stands, or was frozen once, by object, record and remote field."""
        rows = map(_from_row, self._rows(f"SELECT {_COLUMNS} FROM edits ORDER BY object, id, remote_field"))
        return {(row.object, row.id, row.remote_field): row for row in rows}

    def save_edits(self, rows: Iterable[EditRow]) -> None:
        with self.transaction():
            self._many(f"INSERT OR REPLACE INTO edits ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)", map(_to_row, rows))

    def drop_edits(self, places: Iterable[Place]) -> None:
        """Both sides agree again; a field that was frozen keeps the instant of its thaw."""
        with self.transaction():
            self._many("DELETE FROM edits WHERE object = ? AND id = ? AND remote_field = ?", places)

    def thaw(self, places: Iterable[Place], now: datetime) -> None:
        """Frozen fields may be written again, and what was written over them before counts no longer."""
        sql = "UPDATE edits SET frozen_run = '', thawed_at = ? WHERE object = ? AND id = ? AND remote_field = ?"
        with self.transaction():
            self._many(sql, [(to_stamp(now), *place) for place in places])


def _to_row(row: EditRow) -> Row:
    place = (row.object, row.id, row.remote_field)
    told = (to_json(row.theirs), to_stamp(row.edited_at), row.by, row.source)
    return (*place, *told, row.frozen_run, to_stamp(row.thawed_at))


def _from_row(row: Row) -> EditRow:
    object_name, record_id, remote_field, theirs, edited_at, by, source, frozen_run, thawed_at = row
    return EditRow(
        object=object_name,
        id=record_id,
        remote_field=remote_field,
        theirs=from_json(theirs),
        edited_at=from_stamp(edited_at),
        by=by,
        source=source,
        frozen_run=frozen_run,
        thawed_at=from_stamp(thawed_at),
    )
