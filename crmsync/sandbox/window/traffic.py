"""The request log as people read it: what came in, how long it took, and who sent it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crmsync.sandbox.faults import system_of

if TYPE_CHECKING:
    from crmsync.sandbox.server import Sandbox

KEPT = 2_000


@dataclass(frozen=True, slots=True)
class Seen:
    """One request. Status 0: the connection was cut before an answer. ``who`` is a Salesforce user id or an app."""

    at: datetime
    system: str
    method: str
    path: str
    query: str
    status: int
    ms: float
    who: str


class Traffic:
    """The last requests to both CRMs, oldest first."""

    def __init__(self, box: Sandbox) -> None:
        self.seen: deque[Seen] = deque(maxlen=KEPT)
        self._box = box

    async def watch(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request pass through ``app`` and note it."""
        path = scope["path"]
        system = system_of(path)
        if system is None or path == "/":
            await app(scope, receive, send)
            return
        started, status = perf_counter(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, noting)
        finally:
            ms = (perf_counter() - started) * 1000
            query = scope["query_string"].decode("latin-1")
            who = self._who(system, _authorization(scope).partition(" ")[2])
            self.seen.append(Seen(self._box.clock.now(), system, scope["method"], path, query, status, ms, who))

    def _who(self, system: str, token: str) -> str:
        if not token:
            return ""
        if system == "salesforce":
            return self._box.salesforce.sessions.holder(token) or "Unknown session"
        return "Private app" if token.startswith("pat-") else "OAuth app"


def _authorization(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"), "")
