"""Every run, with its report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crmsync.store.codec import from_json, to_json, to_stamp
from crmsync.store.database import Row, Tables

_COLUMNS = "run_id, mode, connection, system, status, started_at, finished_at, report"


class Runs(Tables):
    def next_run_id(self) -> str:
        row = self._one("SELECT max(CAST(substr(run_id, 3) AS INTEGER)) FROM runs")
        return f"r-{((row[0] if row else 0) or 0) + 1:04d}"

    def start_run(
        self, run_id: str, mode: str, started_at: datetime, *, connection: str = "", system: str = ""
    ) -> None:
        """Open a run. Runs that are still open now were cut off, since only one process can hold the store."""
        with self.transaction():
            self._run(
                """UPDATE runs SET status = 'failed', report = json_set(report, '$.status', 'failed', '$.error',
                'the process ended before the run did') WHERE status = 'running'"""
            )
            report = {"run_id": run_id, "mode": mode, "connection": connection, "system": system, "status": "running"}
            self._run(
                "INSERT INTO runs VALUES (?, ?, ?, ?, 'running', ?, NULL, ?)",
                (run_id, mode, connection, system, to_stamp(started_at), to_json({**report, "started_at": started_at})),
            )

    def finish_run(self, report: Mapping[str, Any]) -> None:
        """Close a run with its report: ``run_id``, ``status``, ``finished_at`` and whatever else is worth keeping."""
        self._run(
            "UPDATE runs SET status = ?, finished_at = ?, report = ? WHERE run_id = ?",
            (report["status"], to_stamp(report["finished_at"]), to_json(dict(report)), report["run_id"]),
        )

    def runs(self, limit: int = 20) -> list[dict[str, Any]]:
        """The newest first."""
        sql = f"SELECT {_COLUMNS} FROM runs ORDER BY started_at DESC, run_id DESC LIMIT ?"
        return [_report(row) for row in self._rows(sql, (limit,))]

    def run(self, run_id: str) -> dict[str, Any] | None:
        row = self._one(f"SELECT {_COLUMNS} FROM runs WHERE run_id = ?", (run_id,))
        return _report(row) if row else None

    def config_at(self, at: datetime) -> str:
        """The configuration (hash of mapping and policy) under which the last run up to an instant worked."""
        row = self._one(
            """SELECT report ->> '$.config_hash' FROM runs WHERE started_at <= ? AND report ->> '$.config_hash' <> ''
            ORDER BY started_at DESC, run_id DESC LIMIT 1""",
            (to_stamp(at),),
        )
        return row[0] if row else ""

    # ------------------------------------------------------------------ small facts of the whole store

    def get_meta(self, key: str) -> str | None:
        row = self._one("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row else None

    def set_meta(self, key: str, value: str) -> None:
        self._run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _report(row: Row) -> dict[str, Any]:
    run_id, mode, connection, system, status, started_at, finished_at, report = row
    columns = {"run_id": run_id, "mode": mode, "connection": connection, "system": system, "status": status}
    return {**from_json(report), **columns, "started_at": started_at, "finished_at": finished_at}
