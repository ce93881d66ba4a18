"""One request run against the CRM with its answer held back, so that it can be spoiled before it is sent."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Header = tuple[bytes, bytes]


@dataclass(slots=True)
class Answer:
    status: int = 200
    headers: list[Header] = field(default_factory=list)
    body: bytes = b""

    @property
    def start(self) -> Message:
        return {"type": "http.response.start", "status": self.status, "headers": self.headers}

    def with_json(self, status: int, content: Any) -> Answer:
        return make_answer(status, content, [pair for pair in self.headers if pair[0] not in OF_THE_BODY])

    async def send_to(self, send: Send) -> None:
        await send(self.start)
        await send({"type": "http.response.body", "body": self.body})


OF_THE_BODY = (b"content-length", b"content-type", b"content-encoding")


def make_answer(status: int, content: Any, headers: list[Header] | None = None) -> Answer:
    """``content`` is HTML if it is text, else JSON."""
    is_text = isinstance(content, str)
    body = content.encode() if is_text else orjson.dumps(content)
    kind = b"text/html" if is_text else b"application/json;charset=UTF-8"
    own = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    return Answer(status, [*own, *(headers or ())], body)


async def read_body(receive: Receive) -> bytes:
    """All of it, as far as the client sent it."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(parts)


async def run(app: ASGIApp, scope: Scope, body: bytes) -> Answer:
    """The CRM acts now, without a pause: it has the whole request and nobody to wait for."""
    answer = Answer()
    parts: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message.get("headers", ()))
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, keep)
    answer.body = b"".join(parts)
    return answer


def plain(scope: Scope, body: bytes) -> tuple[Scope, bytes]:
    """The same request, unpacked, asking for an answer that is not packed."""
    headers: list[Header] = scope["headers"]
    if (b"content-encoding", b"gzip") in headers:
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            return scope, body
    left_out = (b"content-encoding", b"accept-encoding", b"content-length")
    return {**scope, "headers": [pair for pair in headers if pair[0] not in left_out]}, body
