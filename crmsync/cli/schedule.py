"""``schedule``: syncs by the clock, in the foreground; a service manager keeps it alive."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from crmsync.cli.app import App, command, log_file
from crmsync.cli.render import Rows
from crmsync.cli.words import instant
from crmsync.errors import UsageError

if TYPE_CHECKING:
    from apscheduler.triggers.base import BaseTrigger

    from crmsync.service import NextRun

EXIT_FAILED = 1
EXIT_PARTIAL = 5


@command()
@click.option("--list", "only_list", is_flag=True, help="Only say when each connection runs next.")
@click.option("--once", is_flag=True, help="Run every connection once, now, and end.")
def schedule(app: App, only_list: bool, once: bool) -> int:
    """Sync on the project's schedule until stopped; SIGTERM and Ctrl-C let the current run end first."""
    from crmsync.log import setup_logging
    from crmsync.service import SyncScheduler, run_sync

    log = app.project.log
    as_json = {"json": True, "text": False}.get(log.format)
    setup_logging("debug" if app.verbose else log.level, as_json=as_json, file=log_file())
    if once:
        return _run_once(app)
    scheduler = SyncScheduler(_triggers(app), lambda name: run_sync(app.project, name))
    upcoming = scheduler.next_runs()
    if only_list:
        app.render.show("schedule", upcoming, lambda: [_next_table(upcoming)])
        return 0
    scheduler.serve(ready=lambda: _announce(app, upcoming))
    return 0


def _triggers(app: App) -> dict[str, BaseTrigger]:
    from crmsync.service import build_trigger

    plan = app.project.schedule
    if plan is None:
        raise UsageError(f"'{app.project.path}' has no schedule", hint="add: schedule: {every: 15m}")
    return {connection.name: build_trigger(plan) for connection in app.connections}


def _run_once(app: App) -> int:
    from crmsync.service import run_sync

    outcomes = {connection.name: run_sync(app.project, connection.name) for connection in app.connections}
    ok = all(outcome == "ok" for outcome in outcomes.values())
    app.render.show("schedule", outcomes, lambda: [f"{name}: {outcome}" for name, outcome in outcomes.items()], ok=ok)
    if any(outcome in ("failed", "busy") for outcome in outcomes.values()):
        return EXIT_FAILED
    return 0 if ok else EXIT_PARTIAL


def _next_table(upcoming: list[NextRun]) -> Rows:
    return Rows(("connection", "next run"), [(row.connection, instant(row.at)) for row in upcoming])


def _announce(app: App, upcoming: list[NextRun]) -> None:
    """To a person as lines; where nobody watches, the log stays one kind of line."""
    import structlog

    if not sys.stderr.isatty():
        for row in upcoming:
            structlog.get_logger().info("next run", connection=row.connection, at=instant(row.at))
        return
    for row in upcoming:
        app.render.talk(f"{row.connection}: next run {instant(row.at)}")
    app.render.talk("Stop with Ctrl-C or SIGTERM; the current run ends first")
