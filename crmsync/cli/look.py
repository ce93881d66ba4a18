"""``why``, ``runs``, ``findings``, ``status``: read the store; nothing is locked and no CRM is called."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from crmsync.cli.app import App, command
from crmsync.cli.plans import show_option
from crmsync.cli.render import Line, styled
from crmsync.cli.view_run import completeness_line, findings_lines, load_certificate, run_lines, runs_table
from crmsync.cli.view_why import why_lines
from crmsync.cli.words import SYSTEM_NAMES, count, instant, shorten, size
from crmsync.diagnostics import did_you_mean
from crmsync.errors import ConfigError, StoreError, UsageError
from crmsync.store import Store, lock_owner

if TYPE_CHECKING:
    from crmsync.project import Connection


SEVERITIES = ("error", "warning", "info")


class Instant(click.ParamType[datetime]):
    """A day (all of it, in UTC) or an instant (UTC where no offset is given)."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            given = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"'{value}' is no date; write 2026-03-31 or 2026-03-31T17:00", param, ctx)
        if len(value) <= len("2026-03-31"):
            given = given.replace(hour=23, minute=59, second=59, microsecond=999_999)
        return given if given.tzinfo else given.replace(tzinfo=UTC)


@contextmanager
def open_store(app: App, connection: Connection | None = None) -> Iterator[Store]:
    """The store of a connection, for looking only."""
    chosen = connection or app.connection
    with Store.open(app.project.store_path(chosen.name), readonly=True) as store:
        yield store


@command()
@click.argument("record")
@click.argument("field", required=False)
@click.option("--as-of", "at", type=Instant(), help="What was known then: 2026-03-31, or 2026-03-31T17:00.")
def why(app: App, record: str, field: str | None, at: datetime | None) -> int:
    """Explain a record, or one of its fields: the value, the rule, the evidence, every write.

    RECORD is kind:id, an id, a registration number or part of a name.
    """
    from crmsync.mappings import load_mapping
    from crmsync.sync.why import explain

    connection = app.connection
    mapping = load_mapping(connection.mapping, system=connection.system)
    with open_store(app, connection) as store:
        story = explain(store, mapping, record, field, at=at)
    app.render.show("why", story, lambda: why_lines(story, in_full=field is not None))
    if field is None and story.fields:
        app.render.talk(f"Next: {app.command_line(f'why {story.kind}:{story.id} {story.fields[0].field}')}")
    return 0


@command()
@click.argument("run_id", metavar="[ID]", required=False)
@click.option("--limit", type=click.IntRange(min=1), default=20, help="How many runs to list.")
@show_option
def runs(app: App, run_id: str | None, limit: int, show: int | None) -> int:
    """List the runs, or show what one of them did."""
    with open_store(app) as store:
        listed = store.runs(limit)
        if run_id is None:
            app.render.show("runs", listed, lambda: [runs_table(listed)] if listed else ["No runs yet."])
            return 0
        run = store.run(run_id)
        if run is None:
            known = [row["run_id"] for row in listed]
            raise UsageError(f"no run '{run_id}'", hint=did_you_mean(run_id, known) or app.command_line("runs"))
        writes = store.run_history(run_id)
    app.render.show("runs", {**run, "writes": writes}, lambda: run_lines(run, writes, show=show))
    return 0


@command()
@click.option("--code", help="Only findings with this code.")
@click.option("--kind", help="Only findings about deals, registrations, …: the kind of record.")
@click.option("--severity", type=click.Choice(SEVERITIES), help="Only findings of this severity.")
@click.option("--all", "everything", is_flag=True, help="Cleared ones too.")
@show_option
def findings(
    app: App, code: str | None, kind: str | None, severity: str | None, everything: bool, show: int | None
) -> int:
    """List what the policy found: conflicts, duplicates, missing facts, late approvals."""
    from crmsync.records import KINDS
    from crmsync.rules import FLAGS
    from crmsync.sync.codes import SYNC_FINDINGS

    meanings = {**FLAGS, **SYNC_FINDINGS}
    with open_store(app) as store:
        known = store.findings(open_only=not everything, severity=severity)
    _require_known("code", code, {row.code for row in known} | set(meanings))
    _require_known("kind", kind, KINDS)
    rows = [row for row in known if _fits(row.code, code) and _fits(row.kind, kind)]
    app.render.show("findings", rows, lambda: findings_lines(rows, meanings, show=show))
    if rows:
        app.render.talk(f"Next: {app.command_line(f'why {rows[0].kind}:{rows[0].id}')}")
    return 0


