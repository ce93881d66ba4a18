"""Both CRMs in one process on loopback: one Starlette app, served by uvicorn in a thread of its own."""

from __future__ import annotations

import errno
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, cast

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from crmsync.sandbox.clock import SandboxClock
from crmsync.sandbox.control import Control
from crmsync.sandbox.directory import claim
from crmsync.sandbox.door import BodyLimit
from crmsync.sandbox.faults import TRANSPORT, FaultMiddleware, Faults
from crmsync.sandbox.faults.exchange import Answer
from crmsync.sandbox.faults.states import States
from crmsync.sandbox.faults.vain import run_in_vain
from crmsync.sandbox.hands import Hands
from crmsync.sandbox.hubspot.portal import HubSpotPortal
from crmsync.sandbox.salesforce.org import SalesforceOrg
from crmsync.sandbox.window import Traffic, Window
from crmsync.sandbox.worldcache import FILES, copy_world

HOST = "127.0.0.1"
BACKLOG = 128


class _Protocol(HttpToolsProtocol):
    """Lets a fault reach the connection, to cut it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[TRANSPORT] = self.transport


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the process, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_listening = threading.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_listening.set()


class Sandbox:
    """A Salesforce org and a HubSpot portal on ``url``. A context manager; nothing but loopback ever sees it.

    ``directory`` holds salesforce.db and hubspot.db and keeps what was done in them; without one the data dies with the
    sandbox. A directory that has both files already is opened as it is, whatever ``world`` says.
    """

    def __init__(
        self, directory: Path | None = None, port: int = 0, world: str = "demo", *, clock: SandboxClock | None = None
    ) -> None:
        self.world = world
        self.clock = clock or SandboxClock()
        self.hands = Hands(self)
        self.faults = Faults(States(self))
        self.traffic = Traffic(self)
        self._wanted_directory = directory
        self._owned: tempfile.TemporaryDirectory[str] | None = None
        self._claim: IO[str] | None = None
        self._wanted_port = port
        self._thread: threading.Thread | None = None
        self.directory: Path
        self.salesforce: SalesforceOrg
        self.hubspot: HubSpotPortal

    # ---------------------------------------------------------------- life

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        # asyncio turns Nagle off only where the protocol is named; with it every answer takes 40 ms
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._bind()
            self._socket.listen(BACKLOG)  # a port that is taken is known before any data is made
            self._choose_directory()
            self._open()
        except BaseException:
            self._release()
            raise
        self._server = _Server(self._config())
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="crmsync-sandbox", daemon=True
        )
        self._thread.start()
        while not self._server.is_listening.wait(0.05):
            if not self._thread.is_alive():
                url = self.url
                self.stop()
                raise RuntimeError(f"the sandbox could not listen on {url}")

    def _bind(self) -> None:
        try:
            self._socket.bind((HOST, self._wanted_port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            where = f"port {self._wanted_port} of {HOST} is in use: name another, or 0 for any that is free"
            raise OSError(errno.EADDRINUSE, where) from None

    def _choose_directory(self) -> None:
        if self._wanted_directory is None:
            self._owned = tempfile.TemporaryDirectory(prefix="crmsync-sandbox-")
        else:
            self._claim = claim(self._wanted_directory)
        self.directory = Path(self._owned.name if self._owned else str(self._wanted_directory))

    def stop(self) -> None:
        if self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._thread = None
            self.faults.clear()
            self._close()
            self._release()

    def _release(self) -> None:
        self._socket.close()
        if self._claim is not None:
            self._claim.close()
            self._claim = None
        if self._owned is not None:
            self._owned.cleanup()
            self._owned = None

    def serve_forever(self, started: Callable[[], None] = lambda: None) -> None:
        """Until SIGTERM or SIGINT; then both CRMs are closed cleanly. Main thread only."""
        done = threading.Event()

        def stop(_number: int, _frame: FrameType | None) -> None:
            done.set()

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            with self:
                started()
                done.wait()
        finally:
            for number, previous in before.items():
                signal.signal(number, previous)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._socket.getsockname()[1]}"

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self._app,
            interface="asgi3",
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
            backlog=BACKLOG,
        )

    # ---------------------------------------------------------------- data

    def reset(self, source: Path | None = None) -> None:
        """The world as it was at the start, or as another sandbox left it in ``source``.

        The address stays; the handles that a test may hold change to new ones.
        """
        old = (self.salesforce, self.hubspot)
        self.faults.clear()
        self.clock.reset()
        for crm in old:
            crm.close()
        for name in FILES:
            for path in self.directory.glob(f"{name}*"):
                path.unlink()
            if source is not None:
                shutil.copyfile(source / name, self.directory / name)
        self._open()

    def _open(self) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy_world(self.world, self.directory, self.clock.now())
        self.salesforce = SalesforceOrg(str(self.directory / FILES[0]), self.clock)
        self.hubspot = HubSpotPortal(str(self.directory / FILES[1]), self.clock)
        routes = [*Control(self).routes(), *Window(self).routes(), *self.salesforce.routes(), *self.hubspot.routes()]
        self._inner = Starlette(routes=routes)

    def _close(self) -> None:
        self.salesforce.close()
        self.hubspot.close()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        """Looks the app up per request, so that a reset can exchange it under the running server."""
        app = BodyLimit(FaultMiddleware(self._inner, self))
        await self.traffic.watch(app, scope, receive, self._dated(send))

    def _dated(self, send: Any) -> Any:
        """Every answer carries the sandbox's own time: clients set their pull windows by the ``Date`` header."""

        async def dated(message: Any) -> None:
            if message["type"] == "http.response.start":
                stamp = format_datetime(self.clock.now(), usegmt=True).encode()
                message = {**message, "headers": [*message.get("headers", ()), (b"date", stamp)]}
            await send(message)

        return dated

    @property
    def is_stopping(self) -> bool:
        return self._server.should_exit

    def log(self, system: str, method: str, path: str, status: int) -> None:
        self._crm(system).log_request(method, path, status)

    async def run_in_vain(self, system: str, request: Callable[[], Awaitable[Answer]]) -> Answer:
        return await run_in_vain(self._crm(system), request)

    def _crm(self, system: str) -> SalesforceOrg | HubSpotPortal:
        return self.salesforce if system == "salesforce" else self.hubspot
