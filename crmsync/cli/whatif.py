"""``what-if``: what would flip under another policy, from the mirror alone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from crmsync.cli.app import App, command
from crmsync.cli.view_whatif import what_if_data, what_if_lines


@command(name="what-if")
@click.option("--policy", required=True, type=click.Path(path_type=Path), help="The policy to compare with.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only deals created or closed since this day.")
def what_if(app: App, policy: Path, since: datetime | None) -> int:
    """Decide the mirror under another policy and show what would flip. Nothing is written, no CRM is called."""
    from crmsync.sync.whatif import what_if as compare

    with app.session(readonly=True) as session:
        outcome = compare(session, policy, since=since.date() if since else None)
    app.render.show("what-if", what_if_data(outcome), lambda: what_if_lines(outcome))
    app.render.talk(f"Next: {app.command_line(f'test --policy {policy}')}")
    return 0
