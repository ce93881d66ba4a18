"""``rejects``: writes that the CRM refused, what they wait for, and another try."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from crmsync.cli.app import App, command
from crmsync.cli.look import open_store
from crmsync.cli.render import Line, Rows, styled
from crmsync.cli.words import count, instant, shorten
from crmsync.connectors.files.rejects import safe_cell
from crmsync.drafts import replacing
from crmsync.errors import UsageError
from crmsync.store import RejectRow, Store

ACTIONS = ("list", "show", "retry", "export")
COLUMNS = (
    "id", "object", "target", "label", "reject_class", "code", "reason", "fix", "message", "fields", "where",
    "attempts", "first_at", "last_at", "next_at", "run_id", "request_id",
)  # fmt: skip


@command()
@click.argument("action", type=click.Choice(ACTIONS), default="list")
@click.argument("what", nargs=-1, metavar="[ID…|FILE]")
@click.option("--all", "everything", is_flag=True, help="With retry: all of them.")
def rejects(app: App, action: str, what: tuple[str, ...], everything: bool) -> int:
    """List the writes that the CRM refused, show one, let the next sync send some again, or export them as CSV.

    A refused write is sent again when the record, the mapping, the schema or a permission changed, or after a while
    where the CRM was merely busy; not before.
    """
    if everything and (action != "retry" or what):
        raise UsageError("found --all, which is for retry alone", hint=app.command_line("rejects retry --all"))
    with open_store(app) as store:
        rows = store.rejects()
    if action == "export":
        return _export(app, rows, what)
    if action == "list" and not what:
        app.render.show("rejects", rows, lambda: _list_lines(rows))
        if rows:
            app.render.talk(f"Next: {app.command_line(f'rejects show {rows[0].id}')}")
        return 0
    chosen = rows if everything else _chosen(app, rows, what)
    if action == "retry":
        with Store.open(app.project.store_path(app.connection.name)) as store:
            store.release_rejects([row.id for row in chosen])
        app.render.show("rejects", chosen, lambda: [f"{count(len(chosen), 'write')} will be sent by the next sync."])
        return 0
    app.render.show("rejects", chosen, lambda: (line for row in chosen for line in _show_lines(row)))
    return 0


def _chosen(app: App, rows: Sequence[RejectRow], ids: Sequence[str]) -> list[RejectRow]:
    by_id = {str(row.id): row for row in rows}
    hint = f"list them with `{app.command_line('rejects')}`"
    if not ids:
        raise UsageError("found no number of a reject, wanted at least one", hint=hint)
    if unknown := [one for one in ids if one not in by_id]:
        raise UsageError(f"no reject '{unknown[0]}'", hint=hint)
    return [by_id[one] for one in dict.fromkeys(ids)]


def _export(app: App, rows: Sequence[RejectRow], what: Sequence[str]) -> int:
    if len(what) != 1:
        raise UsageError("export wants one file", hint=app.command_line("rejects export rejects.csv"))
    path = Path(what[0])
    lines = [COLUMNS, *([_cell(row, name) for name in COLUMNS] for row in rows)]
    try:
        with replacing(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(lines)
    except OSError as error:
        raise UsageError(f"cannot write '{path}': {error.strerror}", hint="name a file in another place") from error
    app.render.show("rejects", {"file": str(path), "rows": len(rows)}, lambda: [f"{count(len(rows), 'row')}: {path}"])
    return 0


def _cell(row: RejectRow, name: str) -> str:
    value: Any = getattr(row, name)
    return safe_cell(" ".join(value) if isinstance(value, tuple) else value)


def _list_lines(rows: Sequence[RejectRow]) -> Iterator[Line]:
    if not rows:
        yield "No write is refused."
        return
    head = ("id", "record", "class", "why", "tries", "last", "next")
    yield Rows(
        head,
        [
            (
                str(row.id),
                shorten(f"{row.label} ({row.object} {row.target})", 56),
                row.reject_class,
                f"{row.code}: {row.reason}",
                str(row.attempts),
                instant(row.last_at),
                _next(row),
            )
            for row in rows
        ],
        right=(0, 4),
    )


def _next(row: RejectRow) -> str:
    if row.is_released:
        return "next sync"
    return instant(row.next_at) if row.next_at else "when something changes"


def _show_lines(row: RejectRow) -> Iterator[Line]:
    yield styled((f"{row.id}  {row.label}", "bold"), f"  {row.object} {row.target}")
    yield f"  why       {row.reason} ({row.reject_class}, {row.code})"
    yield f"  the CRM   {row.message}"
    yield f"  to do     {row.fix}"
    yield f"  fields    {', '.join(row.fields)}"
    yield f"  from      {row.rule}  {row.where}"
    yield f"  tried     {count(row.attempts, 'time')}, first {instant(row.first_at)}, last {instant(row.last_at)}"
    yield f"  in run    {row.run_id}{f', request {row.request_id}' if row.request_id else ''}"
    if row.reject_class == "transient":
        yield f"  next      {_next(row)}"
    else:
        yield "  next      when the record, the mapping, the schema or a permission changes, or `crmsync rejects retry`"
