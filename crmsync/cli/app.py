"""What every command gets: the global options, the project, an output."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, update_wrapper
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crmsync.cli.render import Renderer
from crmsync.errors import CrmsyncError

if TYPE_CHECKING:
    from crmsync.connectors.base import Connector
    from crmsync.project import Connection, Project
    from crmsync.sync.session import Session

_COMMAND = re.compile(
    r"crmsync ((?:apply|check|doctor|plan|provision|sync)(?: --(?:check|full|live|rebuild|save FILE))*)(?! -)"
)
"""Commands in the hints of rooms that do not know how crmsync was called."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class App:
    """The global options, and what follows from them."""

    project_path: Path | None = None
    connection_name: str | None = None
    as_json: bool = False
    quiet: bool = False
    verbose: int = 0
    no_color: bool = False

    @cached_property
    def render(self) -> Renderer:
        return Renderer(as_json=self.as_json, quiet=self.quiet, color=False if self.no_color else None)

    @cached_property
    def project(self) -> Project:
        from crmsync.project import load_project

        return load_project(self.project_path)

    @property
    def connection(self) -> Connection:
        return self.project.connection(self.connection_name)

    @property
    def connections(self) -> list[Connection]:
        """The one asked for, or all of the project."""
        names = [self.connection_name] if self.connection_name else list(self.project.connections)
        return [self.project.connection(name) for name in names]

    @contextmanager
    def session(self, *, readonly: bool = False) -> Iterator[Session]:
        """A connection, open: progress on stderr, SIGTERM ends it like Ctrl-C does."""
        from crmsync.sync.session import open_session

        progress = self.render.progress(logged=self.verbose > 0)
        opened = open_session(self.project, self.connection_name, progress=progress, readonly=readonly)
        with self._pasteable_hints(self.connection_name), _terminable(), _entered(progress), opened as session:
            yield session

    @contextmanager
    def connector(self, connection: Connection) -> Iterator[Connector]:
        """The CRM alone, without the store."""
        from crmsync.connectors import open_connector
        from crmsync.secrets import connection_settings

        with self._pasteable_hints(connection.name):
            connector = open_connector(connection_settings(connection, os.environ))
            try:
                yield connector
            finally:
                connector.close()

    def command_line(self, command: str, *, connection: str | None = None) -> str:
        """A command to type next, with the options that it needs here."""
        options = ""
        if self.project_path:
            options += f" -p {self.project_path}"
        if name := connection or self.connection_name:
            options += f" -c {name}"
        return f"crmsync {command}{options}"

    def with_options(self, text: str, connection: str | None) -> str:
        """The commands in a hint, so that they can be pasted; where there is one CRM only, it needs no name."""
        named = connection if connection and len(self.project.connections) > 1 else None
        return _COMMAND.sub(lambda found: self.command_line(found[1], connection=named), text)

    @contextmanager
    def _pasteable_hints(self, connection: str | None) -> Iterator[None]:
        try:
            yield
        except CrmsyncError as error:
            error.hint = self.with_options(error.hint, connection)
            raise


@contextmanager
def _entered(progress: Any) -> Iterator[None]:
    if not hasattr(progress, "__enter__"):
        yield
        return
    with progress:
        yield


@contextmanager
def _terminable() -> Iterator[None]:
    def interrupt(_signum: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# ---------------------------------------------------------------------- options


def _remember(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def callback(ctx: click.Context, _param: click.Parameter, value: Any) -> Any:
        app = ctx.ensure_object(App)
        if value not in (None, False, 0):
            setattr(app, name, value)
        return value

    return callback


def _connection_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """For the shell: the connections of the project that is meant; none where it cannot be read."""
    from crmsync.project import load_project

    try:
        names = load_project(ctx.ensure_object(App).project_path).connections
    except CrmsyncError:
        return []
    return [name for name in names if name.startswith(incomplete)]


_GLOBAL: tuple[tuple[tuple[str, ...], str, dict[str, Any]], ...] = (
    (
        ("--project", "-p"),
        "project_path",
        {"type": click.Path(path_type=Path), "metavar": "PATH", "help": "crmsync.yaml, or its directory."},
    ),
    (
        ("--connection", "-c"),
        "connection_name",
        {"metavar": "NAME", "help": "Which CRM of the project.", "shell_complete": _connection_names},
    ),
    (("--json", "as_json"), "as_json", {"is_flag": True, "help": "One JSON object on stdout."}),
    (("--quiet", "-q"), "quiet", {"is_flag": True, "help": "Only the result and errors."}),
    (("--verbose", "-v"), "verbose", {"count": True, "help": "Log requests (-v) or everything (-vv) to stderr."}),
    (("--no-color",), "no_color", {"is_flag": True, "help": "Plain text; NO_COLOR does the same."}),
)


def global_options(*, hidden: bool) -> Callable[[F], F]:
    """The options that every command takes, before its name or after."""

    def decorate(function: F) -> F:
        for names, attribute, settings in reversed(_GLOBAL):
            option = click.option(
                *names, expose_value=False, is_eager=True, hidden=hidden, callback=_remember(attribute), **settings
            )
            function = option(function)
        return function

    return decorate


def command(**settings: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """A click command whose function gets the :class:`App` first."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        epilog = "Global options (-p, -c, --json, -q, -v, --no-color) go before or after the command: crmsync --help"
        build: Callable[[Callable[..., Any]], click.Command] = click.command(epilog=epilog, **settings)
        return build(global_options(hidden=True)(_with_app(function)))

    return decorate


def _with_app(function: Callable[..., Any]) -> Callable[..., Any]:
    @click.pass_context
    def run(ctx: click.Context, /, **arguments: Any) -> Any:
        app = ctx.ensure_object(App)
        _start_log(app)
        code = function(app, **arguments)
        return code if isinstance(code, int) else 0

    return update_wrapper(run, function)  # name, help and the parameters that click noted on the function


def _start_log(app: App) -> None:
    from crmsync.log import setup_logging

    setup_logging(("warning", "info", "debug")[min(app.verbose, 2)], file=log_file())


def log_file() -> Path | None:
    """Where logs go besides stderr."""
    file = os.environ.get("CRMSYNC_LOG_FILE")
    return Path(file) if file else None
