"""A request to a CRM, as every connector makes it: within the budget, paced, signed in, retried by the table, logged.

    Transport.request ─▶ budget.guard ─▶ pacer.wait ─▶ sign_in ─▶ wire.exchange ─▶ retry table ─▶ Answer | crmsync error

A connector describes its CRM with a :class:`Dialect` and hands over a ``sign_in`` that returns the headers of a signed
request. Only this module decides whether a request is sent again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson
import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from crmsync import __version__
from crmsync.connectors.base import ConnectionSettings
from crmsync.connectors.budget import Budget
from crmsync.connectors.pacing import Pacer
from crmsync.connectors.paths import path_template
from crmsync.connectors.retry import Action, Row, find_row, retry_after_s
from crmsync.connectors.wire import NoAnswer, Reply, Wire, checked_base_url
from crmsync.errors import AuthError, CrmsyncError, Permanent, QuotaExhausted, RateLimited, Transient, Unreachable

FAULT_TRIES = 4
WAIT_TRIES = 8
"""Throttling is not failure: it gets more patience than a server that does not answer."""

_log = structlog.get_logger("crmsync.transport")
_back_off = wait_random_exponential(multiplier=0.5, max=20)


@dataclass(frozen=True, slots=True)
class VendorError:
    """An error answer, read: the vendor's code (a code of the retry table), its message, and what to do about it."""

    code: str
    message: str = ""
    hint: str = ""
    missing_scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one CRM says things over HTTP.

    ``read_limits`` gives (allowed per day, left today) where the headers tell; ``sign_in_hint`` goes with every
    AuthError that has no better one.
    """

    system: str
    read_error: Callable[[int, Mapping[str, str], bytes], VendorError]
    read_limits: Callable[[Mapping[str, str]], tuple[int, int] | None]
    request_id: Callable[[Mapping[str, str]], str]
    sign_in_hint: str
    status_page: str
    gzip_requests: bool = False


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
    url: str
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
    signed_again: bool = False


class _Again(Exception):
    """This try failed in a way that the table calls retriable."""

    def __init__(self, row: Row, problem: VendorError, request_id: str, wait_s: float) -> None:
        super().__init__(problem.code)
        self.row = row
        self.problem = problem
        self.request_id = request_id
        self.wait_s = wait_s


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
        self.budget = Budget(dialect.system, settings.api_share)
        self.pacer = pacer or Pacer(clock=clock, sleep=sleep)
        self._sign_in = sign_in
        self._signature = _Signature()
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
            url=self._url(path, params),
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
            raise self._given_up(call, last) from None

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
        call.tries += 1
        self.budget.count()
        started = self._clock()
        try:
            reply = self._wire.exchange(call.method, call.url, {**call.headers, **signature}, call.body)
        except NoAnswer as silence:
            self._log(call, started, status=0, request_id="", code=silence.code)
            raise self._judge(call, 0, VendorError(silence.code, silence.detail), {}) from None
        return self._answer(call, reply, started)

    def _answer(self, call: _Call, reply: Reply, started: float) -> Answer:
        request_id = self.dialect.request_id(reply.headers)
        if limits := self.dialect.read_limits(reply.headers):
            self.budget.note(*limits)
        if reply.status < 300 or reply.status in call.accept:
            self._log(call, started, status=reply.status, request_id=request_id)
            body = self._decoded(call, reply)
            return Answer(reply.status, reply.headers, reply.data, request_id, body)
        problem = self.dialect.read_error(reply.status, reply.headers, reply.data)
        self._log(call, started, status=reply.status, request_id=request_id, code=problem.code)
        raise self._judge(call, reply.status, problem, reply.headers)

    def _decoded(self, call: _Call, reply: Reply) -> Any:
        if not call.wants_json or not reply.data:
            return None
        try:
            return orjson.loads(reply.data)
        except orjson.JSONDecodeError:
            problem = VendorError("not_json", "the answer is not JSON")
            raise self._judge(call, 0, problem, reply.headers) from None

    def _judge(self, call: _Call, status: int, problem: VendorError, headers: Mapping[str, str]) -> Exception:
        """What the retry table makes of a failed try: an error to raise, or another try."""
        row = find_row(self.system, status, problem.code)
        request_id = self.dialect.request_id(headers)
        if row.acted and not call.idempotent:
            return self._unknown(call, problem, status, request_id)
        match row.action:
            case Action.AUTH:
                return self._refused(problem, request_id)
            case Action.STOP:
                return self._exhausted(problem, status, request_id)
            case Action.PERMANENT:
                return self._permanent(problem, status, request_id)
            case Action.SIGN_IN:
                return self._sign_in_again(call, row, problem, request_id)
            case Action.WAIT:
                wait_s = retry_after_s(headers.get("Retry-After"), now=self._server_now(headers), default_s=row.wait_s)
                self.pacer.cool_down(wait_s)
                call.waits += 1
                return _Again(row, problem, request_id, wait_s)
            case Action.BACK_OFF | Action.RETRY_NOW:
                return _Again(row, problem, request_id, 0.0)

    def _server_now(self, headers: Mapping[str, str]) -> datetime:
        return http_date(headers) or self._now()

    # ------------------------------------------------------------------ sign-in

    def _signed(self, call: _Call) -> Mapping[str, str]:
        if not call.signed:
            return {}
        with self._signature.lock:
            if self._signature.headers is None:
                self._signature.headers = self._sign_in(False)
            return self._signature.headers

    def _sign_in_again(self, call: _Call, row: Row, problem: VendorError, request_id: str) -> Exception:
        """One fresh sign-in and one replay; a second refusal is final."""
        if call.signed_again or not call.signed:
            return self._refused(problem, request_id)
        call.signed_again = True
        with self._signature.lock:
            self._signature.headers = None
            self._signature.headers = self._sign_in(True)
        return _Again(row, problem, request_id, 0.0)

    # ------------------------------------------------------------------ errors

    def _unknown(self, call: _Call, problem: VendorError, status: int, request_id: str) -> Transient:
        error = Transient(
            f"{self.system} may or may not have done {call.method} {call.template} ({said(problem, status)})",
            system=self.system,
            status=status or None,
            vendor_code=problem.code,
            request_id=request_id,
            hint="the next run reads the records back before it writes again",
        )
        error.outcome_unknown = True
        return error

    def _refused(self, problem: VendorError, request_id: str) -> AuthError:
        about = f"; request {request_id}" if request_id else ""
        message = f"{self.system} refused the sign-in or a permission ({said(problem)}{about})"
        return AuthError(
            message,
            system=self.system,
            hint=problem.hint or self.dialect.sign_in_hint,
            missing_scopes=problem.missing_scopes,
        )

    def _exhausted(self, problem: VendorError, status: int, request_id: str) -> QuotaExhausted:
        return QuotaExhausted(
            f"the API calls that {self.system} allows per day are used up ({said(problem, status)})",
            system=self.system,
            status=status,
            vendor_code=problem.code,
            request_id=request_id,
            hint="run again when the count has reset; nothing was lost",
        )

    def _permanent(self, problem: VendorError, status: int, request_id: str) -> Permanent:
        return Permanent(
            f"{self.system} refused the request ({said(problem, status)})",
            system=self.system,
            status=status or None,
            vendor_code=problem.code,
            request_id=request_id,
            hint=problem.hint,
        )

    def _given_up(self, call: _Call, last: _Again) -> CrmsyncError:
        status = last.row.status
        facts: dict[str, Any] = {
            "system": self.system,
            "status": status or None,
            "vendor_code": last.problem.code,
            "request_id": last.request_id,
        }
        detail = said(last.problem, status)
        if last.row.action is Action.WAIT:
            limited = RateLimited(
                f"{self.system} was still limiting requests after {call.tries} tries ({detail})",
                hint="something else is using the API heavily; run again later",
                **facts,
            )
            limited.retry_after_s = last.wait_s
            return limited
        if status == 0 or status >= 500:
            return Unreachable(
                f"{self.system} did not answer at {self.base_url} after {call.tries} tries ({detail})",
                hint=f"check the url of the connection and {self.dialect.status_page}, then run again",
                **facts,
            )
        return Transient(
            f"{self.system} could not do {call.method} {call.template} in {call.tries} tries ({detail})",
            hint="run again; another process may be writing the same records",
            **facts,
        )

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


def http_date(headers: Mapping[str, str]) -> datetime | None:
    """The ``Date`` header as an aware instant."""
    try:
        return parsedate_to_datetime(headers.get("Date", "")).astimezone(UTC)
    except (ValueError, TypeError):
        return None


def said(problem: VendorError, status: int = 0) -> str:
    """What the vendor said, cut to one short line."""
    parts = [str(status) if status else "", problem.code if status else "", problem.message]
    return " ".join(part for part in parts if part)[:200].replace("\n", " ")


def _wait(state: RetryCallState) -> float:
    last = state.outcome.exception() if state.outcome else None
    if isinstance(last, _Again) and last.row.action is Action.BACK_OFF:
        return _back_off(state)
    return 0.0  # the gate of the pacer holds what must wait


def _stop(state: RetryCallState) -> bool:
    call: _Call = state.args[0]
    return call.waits >= WAIT_TRIES or call.tries - call.waits >= FAULT_TRIES
