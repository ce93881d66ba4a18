"""The command group: imports a command's module only when that command runs, so that ``--help`` stays quick."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn

import click

from crmsync.diagnostics import did_you_mean


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command lives, and what the overview says about it."""

    section: str
    module: str
    help: str
    attribute: str = ""


class NoSuchCommand(click.UsageError):
    def __init__(self, name: str, hint: str, ctx: click.Context) -> None:
        super().__init__(f"no command '{name}'", ctx)
        self.hint = hint


class LazyGroup(click.Group):
    """A group whose commands are a table; :meth:`main` turns every error into one message and an exit code."""

    def __init__(self, *args: Any, entries: Mapping[str, Entry], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entries = entries
        self.running = ""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(import_module(entry.module), entry.attribute or cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.entries and not name.startswith("-") and not ctx.resilient_parsing:
            raise NoSuchCommand(name, did_you_mean(name, self.entries), ctx)
        found = super().resolve_command(ctx, args)
        self.running = found[0] or ""
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        for section in dict.fromkeys(entry.section for entry in self.entries.values()):
            rows = [(name, entry.help) for name, entry in self.entries.items() if entry.section == section]
            with formatter.section(section):
                formatter.write_dl(rows, col_max=12)

    def main(  # type: ignore[override]  # click's overloads turn on standalone_mode, which is ours alone here
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run, and end the process with the exit code that the outcome calls for."""
        self.running = "error"
        given = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        try:
            outcome = super().main(given, prog_name or "crmsync", **extra)
        except BaseException as error:  # noqa: BLE001 - the last resort of the whole program
            from crmsync.cli.failures import report_failure

            sys.exit(report_failure(error, given, self.running))
        sys.exit(outcome if isinstance(outcome, int) else 0)
