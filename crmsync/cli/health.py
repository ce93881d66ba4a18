"""``doctor`` and ``provision``: is everything there that a run needs, and make what is missing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from crmsync.cli.app import App, command
from crmsync.cli.render import Line, styled
from crmsync.cli.words import count, instant, size
from crmsync.errors import AuthError, ConfigError, CrmsyncError, StoreBusy, StoreError
from crmsync.remote import HealthCheck, ProvisionStep

if TYPE_CHECKING:
    from crmsync.mappings import Mapping
    from crmsync.project import Connection

EXIT_MISSING = 3
LOW_DISK = 200_000_000
SIGN_IN = ("sign-in", "scopes")
_MARKS = {"ok": ("✔", "green"), "warning": ("!", "yellow"), "problem": ("✘", "red")}
_STEP_STYLES = {"exists": "dim", "create": "green", "update": "yellow", "grant": "green", "blocked": "red"}


# ---------------------------------------------------------------------- doctor


@command()
def doctor(app: App) -> int:
    """Check files, sign-in, permissions, API calls left, clock and store; say what mends each problem."""
    sections = {"config": [_config_check(app)]}
    sign_in_failed = False
    for connection in app.connections:
        checks, failed = _connection_checks(app, connection)
        sign_in_failed |= failed
        sections[connection.name] = [*checks, *_store_checks(app, connection)]
    problems = _count(sections, "problem")
    app.render.show("doctor", sections, lambda: _doctor_lines(sections), ok=not problems)
    if sign_in_failed:
        return AuthError.exit_code
    return 1 if problems else 0


def _config_check(app: App) -> HealthCheck:
    from crmsync.sync.session import load_rules

    try:
        for connection in app.connections:
            load_rules(app.project, connection)
    except ConfigError as error:
        return HealthCheck("config", "problem", error.message, app.command_line("check"))
    return HealthCheck("config", "ok", f"{app.project.path}: {count(len(app.connections), 'connection')}, no errors")


def _connection_checks(app: App, connection: Connection) -> tuple[list[HealthCheck], bool]:
    """The connector's own checks; a CRM that cannot be asked is one problem, and says whether it is the sign-in."""
    from crmsync.mappings import load_mapping

    try:
        mapping = load_mapping(connection.mapping, system=connection.system)
        with app.connector(connection) as connector:
            checks = [_with_options(app, connection, check) for check in connector.check(mapping.schema())]
        return checks, any(check.status == "problem" and check.name in SIGN_IN for check in checks)
    except ConfigError:
        return [], False  # said by the config check
    except CrmsyncError as error:
        check = HealthCheck(connection.name, "problem", f"{error.message} [{error.code}]", error.hint)
        return [check], isinstance(error, AuthError)


def _with_options(app: App, connection: Connection, check: HealthCheck) -> HealthCheck:
    """A command that mends something must name the connection that it mends."""
    return replace(check, fix=app.with_options(check.fix, connection.name))


def _store_checks(app: App, connection: Connection) -> Iterator[HealthCheck]:
    from crmsync.store import Store

    path = app.project.store_path(connection.name)
    if not path.exists():
        yield HealthCheck("store", "ok", "not there yet; the first sync makes it")
        return
    try:
        with Store.open(path, readonly=True) as store:
            broken = store.integrity()
            changed = next(iter(store.chain_breaks()), None) if not broken else None
            last = store.runs(1)
            detail = f"{size(store.size())}, last run {instant(last[0]['started_at']) if last else 'none'}"
    except StoreBusy as error:
        yield HealthCheck("store", "warning", error.message, error.hint)
        return
    except StoreError as error:
        yield HealthCheck("store", "problem", error.message, error.hint)
        return
    if broken:
        again = app.command_line("sync", connection=connection.name)
        yield HealthCheck("store", "problem", broken[0], f"rm '{path}'*, then: {again}")
        return
    if changed:
        verify = app.command_line("export verify", connection=connection.name)
        yield HealthCheck("journal", "problem", f"was changed after it was written: {changed}", verify)
    free = shutil.disk_usage(path.parent).free
    yield HealthCheck("store", "warning" if free < LOW_DISK else "ok", f"{detail}, {size(free)} free on the disk")


def _count(sections: dict[str, list[HealthCheck]], status: str) -> int:
    return sum(check.status == status for checks in sections.values() for check in checks)


def _doctor_lines(sections: dict[str, list[HealthCheck]]) -> Iterator[Line]:
    width = max(len(name) for name in sections)
    for name, checks in sections.items():
        for index, check in enumerate(checks):
            title = "" if check.name in (name, "config") else f"{check.name}: "
            yield styled(
                (f"{name if not index else '':<{width}}  ", "bold"), _MARKS[check.status], f" {title}{check.detail}"
            )
            if check.fix:
                yield styled(f"{'':<{width}}    ", (check.fix, "cyan"))
    yield f"{count(_count(sections, 'problem'), 'problem')}, {count(_count(sections, 'warning'), 'warning')}"


# ---------------------------------------------------------------------- provision


@command()
@click.option(
    "--check", "only_check", is_flag=True, help=f"Only say what is missing; exit {EXIT_MISSING} if anything is."
)
def provision(app: App, only_check: bool) -> int:
    """Create the partner fields, objects and permissions in the CRM. Running it again changes nothing."""
    steps = provision_connection(app, app.connection, apply=not only_check)
    blocked = [step for step in steps if step.action == "blocked"]
    missing = any(step.is_change for step in steps)
    data = {"connection": app.connection.name, "applied": not only_check, "steps": steps}
    summary = provision_summary(steps, applied=not only_check)
    app.render.show("provision", data, lambda: [*step_lines(steps), summary], ok=not blocked)
    next_step = "check --live" if blocked else "provision" if only_check and missing else "plan"
    app.render.talk(f"Next: {app.command_line(next_step)}")
    if blocked:
        return 1
    return EXIT_MISSING if only_check and missing else 0


def provision_connection(app: App, connection: Connection, *, apply: bool) -> Sequence[ProvisionStep]:
    mapping = load_connection_mapping(connection)
    with app.connector(connection) as connector:
        return connector.provision(mapping.schema(), apply=apply)


def load_connection_mapping(connection: Connection) -> Mapping:
    from crmsync.mappings import load_mapping

    return load_mapping(connection.mapping, system=connection.system)


def step_lines(steps: Sequence[ProvisionStep]) -> Iterator[Line]:
    """What was made, is missing or cannot be made; what exists is only counted."""
    for step in steps:
        if step.action != "exists":
            detail = f"  {step.detail}" if step.detail else ""
            yield styled((f"  {step.action:<8}", _STEP_STYLES[step.action]), f"{step.what}{detail}")


def provision_summary(steps: Sequence[ProvisionStep], *, applied: bool) -> str:
    made = sum(step.is_change for step in steps)
    there = sum(step.action == "exists" for step in steps)
    blocked = sum(step.action == "blocked" for step in steps)
    tail = f", {count(blocked, 'step')} blocked" if blocked else ""
    return f"{made:,} {'made' if applied else 'missing'}, {there:,} already there{tail}"
