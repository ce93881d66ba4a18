"""``sandbox start``, ``reset`` and what is done to a running one: both CRMs on this machine, to rehearse on."""

from __future__ import annotations

import errno
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crmsync.cli.app import App, command, global_options
from crmsync.cli.sandbox_faults import break_, mend
from crmsync.cli.sandbox_people import act, log
from crmsync.errors import StoreBusy, UsageError
from crmsync.store.lock import StoreLock

if TYPE_CHECKING:
    from crmsync.sandbox import Sandbox

PORT = 8790
WORLDS = ("demo", "small", "blank")

directory_option = click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("sandbox"),
    show_default=True,
    help="Where the two databases are.",
)
world_option = click.option(
    "--world", type=click.Choice(WORLDS), default="demo", show_default=True, help="What a new sandbox holds."
)


@click.group()
@global_options(hidden=True)
def sandbox() -> None:
    """A Salesforce and a HubSpot on loopback, close enough for the vendors' own clients."""


@command()
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 picks a free one.")
@directory_option
@world_option
def start(app: App, port: int, directory: Path, world: str) -> int:
    """Serve both CRMs until Ctrl-C or SIGTERM."""
    stop = threading.Event()
    with owned(directory), running(directory, world, port=port) as box, _stopped_by_signals(stop):
        write_secrets(directory)
        data = {"url": box.url, "directory": directory, "world": world}
        app.render.show("sandbox", data, lambda: [f"Salesforce and HubSpot at {box.url}   (data in {directory})"])
        app.render.talk("Stop with Ctrl-C")
        stop.wait()
    return 0


@command()
@directory_option
@world_option
def reset(app: App, directory: Path, world: str) -> int:
    """Throw the sandbox's data away and load a new world."""
    with owned(directory):
        clear(directory)
        with running(directory, world):
            pass
    app.render.show(
        "sandbox", {"directory": directory, "world": world}, lambda: [f"{directory} holds a new '{world}' world"]
    )
    app.render.talk(f"Next: crmsync sandbox start --directory {directory}")
    return 0


def write_secrets(directory: Path) -> None:
    """The sandbox's sign-in, as files that a project can name; not secret at all, but kept like the real ones."""
    from crmsync.sandbox.credentials import HUBSPOT_TOKEN, SALESFORCE_CLIENT_SECRET

    for name, value in (("salesforce-secret", SALESFORCE_CLIENT_SECRET), ("hubspot-token", HUBSPOT_TOKEN)):
        path = directory / name
        path.touch(mode=0o600)
        path.write_text(f"{value}\n", encoding="utf-8")


def clear(directory: Path) -> None:
    """Remove the databases of a sandbox that is not running."""
    for name in ("salesforce.db", "hubspot.db"):
        for path in directory.glob(f"{name}*"):
            path.unlink()


@contextmanager
def owned(directory: Path) -> Iterator[None]:
    """Hold the sandbox's directory: two servers on one set of files would not see each other's writes.

    :raises UsageError: when a running sandbox holds it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lock = StoreLock(directory / "sandbox")
    try:
        lock.acquire()
    except StoreBusy:
        raise UsageError(
            f"a sandbox is running on '{directory}'", hint="stop it, or name another --directory"
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def running(directory: Path, world: str, *, port: int = 0) -> Iterator[Sandbox]:
    """Both CRMs, serving.

    :raises UsageError: when the port or the directory is taken, or this installation has no data for the world.
    """
    from crmsync.sandbox import Sandbox
    from crmsync.sandbox.directory import DirectoryInUse
    from crmsync.sandbox.world import FixtureMissing

    box = Sandbox(directory=directory, port=port, world=world)
    try:
        box.start()
    except FixtureMissing:
        hint = "install crmsync again, or run it from a checkout"
        raise UsageError(f"the data of the world '{world}' is missing from this installation", hint=hint) from None
    except DirectoryInUse:
        raise UsageError(f"a sandbox is running on '{directory}'", hint="name another --directory") from None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise UsageError(f"port {port} is in use", hint="name another, or let one be picked: --port 0") from None
    try:
        yield box
    finally:
        box.stop()


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


for _each in (start, reset, break_, mend, act, log):
    sandbox.add_command(_each)
