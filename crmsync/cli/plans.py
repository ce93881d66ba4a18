"""``plan``, ``apply``, ``sync``: look before the write, write exactly that, or do both within the guards."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crmsync.cli.app import App, command
from crmsync.cli.view_plan import SHOWN, plan_data, plan_lines
from crmsync.cli.view_run import report_lines
from crmsync.errors import GuardError
from crmsync.sync.plan import Plan
from crmsync.sync.report import RunReport

if TYPE_CHECKING:
    from crmsync.project import Guards

EXIT_CHANGES = 3
EXIT_PARTIAL = 5


class ShowCount(click.ParamType[int | None]):
    """A number of records, or ``all``."""

    name = "N|all"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        if value == "all" or value is None:
            return None
        try:
            number = int(str(value))
        except ValueError:
            number = -1
        if number < 0:
            self.fail(f"'{value}' is neither a number nor 'all'", param, ctx)
        return number


confirm_option = click.option(
    "--confirm", metavar="NAME", help="Confirm, once, that this production connection may be written to."
)
show_option = click.option("--show", type=ShowCount(), default=str(SHOWN), help="How many records to list.")


@command()
@click.option("--full", is_flag=True, help="Read and decide everything anew.")
@click.option("--save", "file", type=click.Path(path_type=Path, dir_okay=False), help="Keep the plan for 'apply'.")
@click.option("--exit-code", is_flag=True, help=f"Exit {EXIT_CHANGES} when there are changes.")
@show_option
def plan(app: App, full: bool, file: Path | None, exit_code: bool, show: int | None) -> int:
    """Show every field that would change, and the rule that says so. Writes nothing to the CRM."""
    from crmsync.sync.cycle import make_plan
    from crmsync.sync.planfile import save_plan

    with app.session() as session:
        made, report = make_plan(session, full=full)
    if file:
        save_plan(made, file)
    app.render.show("plan", plan_data(made, report), lambda: plan_lines(made, report, show=show))
    app.render.talk(_next_after_plan(app, made, file))
    return EXIT_CHANGES if exit_code and made.changes else 0


def _next_after_plan(app: App, made: Plan, file: Path | None) -> str:
    if not made.changes:
        return f"Next: {app.command_line('findings')}"
    if file:
        return f"Next: {app.command_line(f'apply {file}')}"
    return f"Next: {app.command_line('sync')}   or keep this plan: {app.command_line('plan --save plan.json')}"


@command()
@click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))
@confirm_option
def apply(app: App, plan_file: Path, confirm: str | None) -> int:
    """Write exactly what a saved plan says; what somebody changed since is left alone."""
    from crmsync.sync.cycle import apply_plan
    from crmsync.sync.guards import confirm_production
    from crmsync.sync.planfile import load_plan

    loaded = load_plan(plan_file)
    app.connection_name = app.connection_name or loaded.connection
    with app.session() as session:
        if confirm is not None:
            confirm_production(session, confirm)
        report = apply_plan(session, loaded)
    return finish_run(app, "apply", report)


@command()
@click.option("--full", is_flag=True, help="Read and decide everything anew.")
@click.option("--yes", is_flag=True, help="Go beyond the guards of the project file, this once.")
@click.option("--rebuild", is_flag=True, help="Set a damaged store aside first, and build a new one from the CRM.")
@confirm_option
def sync(app: App, full: bool, yes: bool, rebuild: bool, confirm: str | None) -> int:
    """Plan and apply within the project's guards: what the schedule runs."""
    from crmsync.sync.cycle import sync as run_sync
    from crmsync.sync.guards import confirm_production

    if rebuild:
        _set_aside(app)
    with app.session() as session:
        try:
            if confirm is not None:
                confirm_production(session, confirm)
            _, report = run_sync(session, full=full, limits=no_limits(app) if yes else None)
        except GuardError as error:
            if error.code == GuardError.code:
                error.hint = f"{error.hint}, or: {app.command_line('sync --yes')}"
            raise
    return finish_run(app, "sync", report)


def _set_aside(app: App) -> None:
    from crmsync.store.repair import set_aside_if_damaged

    path = app.project.store_path(app.connection.name)
    aside = set_aside_if_damaged(path, datetime.now(UTC))
    if aside is None:
        app.render.talk(f"The store '{path}' is sound; nothing was set aside.")
        return
    app.render.talk(f"The damaged store is now '{aside}'. A new one is built from the CRM; its history starts anew.")


def no_limits(app: App) -> Guards:
    unlimited = {"max_changes": None, "max_percent": None, "first_run_max_changes": None}
    return app.project.guards.model_copy(update=unlimited)


def finish_run(app: App, name: str, report: RunReport) -> int:
    """Show a finished run; its exit code."""
    ok = report.status == "ok"
    app.render.show(name, report, lambda: report_lines(report), ok=ok)
    steps = [app.command_line("findings")] if report.findings_open else []
    steps.append(app.command_line(f"runs {report.run_id}") if report.failures else app.command_line("why RECORD"))
    app.render.talk(f"Next: {'  ·  '.join(steps)}")
    return 0 if ok else EXIT_PARTIAL
