"""``unfreeze``: fields that crmsync left alone, because another program kept writing over it, are its own again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from crmsync.cli.app import App, command
from crmsync.cli.look import open_store
from crmsync.cli.render import Line, styled
from crmsync.cli.words import count, instant, show_value
from crmsync.errors import UsageError
from crmsync.store import EditRow, Store

if TYPE_CHECKING:
    from crmsync.mappings import Mapping


@command()
@click.argument("record", required=False)
@click.argument("field", required=False)
@click.option("--all", "everything", is_flag=True, help="Every frozen field.")
def unfreeze(app: App, record: str | None, field: str | None, everything: bool) -> int:
    """List frozen fields, or let the next sync write one record's, one field or all of them again.

    RECORD is kind:id, an id, a registration number or part of a name; FIELD is crmsync's name or the CRM's.
    """
    from crmsync.mappings import load_mapping

    if record and everything:
        raise UsageError("found a record and --all, wanted one of them", hint=app.command_line("unfreeze --all"))
    connection = app.connection
    mapping = load_mapping(connection.mapping, system=connection.system)
    with open_store(app, connection) as store:
        rows = _chosen(store, mapping, record, field)
    if record or everything:
        with Store.open(app.project.store_path(connection.name)) as store:
            _thaw(store, rows)
    app.render.show("unfreeze", rows, lambda: _lines(rows, done=bool(record or everything)))
    return 0


def _chosen(store: Store, mapping: Mapping, record: str | None, field: str | None) -> list[EditRow]:
    frozen = [row for row in store.edit_rows().values() if row.frozen_run]
    if record is None:
        return frozen
    from crmsync.sync.why import explain

    story = explain(store, mapping, record)
    place = (mapping.object_of(story.kind), story.id)
    target = mapping.field(story.kind, field or "")
    name = target.remote_field if target else field
    rows = [row for row in frozen if (row.object, row.id) == place and name in (None, row.remote_field)]
    if not rows:
        what = f"'{field}' of {story.kind} '{story.label}'" if field else f"no field of {story.kind} '{story.label}'"
        raise UsageError(f"{what} is {'not ' if field else ''}frozen", hint="list them with `crmsync unfreeze`")
    return rows


def _thaw(store: Store, rows: Sequence[EditRow]) -> None:
    """The next sync decides the records again, whatever else it finds."""
    with store.transaction():
        store.thaw([(row.object, row.id, row.remote_field) for row in rows], datetime.now(UTC))
        store.mark_pending([(row.object, row.id) for row in rows])


def _lines(rows: Sequence[EditRow], *, done: bool) -> Iterator[Line]:
    if not rows:
        yield "No field is frozen."
        return
    for row in rows:
        who = f"{row.by}, {instant(row.edited_at)}" if row.by else "somebody"
        yield styled(
            (f"{row.object} {row.id}  {row.remote_field}", "bold"),
            f"  {show_value(row.theirs)}",
            (f"  by {who}; frozen in run {row.frozen_run}", "dim"),
        )
    if done:
        yield f"{count(len(rows), 'field')} will be written again by the next sync."
