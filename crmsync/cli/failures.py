"""Errors at the end of their way: one message for a person, an envelope for a program, an exit code for the shell."""

from __future__ import annotations

import errno
import os
import platform
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from crmsync import __version__
from crmsync.cli.render import Renderer
from crmsync.diagnostics import Diagnostic
from crmsync.errors import ConfigError, CrmsyncError
from crmsync.log import append_private, redact_text

EXIT_USAGE = 2
EXIT_BUG = 70
EXIT_INTERRUPTED = 130

_SURROUNDINGS = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EEXIST,
        errno.EISDIR,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)
"""What the machine refuses is no bug of ours, where it names the file."""


def report_failure(error: BaseException, args: Sequence[str], command: str) -> int:
    """Say what went wrong; the exit code."""
    if isinstance(error, BrokenPipeError):
        # the reader has gone: nothing more to say, and nowhere to say it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    render = Renderer(as_json="--json" in args, color=False if "--no-color" in args else None)
    match error:
        case SystemExit():
            return error.code if isinstance(error.code, int) else 1
        case click.exceptions.Exit():
            return error.exit_code
        case KeyboardInterrupt() | click.Abort():
            diagnostic, code = Diagnostic("E700", "interrupted; what was done so far is kept", None), EXIT_INTERRUPTED
        case click.exceptions.NoArgsIsHelpError():
            render.say(error.format_message())
            return 0
        case click.ClickException():
            diagnostic, code = _usage(error), EXIT_USAGE
        case ConfigError():
            render.failure(command, error.diagnostics)
            return error.exit_code
        case CrmsyncError():
            diagnostic, code = Diagnostic(error.code, error.message, hint=error.hint), error.exit_code
        case OSError() if error.errno in _SURROUNDINGS and error.filename:
            diagnostic, code = _surroundings(error), 1
        case _:
            diagnostic, code = _bug(error, args), EXIT_BUG
    render.failure(command, [diagnostic])
    return code


def _usage(error: click.ClickException) -> Diagnostic:
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    hint = getattr(error, "hint", "") or f"{context.command_path if context else 'crmsync'} --help"
    return Diagnostic("E110", message[:1].lower() + message[1:], hint=hint)


def _surroundings(error: OSError) -> Diagnostic:
    reason = (error.strerror or type(error).__name__).lower()
    return Diagnostic("E550", f"'{error.filename}': {reason}", hint="check the path, its permissions and the disk")


def _bug(error: BaseException, args: Sequence[str]) -> Diagnostic:
    path = write_crash_report(error, args)
    message = f"a bug in crmsync ({type(error).__name__}); the report is in '{path}'"
    return Diagnostic("E999", message, hint="attach it to an issue")


def write_crash_report(error: BaseException, args: Sequence[str]) -> Path:
    """The traceback without secrets, laid out to be pasted into an issue."""
    text = "".join(traceback.format_exception(error))
    versions = f"crmsync {__version__}, Python {platform.python_version()}, {platform.platform()}"
    directory = _state_directory()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / f"crash-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.log"
    append_private(path, redact_text(f"{versions}\n$ crmsync {' '.join(args)}\n\n{text}"))
    return path


def _state_directory() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()
    return Path(base) / "crmsync"
