"""Findings and their lives: opened, seen again, cleared, opened anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from crmsync.store.codec import from_json, from_stamp, to_json, to_stamp
from crmsync.store.database import Row
from crmsync.store.decisions import Decisions
from crmsync.store.rows import FindingRow

_COLUMNS = (
    "code, severity, kind, id, subject, message, rule, place, evidence, label, detail, "
    "first_seen, last_seen, cleared_at"
)
_UPSERT = """INSERT INTO findings (code, severity, kind, id, subject, message, rule, place, evidence, label,
        detail, root, first_seen, last_seen, cleared_at, opened_run, cleared_run)
    VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,NULL,?,NULL)
    ON CONFLICT (code, kind, id, subject) DO UPDATE SET
        severity = excluded.severity, message = excluded.message, rule = excluded.rule, place = excluded.place,
        evidence = excluded.evidence, label = excluded.label, detail = excluded.detail, root = excluded.root,
        last_seen = excluded.last_seen,
        first_seen = CASE WHEN cleared_at IS NULL THEN first_seen ELSE excluded.first_seen END,
        opened_run = CASE WHEN cleared_at IS NULL THEN opened_run ELSE excluded.opened_run END,
        cleared_at = NULL, cleared_run = NULL"""
_KEPT = (
    "code, kind, id, subject, first_seen, cleared_at, opened_run, cleared_run, severity, message, rule, place, evidence"
)
_TO_HISTORY = f"""INSERT INTO finding_history ({_KEPT}, label, detail) SELECT {_KEPT}, label, detail FROM findings
    WHERE code = ? AND kind = ? AND id = ? AND subject = ? AND cleared_at IS NOT NULL"""
_SEVERITIES = "CASE severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END"

Identity = tuple[str, str, str, str]


class Findings(Decisions):
    def save_findings(
        self, root: str, findings: Sequence[FindingRow], *, run_id: str, now: datetime
    ) -> tuple[int, int]:
        """Make these the open findings of a neighbourhood; how many were opened and how many cleared."""
        stamp = to_stamp(now)
        said = {(row.code, row.kind, row.id, row.subject): row for row in findings}
        with self.transaction():
            already = self._open_among(said)
            gone = self._open_of(root) - said.keys()
            new = [identity for identity in said if identity not in already]
            self._many(_TO_HISTORY, new)
            self._many(_UPSERT, [_to_row(row, root, stamp, run_id) for row in said.values()])
            self._clear(gone, stamp, run_id)
        return len(new), len(gone)

    def clear_orphans(self, *, run_id: str, now: datetime) -> int:
        """Clear findings, and drop decisions, of records that left every neighbourhood (deleted, out of scope)."""
        homeless = "root NOT IN (SELECT root FROM neighbourhoods)"
        with self.transaction():
            sql = f"SELECT code, kind, id, subject FROM findings WHERE cleared_at IS NULL AND {homeless}"
            gone = {(row[0], row[1], row[2], row[3]) for row in self._rows(sql)}
            self._clear(gone, to_stamp(now), run_id)
            self.drop_decisions(homeless, now)
        return len(gone)

    def findings(
        self,
        *,
        open_only: bool = True,
        code: str | None = None,
        kind: str | None = None,
        id: str | None = None,
        severity: str | None = None,
    ) -> list[FindingRow]:
        """Findings that match, the worst first."""
        wanted = {"code": code, "kind": kind, "id": id, "severity": severity}
        given = {column: value for column, value in wanted.items() if value is not None}
        conditions = [f"{column} = ?" for column in given] + (["cleared_at IS NULL"] if open_only else [])
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        sql = f"SELECT {_COLUMNS} FROM findings {where} ORDER BY {_SEVERITIES}, code, kind, label, id, subject"
        return [_from_row(row) for row in self._rows(sql, tuple(given.values()))]

    def open_findings_count(self) -> int:
        row = self._one("SELECT count(*) FROM findings WHERE cleared_at IS NULL")
        return row[0] if row else 0

    def finding_history(self, kind: str, id: str) -> list[tuple[str, datetime | None, datetime | None]]:
        """Earlier lives of a record's findings: code, first seen, cleared."""
        sql = "SELECT code, first_seen, cleared_at FROM finding_history WHERE kind = ? AND id = ? ORDER BY first_seen"
        return [(row[0], from_stamp(row[1]), from_stamp(row[2])) for row in self._rows(sql, (kind, id))]

    def findings_at(self, kind: str, id: str, at: datetime) -> list[FindingRow]:
        """What was open on a record at an instant, the worst first; messages as they were said last."""
        stamp = to_stamp(at)
        then = "kind = ?1 AND id = ?2 AND first_seen <= ?3 AND (cleared_at IS NULL OR cleared_at > ?3)"
        past = _COLUMNS.replace("last_seen", "cleared_at")
        sql = f"""SELECT * FROM (SELECT {_COLUMNS} FROM findings WHERE {then}
            UNION ALL SELECT {past} FROM finding_history WHERE {then}) ORDER BY {_SEVERITIES}, code, subject"""
        return [_from_row(row) for row in self._rows(sql, (kind, id, stamp))]

    def _open_of(self, root: str) -> set[Identity]:
        sql = "SELECT code, kind, id, subject FROM findings WHERE root = ? AND cleared_at IS NULL"
        return {(row[0], row[1], row[2], row[3]) for row in self._rows(sql, (root,))}

    def _open_among(self, said: dict[Identity, FindingRow]) -> set[Identity]:
        sql = "SELECT 1 FROM findings WHERE code = ? AND kind = ? AND id = ? AND subject = ? AND cleared_at IS NULL"
        return {identity for identity in said if self._one(sql, identity)}

    def _clear(self, identities: set[Identity], stamp: str | None, run_id: str) -> None:
        sql = (
            "UPDATE findings SET cleared_at = ?, cleared_run = ? WHERE code = ? AND kind = ? AND id = ? AND subject = ?"
        )
        self._many(sql, [(stamp, run_id, *identity) for identity in sorted(identities)])


def _to_row(row: FindingRow, root: str, stamp: str | None, run_id: str) -> Row:
    place, evidence = row.where, to_json(row.evidence)
    named = (row.code, row.severity, row.kind, row.id, row.subject, row.message, row.rule, place, evidence, row.label)
    return (*named, to_json(row.detail) if row.detail else "", root, stamp, stamp, run_id)


def _from_row(row: Row) -> FindingRow:
    code, severity, kind, record_id, subject, message, rule, place, evidence, label, detail, *life = row
    first, last, cleared = life
    return FindingRow(
        code=code,
        severity=severity,
        kind=kind,
        id=record_id,
        subject=subject,
        message=message,
        rule=rule,
        where=place,
        evidence=from_json(evidence or "[]"),
        label=label,
        detail=from_json(detail or "{}"),
        first_seen=from_stamp(first),
        last_seen=from_stamp(last),
        cleared_at=from_stamp(cleared),
    )
