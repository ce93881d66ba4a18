"""``demo``: the whole of crmsync on both CRMs, on this machine, without an account anywhere."""

from __future__ import annotations

import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from crmsync.cli.app import App, command
from crmsync.cli.examples import Example, pick_examples
from crmsync.cli.health import provision_summary, step_lines
from crmsync.cli.progress import TerminalProgress
from crmsync.cli.render import Line, Renderer, styled
from crmsync.cli.sandbox import PORT, clear, owned, running, world_option, write_secrets
from crmsync.cli.view_plan import change_lines, field_table, most_telling, summary_lines
from crmsync.cli.view_run import report_lines
from crmsync.cli.view_why import why_lines
from crmsync.cli.words import SYSTEM_NAMES, count
from crmsync.errors import ConfigError
from crmsync.sync.report import Progress, RunReport, Silent

if TYPE_CHECKING:
    from crmsync.project import Project
    from crmsync.sync.plan import Plan
    from crmsync.sync.session import Session

FIELDS_SHOWN = 10
CHANGES_SHOWN = 5


@command()
@click.option("--directory", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"), show_default=True)
@click.option("--fresh", is_flag=True, help="Forget what an earlier demo did; the YAML is kept.")
@world_option
def demo(app: App, directory: Path, fresh: bool, world: str) -> int:
    """Start a Salesforce and a HubSpot on this machine, sync both, and show what was done and why."""
    started = time.monotonic()
    tour = Tour(app.render, directory)
    with owned(directory / "sandbox"):
        if fresh:
            _forget(directory)
        tour.prepare()
        with running(directory / "sandbox", world, port=_port()) as box:
            tour.visit(box.url)
    seconds = round(time.monotonic() - started, 1)
    settled = all(row["written_again"] == 0 for row in tour.done)
    data = {"directory": directory, "seconds": seconds, "connections": tour.done}
    app.render.show("demo", data, lambda: tour.goodbye(seconds), ok=settled)
    return 0 if settled else 1


def _forget(directory: Path) -> None:
    clear(directory / "sandbox")
    shutil.rmtree(directory / ".crmsync", ignore_errors=True)


def _port() -> int:
    """The sandbox's usual port, or any free one where something else has it."""
    with socket.socket() as probe:
        return 0 if probe.connect_ex(("127.0.0.1", PORT)) == 0 else PORT


@dataclass
class Tour:
    """Goes through one CRM after the other and tells what it sees."""

    render: Renderer
    directory: Path
    done: list[dict[str, Any]] = field(default_factory=list)

    def prepare(self) -> None:
        """Write the project, and say what is coming."""
        from crmsync.project import write_starter

        written = write_starter(self.directory, demo=True)
        write_secrets(self.directory / "sandbox")
        state = "written to" if written else "kept in"
        self._say(
            _head(
                "crmsync demo", f"a Salesforce and a HubSpot on this machine; the project is {state} {self.directory}/"
            )
        )

    def visit(self, url: str) -> None:
        project = self._project(url)
        for name in project.connections:
            self._visit_connection(project, name)

    def _project(self, url: str) -> Project:
        from crmsync.project import load_project

        project = load_project(self.directory)
        here = {name: replace(connection, url=url) for name, connection in project.connections.items()}
        return replace(project, connections=MappingProxyType(here))

    # ------------------------------------------------------------------ one CRM

    def _visit_connection(self, project: Project, name: str) -> None:
        from crmsync.sync.cycle import make_plan, sync

        connection = project.connection(name)
        self._say("", _head(SYSTEM_NAMES[connection.system], connection.url))
        with self._session(project, name) as session:
            self._provision(session)
            self._check(session)
            plan, report = make_plan(session)
            self._show_plan(plan, report)
        with self._session(project, name) as session:
            self._step("sync", "write it in batches, each record with its outcome")
            _, report = sync(session)
            self._say(*report_lines(report))
        with self._session(project, name) as session:
            _, again = sync(session)
            self._show_second_run(again)
            examples = pick_examples(session.store, session.mapping)
            for example in examples:
                self._explain(session, example)
        self.done.append(_result(name, plan, report, again, examples))

    @contextmanager
    def _session(self, project: Project, name: str) -> Iterator[Session]:
        """One for each step, as if each command had been typed."""
        from crmsync.sync.session import open_session

        with self._progress() as progress, open_session(project, name, progress=progress) as session:
            yield session

    def _provision(self, session: Session) -> None:
        self._step("provision", "make the partner fields, objects and permissions")
        steps = session.connector.provision(session.mapping.schema(), apply=True)
        blocked = [step for step in steps if step.action == "blocked"]
        self._say(*step_lines(blocked), f"  {provision_summary(steps, applied=True)}")

    def _check(self, session: Session) -> None:
        from crmsync.mappings import check_live

        self._step("check --live", "the YAML against what the CRM really has")
        problems = check_live(session.mapping, session.connector.describe)
        self.render.warn(problems)
        errors = [problem for problem in problems if problem.severity == "error"]
        if errors:
            raise ConfigError(errors)
        self._say(styled(("  ✔ ", "green"), f"no errors, {count(len(problems), 'warning')}"))

    def _show_plan(self, plan: Plan, report: RunReport) -> None:
        self._step("plan", "every field that would change, and the line of YAML that says so")
        shown = most_telling(plan.changes, CHANGES_SHOWN)
        for change in shown:
            self._say(*change_lines(change))
        rest = len(plan.changes) - len(shown)
        if rest:
            table = field_table(plan)
            self._say(f"  … {count(rest, 'more record')}; the changes by field and rule:", "")
            self._say(table.first(FIELDS_SHOWN), "")
        self._say(*summary_lines(plan, report))

    def _show_second_run(self, report: RunReport) -> None:
        self._step("sync", "once more: nothing changed, so nothing is written")
        mark = ("  ✘ ", "red") if report.written else ("  ✔ ", "green")
        refused = f", {report.failed:,} refused again" if report.failed else ""
        self._say(styled(mark, f"{count(report.written, 'write')}{refused}"))

    def _explain(self, session: Session, example: Example) -> None:
        from crmsync.sync.why import explain

        self._step(f"why {example.record} {example.field}", example.question)
        story = explain(session.store, session.mapping, example.record, example.field)
        self._say(*why_lines(story, in_full=True))

    # ------------------------------------------------------------------ talking

    def goodbye(self, seconds: float) -> Iterator[Line]:
        """Where to go from here, with commands that work as they stand."""
        program, where = _program(), self.directory
        example = next((row["examples"][0] for row in self.done if row["examples"]), "RECORD")
        yield ""
        yield _head("Look around", f"all of this took {seconds:.0f} s; start both CRMs again and leave them running:")
        yield f"  {program} sandbox start --directory {where / 'sandbox'}"
        yield styled(("  then, in another terminal:", "dim"))
        hints = (
            (f"status -p {where}", "both connections on one screen"),
            (f"findings -p {where}", "conflicts, duplicates, missing facts"),
            (f"why {example} -p {where}", "everything that was decided about this record"),
            (f"plan -p {where}", f"after an edit in {where / 'policies'}/: exactly what it would change"),
        )
        width = max(len(typed) for typed, _ in hints)
        for typed, meaning in hints:
            yield styled(f"  {program} {typed:<{width}}", (f"   {meaning}", "dim"))

    def _step(self, name: str, text: str) -> None:
        self._say("", styled(("$ ", "dim"), (f"crmsync {name}", "bold"), (f"   # {text}", "dim")))

    def _say(self, *lines: Line) -> None:
        for line in lines if not self.render.as_json else ():
            self.render.say(line)

    @contextmanager
    def _progress(self) -> Iterator[Progress]:
        progress = self.render.progress() if sys.stderr.isatty() else Silent()
        if isinstance(progress, TerminalProgress):
            with progress:
                yield progress
        else:
            yield Silent()


def _head(title: str, text: str) -> Line:
    return styled((title, "bold"), ("   " + text, "dim"))


def _result(name: str, plan: Plan, report: RunReport, again: RunReport, examples: list[Example]) -> dict[str, Any]:
    return {
        "connection": name,
        "planned": len(plan.changes),
        "fields": plan.field_count,
        "written": report.written,
        "failed": report.failed,
        "findings_open": report.findings_open,
        "written_again": again.written,
        "examples": [example.record for example in examples],
    }


def _program() -> str:
    """How crmsync was called, so that the commands we print work when they are pasted."""
    called = sys.argv[0]
    return called if Path(called).name == "crmsync" and "/" in called and not shutil.which("crmsync") else "crmsync"
