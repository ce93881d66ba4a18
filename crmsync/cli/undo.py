"""``undo``: take a run back, look at that first, save it as a plan, or let go of what an undo holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crmsync.cli.app import App, command
from crmsync.cli.plans import EXIT_CHANGES, EXIT_PARTIAL, no_limits, show_option
from crmsync.cli.view_run import report_lines
from crmsync.cli.view_undo import undo_data, undo_lines
from crmsync.cli.words import count
from crmsync.errors import UsageError

if TYPE_CHECKING:
    from crmsync.sync.session import Session
    from crmsync.sync.undo import Undo


@command()
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option("--only", multiple=True, metavar="WHAT", help="Only this kind, field or record; may be given again.")
@click.option("--delete-created", is_flag=True, help="Remove what the run created, where nobody touched it.")
@click.option(
    "--save", "file", type=click.Path(path_type=Path, dir_okay=False), help="Keep it for 'apply'; write nothing."
)
@click.option("--yes", is_flag=True, help="Do it without asking, beyond the guards too.")
@click.option("--release", is_flag=True, help="End the holds of this undo, or of all.")
@show_option
def undo(
    app: App,
    run_id: str | None,
    only: tuple[str, ...],
    delete_created: bool,
    file: Path | None,
    yes: bool,
    release: bool,
    show: int | None,
) -> int:
    """Take a run back: every field that still holds what it wrote gets its earlier value.

    RUN is the id that `crmsync runs` shows. What somebody edited since is listed and left alone. Without --yes and
    without a terminal to ask on, nothing is written.
    """
    if release:
        return _release(app, run_id)
    if run_id is None:
        raise UsageError("no run was named", hint=f"{app.command_line('runs')} lists them")
    from crmsync.sync.planfile import save_plan
    from crmsync.sync.undo import make_undo

    with app.session() as session:
        allowed = delete_created or session.project.guards.deletes == "undo"
        made = make_undo(session, run_id, only=only, delete_created=allowed)
        if file:
            save_plan(made.plan, file)
        if file or not made.plan.changes or not _is_wanted(app, made, yes=yes, show=show):
            return _shown(app, made, file, show=show)
        return _done(app, session, made, show=show)


def _is_wanted(app: App, made: Undo, *, yes: bool, show: int | None) -> bool:
    if yes:
        return True
    if app.as_json or not sys.stdin.isatty():
        return False
    for line in undo_lines(made, show=show):
        app.render.talk(line)
    return click.confirm("Write this to the CRM?", err=True)


def _shown(app: App, made: Undo, file: Path | None, *, show: int | None) -> int:
    app.render.show("undo", undo_data(made, applied=False, saved=str(file or "")), lambda: undo_lines(made, show=show))
    if file:
        app.render.talk(f"Next: {app.command_line(f'apply {file}')}")
    elif made.plan.changes:
        app.render.talk(f"Nothing was written. Next: {app.command_line(f'undo {made.run_id} --yes')}")
    return EXIT_CHANGES if made.plan.changes and not file else 0


def _done(app: App, session: Session, made: Undo, *, show: int | None) -> int:
    from crmsync.sync.cycle import apply_plan

    report = apply_plan(session, made.plan, limits=no_limits(app))
    ok = report.status == "ok"
    data = {**undo_data(made, applied=True, saved=""), "report": report}
    app.render.show("undo", data, lambda: [*undo_lines(made, show=show), *report_lines(report)], ok=ok)
    if held := sum(hold.run_id == report.run_id for hold in session.store.holds()):
        app.render.talk(
            f"{count(held, 'field')} held: the next sync does not write the same again until the rules want another "
            f"value, or mapping or policy change. Let go: {app.command_line(f'undo {report.run_id} --release')}"
        )
    app.render.talk(f"Undo the undo: {app.command_line(f'undo {report.run_id}')}")
    return 0 if ok else EXIT_PARTIAL


def _release(app: App, run_id: str | None) -> int:
    with app.session() as session:
        ended = session.store.release_holds(run_id)
        session.store.mark_pending({(hold.object, hold.id) for hold in ended})
    data = {"released": ended}
    app.render.show("undo", data, lambda: [f"{count(len(ended), 'field')} released"])
    if ended:
        app.render.talk(f"Next: {app.command_line('plan')}")
    return 0
