"""How much one request may bring: more than any call of either CRM takes, and less than would fill the memory."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crmsync.sandbox.faults.exchange import make_answer

MAX_BODY = 150 * 1024 * 1024
"""The largest body that is documented anywhere: an upload of Bulk API 2.0."""


class _TooLarge(BaseException):
    """Leaves the request at the byte that is too much; whatever answers exceptions on the way must let it pass."""


class BodyLimit:
    """Answers 413 and closes the connection; nothing of a request that is too large is acted on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.maximum = app, MAX_BODY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        declared = next((value for name, value in scope.get("headers", ()) if name == b"content-length"), b"0")
        if int(declared) > self.maximum:
            await _refuse(send)
            return
        try:
            await self.app(scope, self._counted(receive), send)
        except _TooLarge:
            await _refuse(send)

    def _counted(self, receive: Receive) -> Receive:
        """A body without a declared length is stopped when it has become too long."""
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.maximum:
                raise _TooLarge
            return message

        return counted


async def _refuse(send: Send) -> None:
    error = [{"message": "The request is too large", "errorCode": "REQUEST_TOO_LARGE"}]
    await make_answer(413, error, [(b"connection", b"close")]).send_to(send)
