"""Logs: structured events on stderr, JSON unless a person is looking, with secrets and personal data taken out.

One event per request, page and run; what happened to single records belongs in the store. Whatever is logged, by us or
by a library, goes through the same redaction: by the name of a key, by values known to be secret, by pattern.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"

_SECRET_KEY = re.compile(
    r"token|secret|passw|authorization|cookie|api_?key|private_?key|assertion|signature|credential|session_?id|"
    r"e_?mail|phone|first_?name|last_?name|street|birth",
    re.IGNORECASE,
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(bearer|basic|oauth)\s+[\w.!~+/=-]{6,}"), rf"\1 {REDACTED}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"), REDACTED),  # a JWT
    (re.compile(r"\b00D[0-9A-Za-z]{12,15}![\w.]+"), REDACTED),  # a Salesforce session
    (re.compile(r"\bpat-[a-z]{2}\d-[\w-]{4,}"), REDACTED),  # a HubSpot private-app token
    (
        re.compile(r"(?i)\b((?:client_secret|refresh_token|access_token|password|assertion)=)[^&\s'\"]+"),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x9b]|\n(?=.)")

_C1 = re.compile(r"[\x7f-\x9f]")
"""Control characters that JSON leaves as they are, and that a terminal obeys."""

_known_secrets: set[str] = set()


def register_secret(value: str) -> None:
    """From now on the value appears in no log. Very short ones are left out: they would match everything."""
    if len(value) >= 6:
        _known_secrets.add(value)


def redact_text(text: str) -> str:
    """Text without known secrets, token patterns and e-mail addresses."""
    for secret in _known_secrets:
        text = text.replace(secret, REDACTED)
    for pattern, stand_in in _PATTERNS:
        text = pattern.sub(stand_in, text)
    return text


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The structlog processor; nested mappings and lists included."""
    return {key: _clean(key, value) for key, value in event.items()}


def _clean(key: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if _SECRET_KEY.search(key):
        return REDACTED
    if isinstance(value, Mapping):
        return {str(name): _clean(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(key, inner) for inner in value]
    return redact_text(value if isinstance(value, str) else str(value))


def setup_logging(
    level: str = "warning", *, stream: TextIO | None = None, file: Path | None = None, as_json: bool | None = None
) -> None:
    """Send events of ``level`` and above to ``stream`` (stderr) and to ``file``, readable by its owner only."""
    out = sys.stderr if stream is None else stream
    json_lines = not out.isatty() if as_json is None else as_json
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
        _render_json if json_lines else _render_line(out.isatty() and "NO_COLOR" not in os.environ),
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_number(level)),
        logger_factory=lambda *_: _Writer(out, file),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_Forward()]
    root.setLevel(max(_number(level), logging.WARNING))  # the libraries are chatty below that


def _number(level: str) -> int:
    return {"debug": logging.DEBUG, "info": logging.INFO, "error": logging.ERROR}.get(level.lower(), logging.WARNING)


def _render_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    line = orjson.dumps({"event": event.pop("event", ""), **event}, default=str).decode()
    return _C1.sub(lambda match: f"\\u{ord(match.group()):04x}", line)


def _render_line(colors: bool) -> Callable[[WrappedLogger, str, EventDict], str]:
    console = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)

    def render(logger: WrappedLogger, method: str, event: EventDict) -> str:
        tidy = {key: _one_line(value) if key != "exception" else value for key, value in event.items()}
        return str(console(logger, method, tidy))

    return render


def _one_line(value: Any) -> Any:
    """A record's name must not be able to forge a log line."""
    return _CONTROL.sub(lambda match: repr(match.group())[1:-1], value) if isinstance(value, str) else value


class _Writer:
    """Where rendered lines end up."""

    def __init__(self, stream: TextIO, file: Path | None) -> None:
        self._stream = stream
        self._file = file

    def msg(self, line: str) -> None:
        print(line, file=self._stream, flush=True)
        if self._file:
            append_private(self._file, line + "\n")

    debug = info = warning = warn = error = critical = exception = fatal = msg


def append_private(path: Path, text: str) -> None:
    """Append to a file that only its owner may read."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "a", encoding="utf-8") as file:
        file.write(text)


class _Forward(logging.Handler):
    """Hands the libraries' log records to our own pipeline."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger().bind(logger=record.name)
        logger.log(record.levelno, record.getMessage(), exc_info=record.exc_info)
