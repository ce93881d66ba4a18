"""A server on loopback that answers what a test wrote down, and a clock that only sleeping moves."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from crmsync.connectors.base import ConnectionSettings


@dataclass(frozen=True)
class Say:
    """One scripted answer. ``cut``: "before" drops the connection unanswered, "middle" in the middle of the body."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: str = ""
    packed: bool = False

    def payload(self) -> bytes:
        if self.body is None:
            return b""
        data = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return gzip.compress(data) if self.packed else data


@dataclass(frozen=True)
class Heard:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Scripted:
    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.heard: list[Heard] = []
        self.script: list[Say] = []
        self.reply: Callable[[Heard], Say] | None = None
        """Answers by request, for requests that come in no certain order."""

    def says(self, *answers: Say) -> None:
        self.script.extend(answers)


@contextmanager
def scripted_server() -> Iterator[Scripted]:
    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            heard = Heard(self.command, self.path, dict(self.headers), body)
            scripted.heard.append(heard)
            say = (
                scripted.reply(heard) if scripted.reply else scripted.script.pop(0) if scripted.script else Say(body={})
            )
            payload = say.payload()
            if say.cut == "before":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response_only(say.status)
            for name, value in say.headers.items():
                self.send_header(name, value)
            if say.packed:
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload[: len(payload) // 2] if say.cut else payload)
            if say.cut:
                self.close_connection = True

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    scripted = Scripted(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield scripted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class FakeTime:
    """``sleep`` moves the clock and remembers how long it slept."""

    def __init__(self) -> None:
        self.at = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def unused_url() -> str:
    """A loopback url that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def settings(url: str, system: str = "salesforce", **changes: Any) -> ConnectionSettings:
    return ConnectionSettings(**{"name": "test", "system": system, "url": url, **changes})
