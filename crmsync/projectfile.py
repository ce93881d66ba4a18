"""``crmsync.yaml`` as it is written. Secrets are named here, never given: a value that looks like one is an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeAlias
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from crmsync.cron import EXAMPLE, cron_fields
from crmsync.diagnostics import Diagnostic, did_you_mean
from crmsync.yamlmodel import YamlModel, describe_value

HUBSPOT_URL = "https://api.hubapi.com"

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_DURATION = re.compile(r"([1-9][0-9]{0,5}) ?(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SECRET_SHAPES = re.compile(
    r"pat-[a-z0-9]{2,4}-|^00D\w{9,}![\w.]|-----BEGIN|^Bearer |^ey[JK][\w-]+\.[\w-]+\.|^[\w+/-]{100,}={0,2}$"
)
"""HubSpot tokens, Salesforce session ids, keys, bearer headers, JSON web tokens, and other very long runs."""


_SECRET_LINE = re.compile(r"(secret|token|password|key)[\"']?\s*:\s*[^\s{#]|[\w+/-]{60,}", re.IGNORECASE)
"""A line of the file that must not be shown: a secret may stand in it."""


def _refuse(message: str, hint: str, code: str = "E107", *, private: bool = False) -> PydanticCustomError:
    """``private``: the line of the file must not be shown, there may be a secret in it."""
    return PydanticCustomError("project", "{text}", {"text": message, "hint": hint, "code": code, "private": private})


# ------------------------------------------------------------------ secrets


class SecretRef(YamlModel):
    """Where a secret is found; several places are tried in the order env, file, keyring."""

    noun: ClassVar[str] = "a secret"

    env: str = ""
    file: str = ""
    keyring: str = ""

    @model_validator(mode="after")
    def _check(self) -> SecretRef:
        if not self.places:
            raise _refuse("the secret names no place", "write {env: NAME}, {file: PATH} or {keyring: service/name}")
        if self.env and not _ENV_NAME.fullmatch(self.env):
            raise _secret_given("'env' wants the name of a variable")
        for place in (self.file, self.keyring):
            if _SECRET_SHAPES.search(place):
                raise _secret_given("found something that looks like a secret itself")
        return self

    @property
    def places(self) -> dict[str, str]:
        """The places that are named, by kind."""
        return {kind: at for kind, at in (("env", self.env), ("file", self.file), ("keyring", self.keyring)) if at}


def _secret_given(message: str = "a secret stands in the file itself") -> PydanticCustomError:
    hint = "name where it is: {env: NAME}, {file: PATH} or {keyring: service/name}; and change the secret"
    return _refuse(message, hint, "E120", private=True)


def _no_literal(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    raise _secret_given()


def _no_token(value: str) -> str:
    if _SECRET_SHAPES.search(value):
        raise _secret_given("found something that looks like a secret")
    return value


Secret: TypeAlias = Annotated[SecretRef, BeforeValidator(_no_literal)]
Plain: TypeAlias = Annotated[str, Field(min_length=1), AfterValidator(_no_token)]
"""Text that is no secret, and does not look like one."""


class ClientCredentials(YamlModel):
    noun: ClassVar[str] = "the sign-in"
    flow: Literal["client_credentials"]
    client_id: Plain
    client_secret: Secret


class Jwt(YamlModel):
    noun: ClassVar[str] = "the sign-in"
    flow: Literal["jwt"]
    client_id: Plain
    username: Plain
    private_key: Secret
    login_domain: Literal["", "login", "test"] = ""


class AccessToken(YamlModel):
    noun: ClassVar[str] = "the sign-in"
    flow: Literal["token"]
    access_token: Secret


class HubSpotToken(YamlModel):
    noun: ClassVar[str] = "the sign-in"
    flow: Literal["token"]
    token: Secret


class OAuth(YamlModel):
    noun: ClassVar[str] = "the sign-in"
    flow: Literal["oauth"]
    client_id: Plain
    client_secret: Secret
    refresh_token: Secret


# ------------------------------------------------------------------ connections


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        raise _refuse("the address is not sound", "write https://host", "E121") from None
    if parts.username or parts.password:
        raise _refuse("the address holds a user or password", "put them under 'auth'", "E120", private=True)
    if parts.scheme not in ("https", "http") or not host:
        raise _refuse(f"found '{value}', wanted an address such as https://host", "begin with https://", "E121")
    if parts.scheme == "http" and host not in ("127.0.0.1", "localhost", "::1"):
        raise _refuse("http:// would show the token to the network", "use https://", "E121")
    return value.rstrip("/")


Url: TypeAlias = Annotated[str, AfterValidator(_url)]


class Limits(YamlModel):
    """How much of the CRM's means crmsync may use."""

    noun: ClassVar[str] = "the limits"

    api_share: float = Field(default=0.8, gt=0, le=1)
    per_run: int | None = Field(default=None, ge=1)
    per_day: int | None = Field(default=None, ge=1)
    overlap_s: int = Field(default=600, ge=0, le=86_400)


def _path(value: str) -> str:
    if "\0" in value:
        raise _refuse("a path cannot hold a NUL character", "remove it")
    return value


PathText: TypeAlias = Annotated[str, AfterValidator(_path)]


