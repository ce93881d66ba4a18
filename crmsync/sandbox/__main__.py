"""``python -m crmsync.sandbox``: both CRMs on loopback, without crmsync's own command line."""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Sequence
from pathlib import Path

from crmsync.sandbox.directory import DirectoryInUse
from crmsync.sandbox.server import Sandbox
from crmsync.sandbox.world import WORLDS, FixtureMissing

PORT = 8790


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; 1 when it cannot."""
    given = _parser().parse_args(arguments)
    box = Sandbox(given.directory, given.port, given.world)
    try:
        box.serve_forever(lambda: _say(f"Salesforce and HubSpot at {box.url}"))
    except (FixtureMissing, DirectoryInUse) as problem:
        return _failed(str(problem))
    except OSError as problem:
        if problem.errno != errno.EADDRINUSE:
            raise
        return _failed(str(problem.strerror))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m crmsync.sandbox", description="A Salesforce and a HubSpot on loopback.")
    parser.add_argument("--port", type=_port, default=PORT, help=f"0 picks a free one (default: {PORT})")
    parser.add_argument("--directory", type=Path, help="where the data is kept (default: nowhere)")
    parser.add_argument("--world", choices=WORLDS, default="demo", help="what a new sandbox holds (default: demo)")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"'{text}' is no port: 0 to 65535")
    return int(text)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _failed(problem: str) -> int:
    sys.stderr.write(f"error: {problem}\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
