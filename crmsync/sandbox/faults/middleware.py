"""The layer before both CRMs in which requests go wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from crmsync.sandbox.faults.armed import Faults
from crmsync.sandbox.faults.batches import run_partly, run_unless_poisoned
from crmsync.sandbox.faults.exchange import Answer, make_answer, plain, read_body, run
from crmsync.sandbox.faults.fault import Fault
from crmsync.sandbox.faults.mangle import MANGLE
from crmsync.sandbox.faults.replies import reply

TRANSPORT = "sandbox.transport"
_TICK_S = 0.05


class Surroundings(Protocol):
    """What the layer needs of the server it is in."""

    faults: Faults

    @property
    def is_stopping(self) -> bool: ...

    def log(self, system: str, method: str, path: str, status: int) -> None:
        """Note a request that never reached its CRM."""
        ...

    async def run_in_vain(self, system: str, request: Callable[[], Awaitable[Answer]]) -> Answer:
        """Let the CRM act, and undo what it did."""
        ...


def system_of(path: str) -> str | None:
    """Which CRM a path belongs to; the control routes and the window belong to none."""
    if path == "/" or path.startswith("/_sandbox"):
        return None
    return "salesforce" if path.startswith(("/services/", "/id/")) else "hubspot"


class FaultMiddleware:
    """Stands before both CRMs."""

    def __init__(self, app: ASGIApp, around: Surroundings) -> None:
        self.app, self.around = app, around

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        system = system_of(scope["path"]) if scope["type"] == "http" else None
        fault = self._fault(system, scope) if system else None
        if fault is None or system is None:
            await self.app(scope, receive, send)
        else:
            await _Spoiled(self, fault, system, scope, receive, send).run()
        if system:
            self.around.faults.passed()

    def _fault(self, system: str, scope: Scope) -> Fault | None:
        target = f"{scope['path']}?{scope['query_string'].decode('latin-1')}"
        return self.around.faults.meet(system, scope["method"], target, _token(scope))


def _token(scope: Scope) -> str:
    value = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    return str(value.decode("latin-1").partition(" ")[2].strip())


class _Spoiled:
    """One request and the fault that it meets."""

    def __init__(
        self, layer: FaultMiddleware, fault: Fault, system: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self.app, self.around = layer.app, layer.around
        self.fault, self.system, self.scope = fault, system, scope
        self.receive, self.send = receive, send

    async def run(self) -> None:
        special: dict[str, Callable[[], Awaitable[None]]] = {
            "latency": self._late, "drop": self._drop, "truncate": self._truncate, "drip": self._drip,
            "partial": self._partly, "row_lock": self._partly, "silent": self._in_vain, "poison": self._unless_poisoned,
            **dict.fromkeys(MANGLE, self._mangled),
        }  # fmt: skip
        await special.get(self.fault.kind, self._refuse)()

    # ---------------------------------------------------------------- refusals

    async def _refuse(self) -> None:
        status, body, headers = reply(self.fault, self.system)
        await self._acted_before(status)
        extra = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await make_answer(status, body, extra).send_to(self.send)

    async def _acted_before(self, status: int = 0) -> None:
        """The CRM acts first if the fault says ``after``; otherwise it never sees the request."""
        if self.fault.when == "after":
            await self._run()
        else:
            self.around.log(self.system, self.scope["method"], self.scope["path"], status)

    async def _run(self) -> Answer:
        return await run(self.app, self.scope, await read_body(self.receive))

    # ---------------------------------------------------------------- the connection

    async def _late(self) -> None:
        """The CRM acts in any case, although the client may have given up by then."""
        body = await read_body(self.receive)
        if self.fault.when == "before":
            await self._pause(self.fault.seconds)
        answer = await run(self.app, self.scope, body)
        if self.fault.when == "after":
            await self._pause(self.fault.seconds)
        await answer.send_to(self.send)

    async def _drop(self) -> None:
        await self._acted_before()
        self.transport.abort()
        await self._gone()

    async def _truncate(self) -> None:
        answer = await self._run()
        kept = answer.body[: self.fault.size or len(answer.body) // 2]
        await self.send(answer.start)
        await self.send({"type": "http.response.body", "body": kept, "more_body": True})
        self.transport.close()  # after what is written
        await self._gone()

    async def _drip(self) -> None:
        answer = await self._run()
        await self.send(answer.start)
        size = self.fault.size or 1
        for start in range(0, len(answer.body), size):
            if self.transport.is_closing():
                return
            piece = answer.body[start : start + size]
            await self.send({"type": "http.response.body", "body": piece, "more_body": True})
            await self._pause(self.fault.seconds or 0.01)
        await self.send({"type": "http.response.body", "body": b""})

    @property
    def transport(self) -> Any:
        return self.scope[TRANSPORT]

    async def _gone(self) -> None:
        """Until the server has noticed: a request left without an answer is an error to it otherwise."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _pause(self, seconds: float) -> None:
        """Others are served meanwhile; a server that stops waits for nobody."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.around.is_stopping:
            await asyncio.sleep(min(left, _TICK_S))

    # ---------------------------------------------------------------- half wrong writes

    async def _partly(self) -> None:
        body = await read_body(self.receive)
        answer = await run_partly(self.fault, self.system, self.app, self.scope, body)
        await answer.send_to(self.send)

    async def _unless_poisoned(self) -> None:
        body = await read_body(self.receive)
        answer = await run_unless_poisoned(self.fault, self.system, self.app, self.scope, body)
        await answer.send_to(self.send)

    async def _mangled(self) -> None:
        """The CRM acts, and answers unpacked, so that its answer can be changed."""
        answer = await run(self.app, *plain(self.scope, await read_body(self.receive)))
        await MANGLE[self.fault.kind](self.fault, answer).send_to(self.send)

    async def _in_vain(self) -> None:
        body = await read_body(self.receive)
        answer = await self.around.run_in_vain(self.system, lambda: run(self.app, self.scope, body))
        await answer.send_to(self.send)
