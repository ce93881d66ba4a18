"""What ``crmsync doctor`` asks of HubSpot: sign-in, scopes, properties, calls left, clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from crmsync.connectors.hubspot.api import SCOPES_PATH, HubSpotApi
from crmsync.connectors.hubspot.objects import OWNERS, PIPELINES, TYPE_IDS
from crmsync.connectors.hubspot.paths import ACCOUNT_DETAILS, DAILY_USAGE, OAUTH_TOKEN_INFO, PRIVATE_APP_TOKEN_INFO
from crmsync.connectors.hubspot.types import ObjectTypes
from crmsync.connectors.transport import Answer
from crmsync.errors import AuthError, CrmsyncError
from crmsync.remote import HealthCheck, SchemaSpec

CLOCK_SKEW_S = 60
LOW_CALLS = 0.9
TRIAL_ACCOUNTS = frozenset({"SANDBOX", "DEVELOPER_TEST", "APP_DEVELOPER"})
"""Account types that hold no business: a sandbox, a test account, an account that only publishes apps."""
_ACTIVITIES = ("notes", "tasks", "calls", "meetings", "emails", "communications")
_PROVISION = "crmsync provision"


class HealthChecks:
    def __init__(self, api: HubSpotApi, types: ObjectTypes) -> None:
        self._api = api
        self._types = types
        self._details: Mapping[str, Any] | None = None

    def portal_id(self) -> str:
        return str(self._account().get("portalId") or "")

    def app_url(self) -> str:
        """Where this account's people work: the host differs by data centre."""
        return f"https://{self._account().get('uiDomain') or 'app.hubspot.com'}"

    def is_production(self) -> bool | None:
        """By the account's type, as the account details tell it; ``None`` for an answer without one.

        Everything that is not known to be for trials counts as production.
        """
        account_type = self._api.get(ACCOUNT_DETAILS).body.get("accountType")
        return str(account_type) not in TRIAL_ACCOUNTS if account_type else None

    def run(self, spec: SchemaSpec) -> list[HealthCheck]:
        try:
            answer = self._api.get(ACCOUNT_DETAILS)
        except CrmsyncError as error:
            name = "sign-in" if isinstance(error, AuthError) else "answer"
            return [HealthCheck(name, "problem", error.message, error.hint)]
        self._details = answer.body
        properties = list(_guarded("properties", self._properties(spec)))
        is_complete = all(check.status == "ok" for check in properties)
        return [
            HealthCheck("sign-in", "ok", f"HubSpot account {self.portal_id()}, {self._api.tokens.flow}"),
            *_guarded("scopes", self._scopes(spec, is_complete=is_complete)),
            *properties,
            *_guarded("API calls", self._usage()),
            *_clock(answer),
        ]

    def _account(self) -> Mapping[str, Any]:
        if self._details is None:
            self._details = self._api.get(ACCOUNT_DETAILS).body
        return self._details or {}

    # ------------------------------------------------------------------ scopes

    def _scopes(self, spec: SchemaSpec, *, is_complete: bool) -> Iterator[HealthCheck]:
        """The scopes that define properties may be taken away once everything is there."""
        granted = self._granted()
        if granted is None:
            detail = "HubSpot does not tell this token's scopes; missing ones show when they are needed"
            yield HealthCheck("scopes", "warning", detail)
            return
        needed = needed_scopes(spec) - (provision_scopes(spec) if is_complete else set())
        missing = sorted(needed - granted)
        if missing:
            names = ", ".join(missing)
            yield HealthCheck("scopes", "problem", f"the token lacks {names}", f"tick {names} in {SCOPES_PATH}")
        else:
            yield HealthCheck("scopes", "ok", f"all {len(needed)} needed scopes are granted")

    def _granted(self) -> set[str] | None:
        token = self._api.tokens.token
        if self._api.tokens.flow == "oauth":
            answer = self._api.get(
                f"{OAUTH_TOKEN_INFO}/{token}", accept=(400, 404), template=f"{OAUTH_TOKEN_INFO}/{{}}"
            )
        else:
            answer = self._api.post(PRIVATE_APP_TOKEN_INFO, {"tokenKey": token}, accept=(400, 404, 405))
        if answer.status >= 400:
            return None
        try:
            scopes = orjson.loads(answer.data).get("scopes")
        except (orjson.JSONDecodeError, AttributeError):
            return None
        return set(scopes) if isinstance(scopes, list) else None

    # ------------------------------------------------------------------ properties

    def _properties(self, spec: SchemaSpec) -> Iterator[HealthCheck]:
        wanted: dict[str, list[str]] = {}
        for field in spec.fields:
            wanted.setdefault(field.object, []).append(field.name)
        for object_name, name in spec.readable:
            wanted.setdefault(object_name, []).append(name)
        for object_name, names in wanted.items():
            yield self._properties_of(object_name, names)

    def _properties_of(self, object_name: str, names: list[str]) -> HealthCheck:
        title = f"properties of {object_name}"
        try:
            info = self._types.describe(object_name)
        except AuthError as error:
            return HealthCheck(title, "problem", error.message, error.hint)
        if info is None:
            return HealthCheck(title, "problem", f"HubSpot has no object {object_name}", _PROVISION)
        missing = sorted(set(names) - info.fields.keys())
        if missing:
            shown = ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
            return HealthCheck(title, "problem", f"{len(missing)} missing: {shown}", _PROVISION)
        return HealthCheck(title, "ok", f"{len(names)} there")

    # ------------------------------------------------------------------ means

    def _usage(self) -> Iterator[HealthCheck]:
        """Private apps and service keys are counted together by account; OAuth apps are not told (API usage guide)."""
        if self._api.tokens.flow == "oauth":
            return
        answer = self._api.get(DAILY_USAGE, accept=(400, 403, 404))
        rows = _usage_rows(answer)
        limits = [(int(r["currentUsage"]), int(r["usageLimit"])) for r in rows if r.get("usageLimit")]
        if not limits:
            yield HealthCheck("API calls", "warning", "HubSpot did not tell how many calls are left today")
            return
        used, limit = max(limits)
        few = used >= LOW_CALLS * limit
        yield HealthCheck("API calls", "warning" if few else "ok", f"{max(0, limit - used):,} of {limit:,} left today")


