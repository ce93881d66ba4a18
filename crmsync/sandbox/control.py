"""``/_sandbox/…``: what a rehearsal or a test in another process needs and no CRM has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crmsync.sandbox.hands import VERBS
from crmsync.sandbox.history import read_history

if TYPE_CHECKING:
    from crmsync.sandbox.server import Sandbox


def _json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body, default=str), status, media_type="application/json")


def _refused(problem: str, status: int = 400) -> Response:
    return _json({"error": problem}, status)


def _object(body: bytes) -> dict[str, Any]:
    found = orjson.loads(body or b"{}")
    if not isinstance(found, dict):
        raise ValueError("the body must be a JSON object")
    return found


def _plain(problem: Exception) -> str:
    """A TypeError of a call names Python's function; what was wrong is after that."""
    return str(problem).removeprefix("Fault.__init__() ")


class Control:
    """The control routes of one sandbox."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/_sandbox/health", self.health, methods=["GET"]),
            Route("/_sandbox/reset", self.reset, methods=["POST"]),
            Route("/_sandbox/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route("/_sandbox/faults/{name}", self.fault, methods=["GET", "DELETE"]),
            Route("/_sandbox/hands", self.verbs, methods=["GET"]),
            Route("/_sandbox/hands/{verb}", self.act, methods=["POST"]),
            Route("/_sandbox/requests", self.requests, methods=["GET", "DELETE"]),
            Route("/_sandbox/audit", self.audit, methods=["GET"]),
            Route("/_sandbox/clock", self.clock, methods=["GET", "POST", "DELETE"]),
            Route("/_sandbox/jwt-keys", self.jwt_keys, methods=["POST"]),
            Route("/_sandbox/sessions", self.sessions, methods=["DELETE"]),
        ]

    async def health(self, _request: Request) -> Response:
        return _json({"status": "ok", "world": self.box.world, "now": self.box.clock.now()})

    async def reset(self, _request: Request) -> Response:
        """The world as it was at the start; faults gone, clock real."""
        self.box.reset()
        return _json({"status": "ok", "world": self.box.world})

    async def faults(self, request: Request) -> Response:
        """GET lists what is armed, POST arms, DELETE mends everything."""
        if request.method == "POST":
            try:
                self.box.faults.add(**_object(await request.body()))
            except (TypeError, ValueError) as problem:
                return _refused(_plain(problem))
        elif request.method == "DELETE":
            self.box.faults.clear()
        return _json(self._armed())

    async def fault(self, request: Request) -> Response:
        """One fault by its id, or all of a kind."""
        name = request.path_params["name"]
        wanted = int(name) if name.isascii() and name.isdigit() else name
        found = [fault.as_dict() for fault in self.box.faults.armed() if wanted in (fault.id, fault.kind)]
        if not found:
            return _refused(f"no fault '{name}' is armed", 404)
        if request.method == "DELETE":
            self.box.faults.remove(wanted)
        return _json(found)

    def _armed(self) -> list[dict[str, Any]]:
        return [{**fault.as_dict(), "active": self.box.faults.is_active(fault)} for fault in self.box.faults.armed()]

    async def verbs(self, _request: Request) -> Response:
        return _json([asdict(verb) for verb in VERBS.values()])

    async def act(self, request: Request) -> Response:
        """What a person does; the body holds the arguments, and ``as``, the user's name."""
        try:
            done = self.box.hands.perform(request.path_params["verb"], _object(await request.body()))
        except ValueError as problem:
            return _refused(str(problem))
        return _json(done)

    async def requests(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._each(lambda crm: crm.reset_requests())
        found = self._each(
            lambda crm: [dict(zip(("method", "path", "status"), row, strict=True)) for row in crm.requests]
        )
        return _json(found)

    async def audit(self, request: Request) -> Response:
        """Who changed what; ``record`` and ``limit`` choose."""
        limit = request.query_params.get("limit", "")
        if limit and not (limit.isascii() and limit.isdigit()):
            return _refused(f"limit must be a whole number, not '{limit}'")
        record = request.query_params.get("record", "")
        return _json(read_history(self.box, record=record, limit=int(limit) if limit else None))

    async def clock(self, request: Request) -> Response:
        """POST ``{"set": "<ISO instant>"}`` or ``{"advance": <seconds>}``; DELETE goes back to the real time."""
        if request.method == "DELETE":
            self.box.clock.reset()
        elif request.method == "POST":
            try:
                self._move_clock(orjson.loads(await request.body()))
            except (orjson.JSONDecodeError, TypeError, ValueError, KeyError) as problem:
                return _json({"error": f"give set (an ISO instant) or advance (seconds): {problem}"}, 400)
        return _json({"now": self.box.clock.now(), "is_set": self.box.clock.is_set})

    def _move_clock(self, given: dict[str, Any]) -> None:
        if "set" in given:
            self.box.clock.set(datetime.fromisoformat(given["set"]))
        else:
            self.box.clock.advance(float(given["advance"]))

    async def jwt_keys(self, request: Request) -> Response:
        """The body is a public key in PEM form."""
        pem = await request.body()
        try:
            load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm):
            return _refused("the body must be a public key in PEM form")
        self.box.salesforce.register_jwt_key(pem.decode())
        return _json({"status": "ok"})

    async def sessions(self, _request: Request) -> Response:
        """End every Salesforce session, as an admin can."""
        self.box.salesforce.sessions.end_all()
        return _json({"status": "ok"})

    def _each(self, action: Callable[[Any], Any]) -> dict[str, Any]:
        return {name: action(getattr(self.box, name)) for name in ("salesforce", "hubspot")}
