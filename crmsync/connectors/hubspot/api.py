"""HubSpot's endpoints: the registry's client says what a call looks like, our transport carries it.

``hubspot-api-client`` by itself opens a connection per call, waits without limit, asks for no compression and spends
most of its time turning dates into objects. It lets its REST layer be exchanged, though (``api_factory``), so its
endpoints run here over :mod:`crmsync.connectors.transport`, and answers stay raw JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from hubspot import HubSpot

from crmsync.connectors.base import ConnectionSettings
from crmsync.connectors.hubspot.auth import TokenSource, token_source
from crmsync.connectors.hubspot.limits import pacer_for
from crmsync.connectors.hubspot.paths import dated_path
from crmsync.connectors.hubspot.problems import MISSING_SCOPES, Problem, parse_problem
from crmsync.connectors.pacing import Pacer
from crmsync.connectors.transport import Answer, Dialect, Transport, VendorError

SCOPES_PATH = "HubSpot > Settings > Integrations > Service keys (or Private apps) > your key > Scopes"
_TOKEN_HINT = "check the token that the connection's auth in crmsync.yaml points to"  # noqa: S105 - a hint


@dataclass(frozen=True, slots=True)
class _Options:
    safe: bool | None = None
    lane: str = ""
    accept: Sequence[int] = ()
    guarded: bool = True
    signed: bool = True
    template: str = ""


class _SharedRest:
    """Takes the place of the client's own REST layer."""

    def __init__(self, send: Callable[..., Answer]) -> None:
        self._send = send
        self.options = _Options()

    def _request(
        self,
        method: str,
        path: str,
        *,
        query_params: Sequence[tuple[str, Any]] | None = None,
        body: Any = None,
        post_params: Sequence[tuple[str, Any]] | None = None,
        **_: Any,
    ) -> Answer:
        params: dict[str, list[str]] = {}
        for name, value in query_params or ():
            params.setdefault(name, []).append(str(value).lower() if isinstance(value, bool) else str(value))
        return self._send(method, path, params=params, json=body, form=post_params, options=self.options)

    def GET(self, path: str, **kwargs: Any) -> Answer:  # noqa: N802 - the name that the client calls
        return self._request("GET", path, **kwargs)

    def POST(self, path: str, **kwargs: Any) -> Answer:  # noqa: N802
        return self._request("POST", path, **kwargs)

    def PATCH(self, path: str, **kwargs: Any) -> Answer:  # noqa: N802
        return self._request("PATCH", path, **kwargs)


