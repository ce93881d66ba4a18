"""What the rules decided last, field by field: the memory behind ``why``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import orjson

from crmsync.store.codec import from_json, to_json
from crmsync.store.database import Tables
from crmsync.store.rows import DecisionRow


class Decisions(Tables):
    def save_decisions(self, root: str, rows: Sequence[DecisionRow]) -> None:
        """Replace all decisions of a neighbourhood."""
        by_record: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            by_record[row.kind, row.id].append(_to_dict(row))
        with self.transaction():
            self._run("DELETE FROM decisions WHERE root = ?", (root,))
            self._many(
                "INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?)",
                [(kind, i, root, to_json(fields)) for (kind, i), fields in by_record.items()],
            )

    def decision(self, kind: str, id: str, field: str | None = None) -> list[DecisionRow]:
        row = self._one("SELECT body FROM decisions WHERE kind = ? AND id = ?", (kind, id))
        decided = from_json(row[0]) if row else []
        return [_from_dict(kind, id, data) for data in decided if field in (None, data["field"])]

    def decided(self, kind: str, field: str) -> Iterator[DecisionRow]:
        """The decision about one field, of every record of a kind that has one."""
        for row in self._rows("SELECT id, body FROM decisions WHERE kind = ? ORDER BY id", (kind,)):
            for data in from_json(row[1]):
                if data["field"] == field:
                    yield _from_dict(kind, row[0], data)


def _to_dict(row: DecisionRow) -> dict[str, Any]:
    said = {
        "field": row.field,
        "value": orjson.Fragment(row.value),
        "code": row.code,
        "reason": row.reason,
        "rule": row.rule,
        "where": row.where,
        "policy_version": row.policy_version,
        "decided_at": row.decided_at,
    }
    more = {"trace": row.trace, "evidence": row.evidence}  # most decisions have none; the file is kept small
    return said | {name: lines for name, lines in more.items() if lines}


def _from_dict(kind: str, id: str, data: dict[str, Any]) -> DecisionRow:
    parsed = {"value": to_json(data["value"]), "decided_at": datetime.fromisoformat(data["decided_at"])}
    return DecisionRow(kind=kind, id=id, **{**data, **parsed})
