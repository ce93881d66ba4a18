"""A request to a CRM, as every connector makes it: within the budget, paced, signed in, retried by the table, logged.

    Transport.request ─▶ budget.guard ─▶ pacer.wait ─▶ sign_in ─▶ wire.exchange ─▶ retry table ─▶ Answer | crmsync error

A connector describes its CRM with a :class:`Dialect` and hands over a ``sign_in`` that returns the headers of a signed
request. Only this module decides whether a request is sent again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson
import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from crmsync import __version__
from crmsync.connectors.base import ConnectionSettings
from crmsync.connectors.budget import Budget
from crmsync.connectors.dialect import Dialect, VendorError, http_date
from crmsync.connectors.failures import Failure
from crmsync.connectors.pacing import Pacer
from crmsync.connectors.paths import path_template
from crmsync.connectors.patience import Patience
from crmsync.connectors.retry import Action, find_row, retry_after_s
from crmsync.connectors.wire import NoAnswer, Reply, Wire, checked_base_url
from crmsync.errors import Permanent

FAULT_TRIES = 4
WAIT_TRIES = 8
"""Throttling is not failure: it gets more patience than a server that does not answer."""
STORM_WAIT_S = 10.0
"""The least wait from the second refusal in a row on: two requests in ten seconds at most, whatever the CRM says."""

__all__ = ["Answer", "Dialect", "Transport", "VendorError"]

_log = structlog.get_logger("crmsync.transport")
_back_off = wait_random_exponential(multiplier=0.5, max=20)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    data: bytes
    request_id: str = ""
    body: Any = None
    """The decoded JSON; ``None`` where the answer was empty or not asked for as JSON."""

    def json(self) -> Any:
        return self.body

    @property
    def at(self) -> datetime | None:
        """The server's clock when it answered."""
        return http_date(self.headers)


@dataclass(slots=True)
class _Call:
    """One request on its way, over all its tries."""

    method: str
    path: str
    params: Mapping[str, str | Sequence[str]] | None
    template: str
    headers: Mapping[str, str]
    body: bytes | None
    idempotent: bool
    lane: str
    signed: bool
    wants_json: bool
    accept: Sequence[int]
    guarded: bool
    tries: int = 0
    waits: int = 0
    signature: Mapping[str, str] | None = None
    signed_again: bool = False


