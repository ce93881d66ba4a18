"""The journal: every field that we set out to write, before the request leaves, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

from crmsync.store.chain import INTENT
from crmsync.store.codec import from_json, from_stamp, to_json, to_stamp
from crmsync.store.database import Row
from crmsync.store.rows import JournalRow, WriteStatus
from crmsync.store.verify import Verifier

_INTENT = f"{INTENT}, at"
_COLUMNS = f"{_INTENT}, status, code, message, request_id, created, seq"
_OPEN = "(status IS NULL OR status = 'unknown')"


class Journal(Verifier):
    def journal_intents(self, rows: Sequence[JournalRow]) -> list[int]:
        """Put down what is about to be sent; durable when this returns. The sequence numbers of the rows."""
        now = datetime.now(UTC)
        sql = f"INSERT INTO journal ({_INTENT}) VALUES ({','.join('?' * 17)})"
        with self.transaction():
            before = self._one("SELECT seq FROM sqlite_sequence WHERE name = 'journal'")
            first = seq = (before[0] if before else 0) + 1
            self._many(sql, [_to_row(row, now) for row in rows])
            for ref, write in groupby(rows, key=lambda row: row.ref):
                intents = [_to_row(row, now)[:-1] for row in write]
                self.append_intent(ref, (seq, seq + len(intents) - 1), intents)
                seq += len(intents)
        return list(range(first, seq))

    def journal_outcome(
        self,
        ref: str,
        status: WriteStatus,
        *,
        id: str | None = None,
        code: str = "",
        message: str = "",
        request_id: str = "",
        created: bool = False,
        at: datetime,
    ) -> None:
        """Complete the rows of a write that are still open; a created record gives them its ``id``."""
        with self.transaction():
            span = self._one(f"SELECT min(seq), max(seq) FROM journal WHERE ref = ? AND {_OPEN}", (ref,))
            if span is None or span[0] is None:
                return
            self._run(
                f"""UPDATE journal SET status = ?, record_id = coalesce(?, record_id), code = ?, message = ?,
                request_id = ?, created = ?, at = ? WHERE ref = ? AND {_OPEN}""",
                (status, id, code, message, request_id, created, to_stamp(at), ref),
            )
            said = {"status": status, "id": id, "code": code, "message": message, "request_id": request_id}
            self.append_event("outcome", {**said, "created": created, "at": at}, ref=ref, span=(span[0], span[1]))

    def unresolved(self) -> list[JournalRow]:
        """Rows whose outcome nobody knows: the CRM may or may not have acted. Oldest first."""
        return [_from_row(row) for row in self._rows(f"SELECT {_COLUMNS} FROM journal WHERE {_OPEN} ORDER BY seq")]

    def history(self, kind: str, record_id: str, field: str | None = None) -> list[JournalRow]:
        """What was written to a record, newest first. ``kind`` and ``field`` may also be the CRM's names."""
        sql = f"SELECT {_COLUMNS} FROM journal WHERE record_id = ?1 AND (kind = ?2 OR object = ?2)"
        if field is not None:
            sql += " AND (field = ?3 OR remote_field = ?3)"
        values = (record_id, kind) if field is None else (record_id, kind, field)
        return [_from_row(row) for row in self._rows(f"{sql} ORDER BY seq DESC", values)]

    def last_write(self, object: str, record_id: str, remote_field: str) -> JournalRow | None:
        """The newest write to a field that the CRM acknowledged."""
        row = self._one(
            f"""SELECT {_COLUMNS} FROM journal WHERE record_id = ? AND object = ? AND remote_field = ? AND status = 'ok'
            ORDER BY seq DESC LIMIT 1""",
            (record_id, object, remote_field),
        )
        return _from_row(row) if row else None

    def was_created(self, object: str, record_id: str) -> bool:
        """Whether a write of ours made the record, and none has removed it since."""
        row = self._one(
            """SELECT op, created FROM journal WHERE record_id = ? AND object = ? AND status = 'ok'
            AND (created OR op = 'delete') ORDER BY seq DESC LIMIT 1""",
            (record_id, object),
        )
        return row is not None and bool(row[1])

    def run_history(self, run_id: str) -> list[JournalRow]:
        """What one run wrote, in order."""
        return [
            _from_row(row)
            for row in self._rows(f"SELECT {_COLUMNS} FROM journal WHERE run_id = ? ORDER BY seq", (run_id,))
        ]


def _to_row(row: JournalRow, now: datetime) -> Row:
    write = (row.run_id, row.ref, row.op, row.object, row.record_id, row.key_field, row.key, row.kind, row.label)
    values = (row.field, row.remote_field, to_json(row.old), to_json(row.new))
    return (*write, *values, row.rule, row.where, row.reason, to_stamp(row.at or now))


def _from_row(row: Row) -> JournalRow:
    run_id, ref, op, object_name, record_id, key_field, key, kind, label, field, remote_field = row[:11]
    old, new, rule, place, reason, at, status, code, message, request_id, created, seq = row[11:]
    return JournalRow(
        run_id=run_id,
        ref=ref,
        op=op,
        object=object_name,
        record_id=record_id,
        key_field=key_field,
        key=key,
        kind=kind,
        label=label,
        field=field,
        remote_field=remote_field,
        old=from_json(old),
        new=from_json(new),
        rule=rule,
        where=place,
        reason=reason,
        at=from_stamp(at),
        status=status,
        code=code,
        message=message,
        request_id=request_id,
        created=bool(created),
        seq=seq,
    )
