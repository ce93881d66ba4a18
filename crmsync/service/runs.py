"""One scheduled sync: every way it can end is an outcome and a log event; the schedule goes on after each of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import structlog

from crmsync.errors import CrmsyncError, StoreBusy
from crmsync.sync.report import RunReport

if TYPE_CHECKING:
    from crmsync.project import Project

SyncOutcome = Literal["ok", "partial", "busy", "failed"]


def run_sync(project: Project, connection: str, *, environ: Mapping[str, str] | None = None) -> SyncOutcome:
    """Sync one connection and log how it went. Never raises: the next run is the answer to a failed one."""
    log = structlog.get_logger().bind(connection=connection)
    try:
        report = _sync(project, connection, os.environ if environ is None else environ)
    except StoreBusy as error:
        log.warning("run skipped: busy", reason=error.message)
        return "busy"
    except CrmsyncError as error:
        log.error("run failed", code=error.code, reason=error.message, hint=error.hint)
        return "failed"
    except Exception:
        log.exception("run failed: bug")
        return "failed"
    log.info("run finished", **_numbers(report))
    return "ok" if report.status == "ok" else "partial"


def _sync(project: Project, connection: str, environ: Mapping[str, str]) -> RunReport:
    from crmsync.sync.cycle import sync
    from crmsync.sync.session import open_session

    with open_session(project, connection, environ=environ) as session:
        return sync(session)[1]


def _numbers(report: RunReport) -> dict[str, object]:
    return {
        "run": report.run_id,
        "status": report.status,
        "read": sum(report.pulled.values()),
        "changed": sum(report.changed.values()),
        "written": report.written,
        "failed": report.failed,
        "skipped": report.skipped,
        "findings_open": report.findings_open,
        "api_used": report.api.used,
        "api_left": report.api.remaining,
    }