class _ConnectionEntry(YamlModel):
    noun: ClassVar[str] = "a connection"

    mapping: PathText
    api_version: str = ""
    limits: Limits = Limits()
    production: bool | None = None
    timeout_s: float = Field(default=30.0, gt=0, le=600)


class SalesforceEntry(_ConnectionEntry):
    type: Literal["salesforce"]
    url: Url
    auth: Annotated[ClientCredentials | Jwt | AccessToken, Field(discriminator="flow")]


class HubSpotEntry(_ConnectionEntry):
    type: Literal["hubspot"]
    url: Url = HUBSPOT_URL
    auth: Annotated[HubSpotToken | OAuth, Field(discriminator="flow")]


ConnectionEntry: TypeAlias = Annotated[SalesforceEntry | HubSpotEntry, Field(discriminator="type")]


def _connection_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise _refuse(f"'{value}' is no name for a connection", "use lower case letters, digits, '-' and '_'")
    return value


# ------------------------------------------------------------------ guards, schedule, intake


class FirstRun(YamlModel):
    noun: ClassVar[str] = "the first run's guards"

    max_changes: int | None = Field(default=None, ge=0)


class GuardsEntry(YamlModel):
    """What a run may not go beyond."""

    noun: ClassVar[str] = "the guards"

    max_changes: int | None = Field(default=1000, ge=0)
    max_percent: float | None = Field(default=20, ge=0, le=100)
    first_run: FirstRun = FirstRun()
    deletes: Literal["never", "undo"] = "never"


def _seconds(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        found = describe_value(value)
        raise _refuse(f"found {found}, wanted a length of time", "write a number and s, m, h or d: 15m")
    return int(match[1]) * _SECONDS[match[2]]


Duration: TypeAlias = Annotated[int, BeforeValidator(_seconds, json_schema_input_type=str | int)]


class ReconcileEntry(YamlModel):
    """How often the mirror is compared with the CRM beyond what every run counts, and how much of it each time."""

    noun: ClassVar[str] = "the reconciliation"

    share: float = Field(default=0.1, gt=0, le=1)
    every: Annotated[Duration, Field(ge=0, le=30 * 86_400)] = 3600


def _zone(name: str) -> str:
    if name != "UTC" and ("/" not in name or name not in available_timezones()):
        near = did_you_mean(name, (zone for zone in available_timezones() if "/" in zone))
        raise _refuse(f"unknown time zone '{name}'", near or "name a zone such as Europe/Berlin")
    return name


def _cron(line: str) -> str:
    from apscheduler.triggers.cron import CronTrigger

    try:
        CronTrigger(**cron_fields(line))
    except (ValueError, TypeError, KeyError) as error:
        raise _refuse(f"'{line}' is no cron line: {error}", EXAMPLE) from None
    return line


class ScheduleEntry(YamlModel):
    """When ``crmsync schedule`` syncs: at the times of a cron line, or every so often."""

    noun: ClassVar[str] = "the schedule"

    cron: Annotated[str, AfterValidator(_cron)] = ""
    every: Annotated[Duration, Field(ge=10, le=7 * 86_400)] | None = None
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    jitter: Annotated[Duration, Field(ge=0, le=3600)] = 0

    @model_validator(mode="after")
    def _check(self) -> ScheduleEntry:
        if bool(self.cron) == (self.every is not None):
            raise _refuse("the schedule needs either 'cron' or 'every'", "write one of them: every: 15m")
        return self


class IntakeEntry(YamlModel):
    """A file of registrations, touches or partners that people keep outside the CRM."""

    noun: ClassVar[str] = "an intake"

    kind: Literal["registration", "touch", "partner"]
    file: PathText
    rejects: PathText = ""


class LogEntry(YamlModel):
    noun: ClassVar[str] = "the log"

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "text"] = "auto"


class ProjectFile(YamlModel):
    """A whole project file."""

    noun: ClassVar[str] = "the project"

    version: Literal[1]
    name: Annotated[str, Field(min_length=1)]
    connections: Mapping[Annotated[str, AfterValidator(_connection_name)], ConnectionEntry] = Field(min_length=1)
    default_connection: str = ""
    policy: PathText
    store: PathText = ".crmsync"
    verify: Literal["always", "sample", "never"] = "sample"
    guards: GuardsEntry = GuardsEntry()
    plan_expires: Annotated[Duration, Field(ge=60, le=90 * 86_400)] = 86_400
    reconcile: ReconcileEntry = ReconcileEntry()
    schedule: ScheduleEntry | None = None
    intake: tuple[IntakeEntry, ...] = ()
    log: LogEntry = LogEntry()


def without_secrets(diagnostic: Diagnostic) -> Diagnostic:
    """The same, without what could be a secret that was put into the file."""
    span, message = diagnostic.span, diagnostic.message
    if span and (_SECRET_LINE.search(span.source_line) or _SECRET_SHAPES.search(span.source_line)):
        span = replace(span, source_line="")
    words = [word for word in re.findall(r"'([^']*)'", message) if _SECRET_SHAPES.search(word)]
    for word in words:
        message = message.replace(word, "…")
    return replace(diagnostic, span=span, message=message)


def inside(directory: Path, written: str) -> Path:
    """A path of the project file: relative ones start from the file's directory."""
    return directory / Path(written).expanduser()
