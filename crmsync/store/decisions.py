"""What the rules decided last, field by field: the memory behind ``why``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
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
            before = self._before(root, by_record)
            self._run("DELETE FROM decisions WHERE root = ?", (root,))
            superseded: list[Row] = []
            kept: list[Row] = []
            for place, fields in by_record.items():
                version, at, body = _to_row(fields)
                old = before.pop(place, None)
                is_new = old is None or old[2] != body
                if old is not None and is_new:
                    superseded.append((*place, old[1], at, old[0], _superseded(old[2], body)))
                kept.append((*place, root, version, at, body, at if old is None or is_new else old[1]))
            until = to_stamp(datetime.now(UTC)) if not rows else to_stamp(rows[0].decided_at)
            superseded += [(*place, old[1], until, old[0], _superseded(old[2], "[]")) for place, old in before.items()]
            self._many("INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?)", kept)
            self._many(_TO_HISTORY, superseded)

    def _before(self, root: str, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Row]:
        """What is decided of the records of a neighbourhood: policy version, since when, body."""
        columns = "SELECT kind, id, policy_version, since, body FROM decisions"
        found = {(row[0], row[1]): row[2:] for row in self._rows(f"{columns} WHERE root = ?", (root,))}
        for kind, record_id in wanted:
            if (kind, record_id) not in found:
                row = self._one(f"{columns} WHERE kind = ? AND id = ?", (kind, record_id))
                if row:
                    found[kind, record_id] = row[2:]
        return found

    def drop_decisions(self, condition: str, now: datetime) -> None:
        """Take decisions out of the present; what they were stays known."""
        self._run(
            f"""INSERT INTO decision_history (kind, id, since, until, policy_version, body)
            SELECT kind, id, since, ?, policy_version, json_object('fields', json(body), 'added', json('[]'))
            FROM decisions WHERE {condition}""",
            (to_stamp(now),),
        )
        self._run(f"DELETE FROM decisions WHERE {condition}")

    def decision_at(self, kind: str, id: str, at: datetime) -> list[DecisionRow]:
        """What was decided about a record at an instant, field by field; empty where nothing was."""
        columns = "SELECT policy_version, since, body FROM decisions WHERE kind = ? AND id = ?"
        now, stamp = self._one(columns, (kind, id)), to_stamp(at) or ""
        fields = {data["field"]: data for data in from_json(now[2])} if now else {}
        if now and now[1] <= stamp:
            return _from_row((kind, id, *now[:2], now[2]))
        older = "SELECT since, until, policy_version, body FROM decision_history WHERE kind = ? AND id = ?"
        for since, until, version, body in self._rows(f"{older} ORDER BY rowid DESC", (kind, id)):
            data = from_json(body)
            fields |= {one["field"]: one for one in data["fields"]}
            for name in data["added"]:
                fields.pop(name, None)
            if since <= stamp:
                return _from_row((kind, id, version, since, to_json(list(fields.values())))) if stamp < until else []
        return []

    def decision(self, kind: str, id: str, field: str | None = None) -> list[DecisionRow]:
        """What was decided about a record, or about one of its fields."""
        row = self._one(f"SELECT {_COLUMNS} FROM decisions WHERE kind = ? AND id = ?", (kind, id))
        return [decided for decided in _from_row(row) if field in (None, decided.field)] if row else []

    def decided(self, kind: str, field: str) -> Iterator[DecisionRow]:
        """The decision about one field, of every record of a kind that has one."""
        for row in self._rows(f"SELECT {_COLUMNS} FROM decisions WHERE kind = ? ORDER BY id", (kind,)):
            yield from (decided for decided in _from_row(row) if decided.field == field)


_COLUMNS = "kind, id, policy_version, decided_at, body"
_TO_HISTORY = "INSERT INTO decision_history (kind, id, since, until, policy_version, body) VALUES (?, ?, ?, ?, ?, ?)"


def _superseded(old: str, new: str) -> str:
    """What takes a decision back to the one before it: the old fields that differ, and the names of new ones."""
    was = {data["field"]: data for data in from_json(old)}
    now = {data["field"]: data for data in from_json(new)}
    fields = [data for name, data in was.items() if now.get(name) != data]
    return to_json({"fields": fields, "added": sorted(now.keys() - was.keys())})


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