def _guarded(name: str, checks: Iterator[HealthCheck]) -> Iterator[HealthCheck]:
    """A check that cannot be made is a problem of its own and does not hide the others."""
    try:
        yield from checks
    except CrmsyncError as error:
        yield HealthCheck(name, "problem", error.message, error.hint)


def _usage_rows(answer: Answer) -> list[Mapping[str, Any]]:
    if answer.status >= 400:
        return []
    try:
        body = orjson.loads(answer.data)
    except orjson.JSONDecodeError:
        return []
    rows = body.get("results") if isinstance(body, Mapping) else body
    return [row for row in rows or () if isinstance(row, Mapping)]


def _clock(answer: Answer) -> Iterator[HealthCheck]:
    if answer.at is None:
        return
    off = (datetime.now(UTC) - answer.at).total_seconds()
    if abs(off) > CLOCK_SKEW_S:
        detail = f"this machine is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} HubSpot"
        yield HealthCheck("clock", "warning", detail, "set the clock of this machine (NTP)")
    else:
        yield HealthCheck("clock", "ok", "agrees with HubSpot")


def provision_scopes(spec: SchemaSpec) -> set[str]:
    """What only ``provision`` needs."""
    return {f"crm.schemas.{_family(field.object)}.write" for field in spec.fields if field.object not in _ACTIVITIES}


def needed_scopes(spec: SchemaSpec) -> set[str]:
    """Least privilege: read what the mapping reads, write what it writes, define what ``provision`` makes."""
    written = {field.object for field in spec.fields}
    touched = written | {name for name, _ in spec.readable} | {end for label in spec.labels for end in label[:2]}
    scopes = {f"crm.objects.{_family(name)}.read" for name in touched - {OWNERS, PIPELINES}}
    scopes |= {f"crm.objects.{_family(name)}.write" for name in written}
    if any(_family(name) == "custom" for name in touched):
        scopes.add("crm.schemas.custom.read")
    return scopes | provision_scopes(spec) | {"crm.objects.owners.read"}


def _family(object_name: str) -> str:
    """Activities are guarded by the contact scopes (HubSpot's public specs); every custom object by one scope."""
    if object_name in _ACTIVITIES:
        return "contacts"
    return object_name if object_name in TYPE_IDS else "custom"
