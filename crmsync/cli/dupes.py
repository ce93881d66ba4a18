"""``dupes``: who is the same? Look at proposals, answer them, and what follows from the answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from getpass import getuser
from typing import TYPE_CHECKING, Any

import click

from crmsync.cli.app import App, command, global_options
from crmsync.cli.dupes_files import calibrate, export, import_, merge_plan, train
from crmsync.cli.plans import show_option
from crmsync.cli.view_dupes import answered_lines, proposal_lines, proposals_lines
from crmsync.cli.words import count

if TYPE_CHECKING:
    from crmsync.rules.decision import Answer
    from crmsync.sync.review import Proposal

KINDS = ("account", "contact", "registration")


@click.group(invoke_without_command=True)
@global_options(hidden=True)
@click.pass_context
def dupes(ctx: click.Context) -> Any:
    """Records that may be the same: both side by side, and your answer."""
    return ctx.invoke(list_) if ctx.invoked_subcommand is None else None


@command(name="list")
@click.option("--kind", type=click.Choice(KINDS), help="Only pairs of this kind.")
@click.option("--all", "everything", is_flag=True, help="The unlikely ones too.")
@show_option
def list_(app: App, kind: str | None = None, everything: bool = False, show: int | None = 20) -> int:
    """List what nobody has answered yet, the most useful question first."""
    from crmsync.sync.review import Review

    with app.session(readonly=True) as session:
        found = Review(session).open(kind, everything=everything)
    app.render.show("dupes", [p.as_dict() for p in found], lambda: proposals_lines(found, show=show))
    if found:
        first = found[0].id
        app.render.talk(
            f"Next: {app.command_line(f'dupes show {first}')}  ·  {app.command_line(f'dupes accept {first}')}"
        )
    return 0


@command(name="show")
@click.argument("names", metavar="ID…", nargs=-1, required=True)
def show_(app: App, names: tuple[str, ...]) -> int:
    """Show pairs with every field of both records and all evidence. ID is a proposal's, or kind:id:id."""
    from crmsync.sync.review import Review

    with app.session(readonly=True) as session:
        found = Review(session).find(names)
    app.render.show("dupes-show", [p.as_dict() for p in found], lambda: (x for p in found for x in proposal_lines(p)))
    return 0


def _answering(name: str, answer: Answer, text: str) -> click.Command:
    @click.argument("names", metavar="ID…", nargs=-1, required=True)
    @click.option("--note", default="", help="Why, for whoever reads the answers later.")
    def run(app: App, names: tuple[str, ...], note: str) -> int:
        return _answer(app, names, answer, note)

    run.__doc__ = text
    return command(name=name)(run)


def _answer(app: App, names: tuple[str, ...], answer: Answer, note: str) -> int:
    from crmsync.sync.review import Review

    with app.session(readonly=True) as session:
        found = Review(session).find(names)
    path = save_answers(app, found, lambda _: answer, note)
    data = [{**p.as_dict(), "answer": answer} for p in found]
    app.render.show("dupes-answer", data, lambda: answered_lines(found, answer))
    app.render.talk(f"Kept in {path}: {count(len(found), 'answer')}. Next: {app.command_line('sync')}")
    return 0


def save_answers(app: App, pairs: list[Proposal], answer_of: Callable[[Proposal], Answer], note: str = "") -> str:
    """Append answers to the project's file; its path."""
    from dataclasses import replace

    from crmsync.sync.answers import FILE, add_lines, new_line

    by, at = _who(), datetime.now(UTC)
    lines = [
        replace(new_line(p.pair, answer_of(p), by=by, at=at, names=(p.one_name, p.other_name)), note=note)
        for p in pairs
    ]
    add_lines(app.project.directory / FILE, lines)
    return str(FILE)


def _who() -> str:
    try:
        return getuser()
    except (OSError, KeyError):  # a container without a user of that number
        return ""


accept = _answering("accept", "duplicate", "Say that the two are the same.")
reject = _answering("reject", "different", "Say that the two are different; they are never proposed again.")
related = _answering("related", "related", "Say that the two belong together but are not the same: a group, two sites.")
skip = _answering("skip", "skip", "Say nothing about the two, and do not be asked again.")

for _command in (list_, show_, accept, reject, related, skip, export, import_, train, merge_plan, calibrate):
    dupes.add_command(_command)
