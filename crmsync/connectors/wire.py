"""One exchange over HTTP: bounded in time and size, compressed both ways, connections kept, redirects not followed.

``requests`` because simple-salesforce speaks through a ``requests.Session`` and both vendors' hot paths can share it.
Its look at environment variables on every request is done once here; that also keeps a ``.netrc`` away from our token.
"""

from __future__ import annotations

import gzip
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions as u3
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout, InvalidHeader, ProxyError, SSLError, Timeout
from urllib3.util.ssl_ import create_urllib3_context

from crmsync.errors import UsageError

CONNECT_TIMEOUT_S = 10.0
GZIP_FROM_BYTES = 1024
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
MAX_ANSWER_BYTES = 128 * 1024 * 1024
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    data: bytes


class NoAnswer(Exception):
    """No whole answer came; ``code`` is a code of the retry table's rows for status 0."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in LOOPBACK


def checked_base_url(url: str) -> str:
    """The origin of a connection's url, without a trailing slash.

    :raises UsageError: when it is no url, or plain http to anything but this machine.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise UsageError(f"'{url}' is not the url of a CRM", hint="write it as https://host in crmsync.yaml")
    if parts.scheme == "http" and not is_loopback(url):
        raise UsageError(f"'{url}' would send the credential unencrypted", hint="write https:// in crmsync.yaml")
    if parts.username or parts.password:
        raise UsageError("the url of the connection holds a credential", hint="keep it under secrets, not in the url")
    return f"{parts.scheme}://{parts.netloc}"


def new_session(base_url: str) -> requests.Session:
    """A session with the environment's proxies and certificates, without cookies; loopback goes past every proxy."""
    session = requests.Session()
    found = session.merge_environment_settings(base_url, {}, None, None, None)
    session.verify = found["verify"]  # True, or a bundle of certificates by REQUESTS_CA_BUNDLE; never False
    if not is_loopback(base_url):
        session.proxies = found["proxies"]
    session.mount("https://", _Tls())
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


class _Tls(HTTPAdapter):
    """TLS 1.2 at least, certificates always checked, whatever a system-wide OpenSSL configuration allows."""

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more, ssl_context=_tls_context())

    def proxy_manager_for(self, *args: Any, **more: Any) -> Any:
        return super().proxy_manager_for(*args, **more, ssl_context=_tls_context())


def _tls_context() -> ssl.SSLContext:
    context = create_urllib3_context(ssl_minimum_version=ssl.TLSVersion.TLSv1_2)
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    return context


class Wire:
    """Sends one request and brings the whole answer, or says why there is none."""

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float,
        gzip_requests: bool = False,
        max_bytes: int = MAX_ANSWER_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.session = new_session(base_url)
        self._timeout = (min(CONNECT_TIMEOUT_S, timeout_s), timeout_s)
        self._deadline_s = 4 * timeout_s
        self._gzip_requests = gzip_requests
        self._max_bytes = max_bytes
        self._clock = clock

    def exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """:raises NoAnswer: when no whole answer came."""
        ends_at = self._clock() + self._deadline_s
        sent_headers, sent_body = self._packed(headers, body)
        try:
            response = self.session.request(
                method,
                url,
                headers=sent_headers,
                data=sent_body,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            )
        except (InvalidHeader, UnicodeError):
            raise NoAnswer(
                "unsendable", "a credential holds a line break or another character that cannot be sent"
            ) from None
        except requests.RequestException as error:
            raise _no_answer(error) from error
        with response:
            return Reply(response.status_code, response.headers, self._read(response, ends_at))

    def close(self) -> None:
        self.session.close()

    def _packed(self, headers: Mapping[str, str], body: bytes | None) -> tuple[dict[str, str], bytes | None]:
        packed = {"Accept-Encoding": "gzip", **headers}
        is_json = packed.get("Content-Type") == "application/json"  # not forms, not packages
        if body is None or not is_json or not self._gzip_requests or len(body) < GZIP_FROM_BYTES:
            return packed, body
        return {**packed, "Content-Encoding": "gzip"}, gzip.compress(body, compresslevel=1, mtime=0)

    def _read(self, response: requests.Response, ends_at: float) -> bytes:
        """The body by single reads: a read timeout alone never fires on a server that sends a byte a second."""
        parts: list[bytes] = []
        size = 0
        response.raw.decode_content = True
        try:
            while part := response.raw.read1(_CHUNK_BYTES):
                parts.append(part)
                size += len(part)
                if size > self._max_bytes:
                    raise NoAnswer("too_large", f"the answer is larger than {self._max_bytes // 1024 // 1024} MB")
                if self._clock() > ends_at:
                    raise NoAnswer("too_slow", f"the answer took longer than {self._deadline_s:.0f} s")
        except u3.ReadTimeoutError as error:
            raise NoAnswer("timeout", "silent in the middle of the answer") from error
        except u3.DecodeError as error:
            raise NoAnswer("garbled", "the answer could not be decompressed") from error
        except (u3.HTTPError, OSError) as error:
            raise NoAnswer("truncated", "the answer stopped short") from error
        return b"".join(parts)


def _no_answer(error: requests.RequestException) -> NoAnswer:
    reason = _reason(error)
    if isinstance(error, ProxyError):
        return NoAnswer("proxy", "the proxy refused the connection")
    if isinstance(error, SSLError):
        return NoAnswer("tls", "the TLS certificate or handshake was refused")
    if isinstance(error, ConnectTimeout):
        return NoAnswer("connect", "connection timed out")
    if isinstance(error, Timeout) or isinstance(reason, u3.ReadTimeoutError):
        return NoAnswer("timeout", "no answer in time")
    if isinstance(reason, u3.NameResolutionError):
        return NoAnswer("connect", "the host name is unknown")
    if isinstance(reason, u3.NewConnectionError):
        return NoAnswer("connect", "connection refused" if "refused" in str(reason) else "no connection")
    return NoAnswer("dropped", "the connection was cut")


def _reason(error: requests.RequestException) -> object:
    inner = error.args[0] if error.args else None
    return inner.reason if isinstance(inner, u3.MaxRetryError) else inner
