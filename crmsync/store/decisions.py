"""What the rules decided last, field by field: the memory behind ``why``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import orjson

from crmsync.store.codec import from_json, to_json, to_stamp
from crmsync.store.database import Row, Tables
from crmsync.store.rows import DecisionRow


class Decisions(Tables):
    def save_decisions(self, root: str, rows: Sequence[DecisionRow]) -> None:
        """Replace all decisions of a neighbourhood. The fields of one record are decided together."""
        by_record: dict[tuple[str, str], list[DecisionRow]] = defaultdict(list)
        for row in rows:
            by_record[row.kind, row.id].append(row)
        with self.transaction():
            self._run("DELETE FROM decisions WHERE root = ?", (root,))
            self._many(
                "INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?, ?, ?)",
                [(kind, i, root, *_to_row(fields)) for (kind, i), fields in by_record.items()],
            )

    def decision(self, kind: str, id: str, field: str | None = None) -> list[DecisionRow]:
        """What was decided about a record, or about one of its fields."""
        row = self._one(f"SELECT {_COLUMNS} FROM decisions WHERE kind = ? AND id = ?", (kind, id))
        return [decided for decided in _from_row(row) if field in (None, decided.field)] if row else []

    def decided(self, kind: str, field: str) -> Iterator[DecisionRow]:
        """The decision about one field, of every record of a kind that has one."""
        for row in self._rows(f"SELECT {_COLUMNS} FROM decisions WHERE kind = ? ORDER BY id", (kind,)):
            yield from (decided for decided in _from_row(row) if decided.field == field)


_COLUMNS = "kind, id, policy_version, decided_at, body"


def _to_row(rows: list[DecisionRow]) -> tuple[str, str | None, str]:
    return rows[0].policy_version, to_stamp(rows[0].decided_at), to_json([_to_dict(row) for row in rows])


def _to_dict(row: DecisionRow) -> dict[str, Any]:
    said = {
        "field": row.field,
        "value": orjson.Fragment(row.value),
        "code": row.code,
        "reason": row.reason,
        "rule": row.rule,
        "where": row.where,
    }
    more = {"trace": row.trace, "evidence": row.evidence}  # most decisions have none; the file is kept small
    return said | {name: lines for name, lines in more.items() if lines}


def _from_row(row: Row) -> list[DecisionRow]:
    kind, record_id, policy_version, decided_at, body = row
    shared = {"kind": kind, "id": record_id, "policy_version": policy_version}
    instant = datetime.fromisoformat(decided_at)
    return [
        DecisionRow(**{**shared, **data, "value": to_json(data["value"]), "decided_at": instant})
        for data in from_json(body)
    ]