class _Again(Exception):
    """This try failed in a way that the table calls retriable."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.problem.code)
        self.failure = failure


@dataclass(slots=True)
class _Signature:
    headers: Mapping[str, str] | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)


class Transport:
    """The way to one CRM. ``sign_in(force)`` returns headers; ``force`` asks for a fresh token."""

    def __init__(
        self,
        dialect: Dialect,
        settings: ConnectionSettings,
        *,
        sign_in: Callable[[bool], Mapping[str, str]],
        pacer: Pacer | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.dialect = dialect
        self.system = dialect.system
        self.base_url = checked_base_url(settings.url)
        self.budget = Budget(dialect.system, settings.api_share, dialect.calls_return, settings.most_calls)
        self.pacer = pacer or Pacer(clock=clock, sleep=sleep)
        self._sign_in = sign_in
        self._signature = _Signature()
        self._patience = Patience()
        self._refusals = 0  # for too many requests, in a row
        self._clock = clock
        self._now = now
        self._wire = Wire(self.base_url, timeout_s=settings.timeout_s, gzip_requests=dialect.gzip_requests, clock=clock)
        self._wire.session.headers.update({"User-Agent": f"crmsync/{__version__}", "Accept": "application/json"})
        self._retrying = Retrying(
            retry=retry_if_exception_type(_Again), wait=_wait, stop=_stop, sleep=sleep, reraise=True
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | Sequence[str]] | None = None,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool | None = None,
        lane: str = "",
        signed: bool = True,
        wants_json: bool = True,
        accept: Sequence[int] = (),
        guarded: bool = True,
        template: str = "",
    ) -> Answer:
        """Send until answered, by the retry table.

        ``path`` starts with "/" or is a next-link of the same host. ``idempotent`` says that sending twice does no harm
        (default: only GET and HEAD); ``accept`` names error statuses to hand back instead of raising; ``guarded=False``
        lets a request through although the day's share of API calls is used (sign-in, health checks).

        :raises Transient: with ``outcome_unknown`` where a write may or may not have been done.
        :raises RemoteError: one of its other branches, or AuthError.
        """
        payload = orjson.dumps(json) if json is not None else body
        extra = {"Content-Type": "application/json"} if json is not None else {}
        call = _Call(
            method=method,
            path=path,
            params=params,
            template=template or path_template(urlsplit(path).path),
            headers={**extra, **(headers or {})},
            body=payload,
            idempotent=method in ("GET", "HEAD") if idempotent is None else idempotent,
            lane=lane,
            signed=signed,
            wants_json=wants_json,
            accept=accept,
            guarded=guarded and signed,
        )
        try:
            return self._retrying(self._try, call)
        except _Again as last:
            raise last.failure.given_up(call.tries) from None

    def sign_in(self) -> None:
        """Sign in now, if no request has done it yet."""
        with self._signature.lock:
            if self._signature.headers is None:
                self._signature.headers = self._sign_in(False)

    def forget_sign_in(self) -> None:
        """Sign in anew for the next request: for tokens that say when they end."""
        with self._signature.lock:
            self._signature.headers = None

    def close(self) -> None:
        self._wire.close()

    def _url(self, path: str, params: Mapping[str, str | Sequence[str]] | None) -> str:
        if not path.startswith("/") or path.startswith("//"):
            path = self._pinned(path)
        query = urlencode(params, doseq=True, quote_via=quote) if params else ""
        return f"{self.base_url}{path}{'&' if '?' in path else '?'}{query}" if query else f"{self.base_url}{path}"

    def _pinned(self, link: str) -> str:
        """The path of an absolute link, which must stay on the host that the credential is for."""
        parts, base = urlsplit(link), urlsplit(self.base_url)
        if parts.hostname != base.hostname or parts.port != base.port:
            raise Permanent(
                f"{self.system} sent a link to another host ('{parts.netloc}')",
                system=self.system,
                hint="nothing was sent there; if the CRM has moved, correct the url in crmsync.yaml",
            )
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def _try(self, call: _Call) -> Answer:
        if call.guarded:
            self.budget.guard()
        self.pacer.wait(call.lane)
        signature = self._signed(call)
        url = self._url(call.path, call.params)  # only now: a sign-in may say that the CRM lives at another host
        call.tries += 1
        self.budget.count()
        started = self._clock()
        try:
            reply = self._wire.exchange(call.method, url, {**call.headers, **signature}, call.body)
        except NoAnswer as silence:
            self._log(call, started, status=0, request_id="", code=silence.code)
            raise self._judge(call, 0, VendorError(silence.code, silence.detail), {}) from None
        return self._answer(call, reply, started)

    def _answer(self, call: _Call, reply: Reply, started: float) -> Answer:
        request_id = self.dialect.request_id(reply.headers)
        if limits := self.dialect.read_limits(reply.headers):
            self.budget.note(*limits)
        self._refusals = self._refusals + 1 if reply.status == 429 else 0
        if reply.status < 300 or reply.status in call.accept:
            self._patience.earn()
            body, code = self._decoded(call, reply)
            self._log(call, started, status=reply.status, request_id=request_id, code=code)
            if code:
                raise self._judge(call, 0, VendorError(code, "the answer is not JSON"), reply.headers)
            return Answer(reply.status, reply.headers, reply.data, request_id, body)
        problem = self.dialect.read_error(reply.status, reply.headers, reply.data)
        self._log(call, started, status=reply.status, request_id=request_id, code=problem.code)
        raise self._judge(call, reply.status, problem, reply.headers)

    def _decoded(self, call: _Call, reply: Reply) -> tuple[Any, str]:
        """The body, or the code of what is wrong with it."""
        if not call.wants_json or not reply.data:
            return None, ""
        try:
            return orjson.loads(reply.data), ""
        except orjson.JSONDecodeError:
            return None, "not_json"

    def _judge(self, call: _Call, status: int, problem: VendorError, headers: Mapping[str, str]) -> Exception:
        """What the retry table makes of a failed try: an error to raise, or another try."""
        row = find_row(self.system, status, problem.code)
        failure = Failure(
            dialect=self.dialect,
            row=row,
            status=status,
            problem=problem,
            request_id=self.dialect.request_id(headers),
            request=f"{call.method} {call.template}",
            base_url=self.base_url,
        )
        if row.acted and not call.idempotent:
            return failure.unknown()
        match row.action:
            case Action.BACK_OFF | Action.RETRY_NOW:
                return _Again(failure) if self._patience.spend() else failure.given_up(call.tries)
            case Action.WAIT:
                wait_s = retry_after_s(headers.get("Retry-After"), now=self._server_now(headers), default_s=row.wait_s)
                wait_s = max(wait_s, STORM_WAIT_S) if self._refusals > 1 else wait_s
                self.pacer.cool_down(wait_s)
                call.waits += 1
                return _Again(replace(failure, waited_s=wait_s))
            case Action.SIGN_IN if call.signed and not call.signed_again:
                self._sign_in_again(call)
                return _Again(failure)
            case _:
                return failure.final()

    def _server_now(self, headers: Mapping[str, str]) -> datetime:
        return http_date(headers) or self._now()

    # ------------------------------------------------------------------ sign-in

    def _signed(self, call: _Call) -> Mapping[str, str]:
        if not call.signed:
            return {}
        with self._signature.lock:
            self.sign_in()
            call.signature = self._signature.headers
            return call.signature or {}

    def _sign_in_again(self, call: _Call) -> None:
        """One fresh sign-in, by whichever request was refused first, and one replay; a second refusal is final."""
        call.signed_again = True
        with self._signature.lock:
            if self._signature.headers is call.signature:
                self._signature.headers = None
                self._signature.headers = self._sign_in(True)

    def _log(self, call: _Call, started: float, *, status: int, request_id: str, code: str = "") -> None:
        """One event per try; no bodies, no query strings, no ids, no headers."""
        facts: dict[str, Any] = {"code": code} if code else {}
        if call.tries > 1:
            facts["try_"] = call.tries
        _log.info(
            "request",
            system=self.system,
            method=call.method,
            path=call.template,
            status=status,
            ms=round((self._clock() - started) * 1000),
            request_id=request_id,
            calls_left=self.budget.left,
            **facts,
        )


def _wait(state: RetryCallState) -> float:
    last = state.outcome.exception() if state.outcome else None
    if isinstance(last, _Again) and last.failure.row.action is Action.BACK_OFF:
        return _back_off(state)
    return 0.0  # the gate of the pacer holds what must wait


def _stop(state: RetryCallState) -> bool:
    call: _Call = state.args[0]
    return call.waits >= WAIT_TRIES or call.tries - call.waits >= FAULT_TRIES