def _require_known(what: str, given: str | None, known: Collection[str]) -> None:
    if given is not None and given.lower() not in {name.lower() for name in known}:
        hint = did_you_mean(given, sorted(known)) or f"known: {', '.join(sorted(known))}"
        raise UsageError(f"no {what} '{given}'", hint=hint)


def _fits(value: str, wanted: str | None) -> bool:
    return wanted is None or value.lower() == wanted.lower()


@command()
def status(app: App) -> int:
    """Show each connection on one screen: last run, mirror, what is open, what to do next."""
    rows = [_status(app, connection) for connection in app.connections]
    app.render.show("status", rows, lambda: _status_lines(app, rows))
    return 0


def _status(app: App, connection: Connection) -> dict[str, Any]:
    path = app.project.store_path(connection.name)
    row: dict[str, Any] = {"connection": connection.name, "system": connection.system, "store": str(path)}
    row["busy"] = lock_owner(path)
    try:
        with Store.open(path, readonly=True) as store:
            last = store.runs(1)
            row["size"] = store.size()
            row["records"] = {name: store.count(name) for name in store.objects()}
            row["pending"] = len(store.pending())
            row["findings_open"] = store.open_findings_count()
            row["rejects"] = len(store.rejects())
            row["held"] = _binding_holds(app, connection, store)
            row["unresolved_writes"] = len({entry.ref for entry in store.unresolved()})
            row["last_run"] = last[0] if last else None
    except StoreError as error:
        row["problem"] = error.message if path.exists() else "not there yet; the first sync makes it"
    return row


def _binding_holds(app: App, connection: Connection, store: Store) -> int | None:
    """How many fields stay as an undo left them; ``None`` where broken rules do not let that be told."""
    if not store.holds():
        return 0
    from crmsync.sync.session import config_hash, load_rules

    try:
        return len(store.holds(config_hash(*load_rules(app.project, connection))))
    except ConfigError:
        return None


def _status_lines(app: App, rows: list[dict[str, Any]]) -> Iterator[Line]:
    yield f"project     {app.project.path}"
    for row in rows:
        yield styled((f"{row['connection']}", "bold"), f"   {SYSTEM_NAMES.get(row['system'], row['system'])}")
        if "problem" in row:
            yield f"  store     {row['problem']}"
            continue
        yield f"  store     {row['store']}, {size(row['size'])}{_busy(row['busy'])}"
        yield f"  mirror    {' · '.join(f'{name} {number:,}' for name, number in row['records'].items()) or 'empty'}"
        yield f"  last run  {_last_run(row['last_run'])}"
        if error := (row["last_run"] or {}).get("error"):
            yield styled(f"{'':<12}", (shorten(error, 160), "red"))
        yield f"  open      {count(row['findings_open'], 'finding')}, {count(row['pending'], 'record')} to decide"
        if certified := load_certificate(row["last_run"] or {}):
            yield completeness_line(certified)
        if row["rejects"]:
            yield f"  refused   {count(row['rejects'], 'write')}: {app.command_line('rejects')}"
        if row["held"]:
            release = app.command_line("undo --release")
            yield f"  held      {count(row['held'], 'field')} as an undo left them; to let go: {release}"
        if row["unresolved_writes"]:
            yield f"  unknown   {count(row['unresolved_writes'], 'write')} without an answer, to be read back"
    yield f"Next: {app.command_line('sync')}"


def _busy(owner: dict[str, Any] | None) -> str:
    return f", in use by process {owner.get('pid', '?')}" if owner is not None else ""


def _last_run(run: dict[str, Any] | None) -> str:
    if run is None:
        return "none yet"
    return f"{run['run_id']} {run['mode']}, {instant(run['started_at'])}: {run['status']}"
