"""``init`` and ``completion``: what is done once."""

from __future__ import annotations

from pathlib import Path

import click

from crmsync.cli.app import App, command
from crmsync.cli.render import Verbatim
from crmsync.errors import UsageError


@command()
@click.argument("directory", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--demo", "is_demo", is_flag=True, help="A project for the two CRMs of the sandbox.")
def init(app: App, directory: Path, is_demo: bool) -> int:
    """Write a starter project: crmsync.yaml, mappings, policies. Where a project exists, nothing is touched."""
    from crmsync.project import FILE_NAME, write_starter

    here = "" if directory == Path() else f" -p {directory}"
    if (directory / FILE_NAME).exists():
        raise UsageError(
            f"'{directory / FILE_NAME}' exists: this is a project already",
            hint=f"crmsync check{here}, or name another directory: crmsync init DIR",
        )
    written = write_starter(directory, demo=is_demo)
    app.render.show("init", {"directory": directory, "written": written}, lambda: [f"wrote {path}" for path in written])
    first = f"crmsync sandbox start --directory {directory / 'sandbox'}" if is_demo else f"crmsync check{here}"
    app.render.talk(f"Next: {first}   then: crmsync doctor{here}")
    return 0


@command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(app: App, shell: str) -> int:
    """Print the completion script of a shell: eval "$(crmsync completion bash)"."""
    from click.shell_completion import get_completion_class

    from crmsync.cli import main

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for '{shell}'")
    script = kind(main, {}, "crmsync", "_CRMSYNC_COMPLETE").source()
    app.render.show("completion", {"shell": shell, "script": script}, lambda: [Verbatim(script)])
    return 0
