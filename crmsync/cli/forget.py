"""``forget``: a person's data out of the local store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from crmsync.cli.app import App, command
from crmsync.cli.render import Line
from crmsync.cli.words import count

if TYPE_CHECKING:
    from crmsync.sync.forget import Forgotten


@command()
@click.argument("who")
def forget(app: App, who: str) -> int:
    """Remove a person from mirror, decisions, findings and journal; the journal's hashes stay and still verify.

    WHO is an e-mail address or the id of a contact. Nothing is removed from the CRM.
    """
    from crmsync.sync.forget import forget as forget_person

    with app.session() as session:
        done = forget_person(session.store, session.mapping, who, session.project.directory)
    app.render.show("forget", done, lambda: _lines(done))
    return 0


def _lines(done: Forgotten) -> Iterator[Line]:
    rows = ", ".join(f"{table} {number:,}" for table, number in done.removed.items())
    yield f"Forgotten: {count(len(done.ids), 'record')}; rows removed or blanked: {rows or 'none'}"
    if done.still_in_crm:
        yield f"Still in the CRM, a full pull brings them back: {', '.join(done.still_in_crm)}"
        yield "Delete them in the CRM first, then run this again after the next sync"
    yield from (f"Names the person, delete it yourself: {path}" for path in done.files)