class HubSpotApi:
    """The calls that crmsync makes. Endpoint objects are kept: building one costs a millisecond."""

    def __init__(self, settings: ConnectionSettings, *, pacer: Pacer | None = None) -> None:
        self._date = settings.api_version
        self._tokens = token_source(settings, self._refresh)
        self._rest = _SharedRest(self._send)
        self._client = HubSpot(api_factory=self._build)
        self.transport = Transport(
            DIALECT, settings, sign_in=self._tokens.sign_in, pacer=pacer or pacer_for(settings.url)
        )

    @property
    def tokens(self) -> TokenSource:
        return self._tokens

    def call(
        self,
        endpoint: Callable[..., Answer],
        *args: Any,
        safe: bool | None = None,
        lane: str = "",
        accept: Sequence[int] = (),
        guarded: bool = True,
        **kwargs: Any,
    ) -> Answer:
        """One call of a client endpoint. ``safe`` says that a POST may be sent again (reads, searches, upserts)."""
        self._rest.options = _Options(safe, lane, accept, guarded)
        return endpoint(*args, _preload_content=False, **kwargs)

    def get(self, path: str, *, accept: Sequence[int] = (), template: str = "") -> Answer:
        """A path that the client does not know; never held back by the budget, for it serves health checks.

        ``template`` is what the log shows where the path itself must not be seen.
        """
        return self._send("GET", path, options=_Options(accept=accept, guarded=False, template=template))

    def post(self, path: str, json: Any, *, accept: Sequence[int] = ()) -> Answer:
        return self._send("POST", path, json=json, options=_Options(safe=True, accept=accept, guarded=False))

    def close(self) -> None:
        self.transport.close()

    # ------------------------------------------------------------------ endpoints

    @cached_property
    def records(self) -> Any:
        return self._client.crm.objects.basic_api

    @cached_property
    def batches(self) -> Any:
        return self._client.crm.objects.batch_api

    @cached_property
    def search(self) -> Any:
        return self._client.crm.objects.search_api

    @cached_property
    def associations(self) -> Any:
        return self._client.crm.associations.v4.batch_api

    @cached_property
    def association_labels(self) -> Any:
        return self._client.crm.associations.v4.schema.definitions_api

    @cached_property
    def properties(self) -> Any:
        return self._client.crm.properties.core_api

    @cached_property
    def property_batches(self) -> Any:
        return self._client.crm.properties.batch_api

    @cached_property
    def property_groups(self) -> Any:
        return self._client.crm.properties.groups_api

    @cached_property
    def pipelines(self) -> Any:
        return self._client.crm.pipelines.pipelines_api

    @cached_property
    def owners(self) -> Any:
        return self._client.crm.owners.owners_api

    @cached_property
    def schemas(self) -> Any:
        return self._client.crm.schemas.core_api

    # ------------------------------------------------------------------ the way out

    def _build(self, package: Any, api_name: str, config: Mapping[str, Any]) -> Any:  # noqa: ARG002
        client = package.ApiClient(configuration=package.Configuration(host=""))
        client.rest_client = self._rest
        # it copies every value of a body, to turn models and dates into JSON; ours is JSON already
        client.sanitize_for_serialization = lambda plain: plain
        return getattr(package, api_name)(api_client=client)

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Sequence[str]] | None = None,
        json: Any = None,
        form: Sequence[tuple[str, Any]] | None = None,
        options: _Options,
    ) -> Answer:
        if options.signed and self._tokens.is_stale:
            self.transport.forget_sign_in()
        return self.transport.request(
            method,
            dated_path(path, self._date),
            params=params,
            json=json,
            body=urlencode(list(form)).encode() if form else None,
            headers={"Content-Type": "application/x-www-form-urlencoded"} if form else None,
            idempotent=options.safe,
            lane=options.lane,
            accept=options.accept,
            guarded=options.guarded,
            signed=options.signed,
            template=options.template,
            # an accepted error may be an HTML page (a missing record, recorded); its reader decodes it
            wants_json=not options.accept,
        )

    def _refresh(self, client_id: str, client_secret: str, refresh_token: str) -> Mapping[str, Any]:
        outer = self._rest.options
        self._rest.options = _Options(safe=True, guarded=False, signed=False)
        try:
            answer: Answer = self._client.oauth.tokens_api.create(
                grant_type="refresh_token",
                client_id=client_id,
                client_secret=client_secret,
                refresh_token=refresh_token,
                _preload_content=False,
            )
        finally:
            self._rest.options = outer
        body: Mapping[str, Any] = answer.body
        return body


# ------------------------------------------------------------------ how HubSpot says things


def read_error(status: int, headers: Mapping[str, str], data: bytes) -> VendorError:  # noqa: ARG001
    """The code is a code of the retry table: a limit's policy, an OAuth status, or the category."""
    problem = parse_problem(data)
    if status == 429:
        return VendorError(_limit_code(problem), problem.summary)
    if problem.category == MISSING_SCOPES or problem.scopes:
        return _missing_scopes(problem)
    return VendorError(problem.code, problem.summary)


def _limit_code(problem: Problem) -> str:
    """Three forms of body are on record; the one of search names no policy."""
    if problem.policy:
        return problem.policy
    text = problem.message.lower()
    for word, code in (("daily", "DAILY"), ("ten_secondly", "TEN_SECONDLY_ROLLING"), ("secondly", "SECONDLY")):
        if word in text:
            return code
    return problem.category


def _missing_scopes(problem: Problem) -> VendorError:
    names = ", ".join(problem.scopes) or "not named by HubSpot"
    return VendorError(
        MISSING_SCOPES, f"missing scope: {names}", f"tick {names} in {SCOPES_PATH}", missing_scopes=problem.scopes
    )


def read_limits(headers: Mapping[str, str]) -> tuple[int, int] | None:
    """Private apps and service keys are told the day's calls; OAuth apps and searches are not (recorded)."""
    try:
        return int(headers["X-HubSpot-RateLimit-Daily"]), int(headers["X-HubSpot-RateLimit-Daily-Remaining"])
    except (KeyError, ValueError):
        return None


def request_id(headers: Mapping[str, str]) -> str:
    return headers.get("X-HubSpot-Correlation-Id", "")


DIALECT = Dialect(
    system="hubspot",
    read_error=read_error,
    read_limits=read_limits,
    request_id=request_id,
    sign_in_hint=_TOKEN_HINT,
    status_page="https://status.hubspot.com",
    calls_return="at midnight in the time zone of the HubSpot account",
)
