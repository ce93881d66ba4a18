"""The way to one org: simple-salesforce for sign-in and its endpoints, all of it over crmsync's transport.

simple-salesforce builds ``https://`` urls, sends ``X-PrettyPrint`` and retries nothing. The session it is given here
keeps only the path of what it asks for, so that loopback, timeouts, retries, budget and log are the transport's.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from simple_salesforce.api import Salesforce

from crmsync.connectors.base import ConnectionSettings
from crmsync.connectors.pacing import Pacer
from crmsync.connectors.salesforce.dialect import SALESFORCE
from crmsync.connectors.salesforce.signin import SignIn
from crmsync.connectors.transport import Answer, Transport
from crmsync.connectors.wire import is_loopback
from crmsync.errors import AuthError, UsageError

API_VERSION = "62.0"
_OWN_HOSTS = (".salesforce.com", ".force.com", ".salesforce.mil", ".cloudforce.com", ".sfcrmproducts.cn")
_CALL_HEADERS = {
    "Sforce-Call-Options": "client=crmsync",
    "Sforce-Mru": "updateMru=false",  # else every record we touch shows up as recently viewed by the integration user
    "Sforce-Query-Options": "batchSize=2000",
}
_NOT_OURS = frozenset({"authorization", "x-prettyprint"})
_HOST = re.compile(r"[a-z0-9.-]+(:\d+)?", re.IGNORECASE)
"""Nothing that a url parser could take for the end of a host: "evil.example#.salesforce.com" is not Salesforce."""
_VERSION = re.compile(r"v?(\d+)(\.0)?")


class Client:
    """``request`` for hot paths (raw body, decoded once); ``sf`` for what simple-salesforce knows how to do."""

    def __init__(
        self,
        settings: ConnectionSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        _check_host(settings.url)
        self._signin = SignIn(settings)
        self.server_at: datetime | None = None  # the org's clock by its last answer; this machine's is never used
        self.flow = self._signin.flow
        self.sleep = sleep
        self.version = checked_version(settings.api_version)
        self.data_path = f"/services/data/v{self.version}"
        self.transport = Transport(
            SALESFORCE,
            settings,
            sign_in=self._sign_in,
            pacer=Pacer(clock=clock, sleep=sleep),
            clock=clock,
            sleep=sleep,
        )
        self.sf = Salesforce(
            session_id="unused",
            instance_url=self.transport.base_url,
            version=self.version,
            session=TransportSession(self, signed=True),
            object_pairs_hook=dict,
        )

    def request(self, method: str, path: str, **options: Any) -> Answer:
        """Like :meth:`Transport.request`; ``path`` below ``/services/data/vNN.0`` unless it starts with "/"."""
        headers = {**_CALL_HEADERS, **options.pop("headers", {})}
        full_path = path if path.startswith(("/", "http")) else f"{self.data_path}/{path}"
        answer = self.transport.request(method, full_path, headers=headers, **options)
        self.server_at = answer.at or self.server_at
        return answer

    def is_signed_in(self) -> bool:
        """Sign in, if that is still to be done; whether the org's clock is known now."""
        self.transport.sign_in()
        return self.server_at is not None

    def close(self) -> None:
        self.transport.close()

    def _sign_in(self, _force: bool) -> Mapping[str, str]:
        token, instance = self._signin.token(TransportSession(self, signed=False))
        self._move_to(instance)
        return {"Authorization": f"Bearer {token}"}

    def _move_to(self, instance: str) -> None:
        """Go on at the host that the token is for; a loopback sandbox stays where it is."""
        base_url = self.transport.base_url
        host = instance.split("/", maxsplit=1)[0]
        if is_loopback(base_url) or host == urlsplit(base_url).netloc:
            return
        if not _HOST.fullmatch(host) or not host.split(":", maxsplit=1)[0].endswith(_OWN_HOSTS):
            raise AuthError(
                f"the sign-in points to '{host}', which is no host of Salesforce",
                system="salesforce",
                hint="check the url of the connection in crmsync.yaml",
            )
        self.transport.base_url = f"https://{host}"


class TransportSession(requests.Session):
    """What simple-salesforce speaks through: each request takes the transport's way, whatever host it names."""

    def __init__(self, client: Client, *, signed: bool) -> None:
        super().__init__()
        self._client = client
        self._signed = signed

    def request(  # type: ignore[override]
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        **_: Any,
    ) -> requests.Response:
        sent = {name: value for name, value in (headers or {}).items() if name.lower() not in _NOT_OURS}
        if not self._signed:
            sent = {**(headers or {})}
        if isinstance(data, dict):
            data = urlencode(data)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        parts = urlsplit(url)
        answer = self._client.request(
            method,
            f"{parts.path}?{parts.query}" if parts.query else parts.path,
            params=params,
            json=json,
            body=data.encode() if isinstance(data, str) else data,
            headers=sent,
            idempotent=True if not self._signed else None,
            signed=self._signed,
        )
        if not self._signed:
            _check_token(answer)
        return _as_response(answer, url)


def _check_host(url: str) -> None:
    """The address in a browser is a common slip: the pages of Lightning have no API."""
    host = urlsplit(url).hostname or ""
    if host.endswith(".lightning.force.com"):
        my_domain = host.removesuffix(".lightning.force.com") + ".my.salesforce.com"
        raise UsageError(f"'{host}' serves Lightning's pages, not the API", hint=f"write url: https://{my_domain}")


def _check_token(answer: Answer) -> None:
    """simple-salesforce takes for granted that a 200 of the token endpoint holds a token and a host."""
    body = answer.json()
    if not (isinstance(body, dict) and body.get("access_token") and body.get("instance_url")):
        raise AuthError(
            "the answer of salesforce's token endpoint holds no token",
            system="salesforce",
            hint="check the url of the connection in crmsync.yaml",
        )


def _as_response(answer: Answer, url: str) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response.url = url
    response.encoding = "utf-8"
    response.raw = io.BytesIO(answer.data)
    return response


def checked_version(given: str) -> str:
    """``62``, ``v62.0`` and ``62.0`` are the same version; anything else is refused.

    :raises UsageError: when it is no version of the API.
    """
    match = _VERSION.fullmatch(given or API_VERSION)
    if match is None:
        raise UsageError(f"'{given}' is no API version of Salesforce", hint=f"write api_version: '{API_VERSION}'")
    return f"{match[1]}.0"
