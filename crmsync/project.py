"""The project: connections, policy, store, guards, schedule, intake. Where secrets come from, never the secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from crmsync.diagnostics import Diagnostic, Span, did_you_mean
from crmsync.errors import ConfigError, UsageError
from crmsync.projectfile import (
    IntakeEntry,
    LogEntry,
    ProjectFile,
    ReconcileEntry,
    ScheduleEntry,
    SecretRef,
    inside,
    without_secrets,
)
from crmsync.starter import starter_dir, write_starter
from crmsync.yamlpos import Document, YamlPath, load_yaml, sort_diagnostics, validate
from crmsync.yamlschema import draft7

__all__ = [
    "Connection",
    "Guards",
    "Intake",
    "Project",
    "Schedule",
    "find_project",
    "load_project",
    "project_json_schema",
    "starter_dir",
    "write_starter",
]

FILE_NAME = "crmsync.yaml"

AUTH_KEYS = frozenset({"flow", "client_id", "username", "login_domain"})
"""What of a sign-in is no secret."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One CRM of the project. ``secrets`` names places: ``{"client_secret": {"env": "SF_CLIENT_SECRET"}}``."""

    name: str
    system: str
    url: str
    auth: Mapping[str, str]
    secrets: Mapping[str, Mapping[str, str]]
    mapping: Path
    api_version: str
    api_share: float
    calls_per_run: int | None
    calls_per_day: int | None
    """API calls of ours; ``None`` is no limit."""
    is_production: bool | None
    """Whether writing needs to be confirmed once, by name; ``None``: where the CRM says that it is no sandbox."""
    overlap_s: int
    timeout_s: float
    directory: Path
    """Where relative paths, those of secret files too, start from."""
    span: Span = field(repr=False, compare=False)


class Guards(BaseModel):
    """What a run may not go beyond; ``None`` is no limit."""

    model_config = ConfigDict(frozen=True)

    max_changes: int | None = 1000
    max_percent: float | None = 20
    first_run_max_changes: int | None = None
    deletes: Literal["never", "undo"] = "never"
    """``undo``: taking a run back may remove what that run created."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Either a cron line or an interval. ``jitter_s`` spreads starts, so that not all the world syncs on the hour."""

    cron: str
    every_s: int | None
    timezone: str
    jitter_s: int


@dataclass(frozen=True, slots=True)
class Intake:
    """One intake file, and where its bad rows go (``None``: nowhere)."""

    kind: Literal["registration", "touch", "partner"]
    file: Path
    rejects: Path | None


@dataclass(frozen=True, slots=True)
class Project:
    """A loaded ``crmsync.yaml``; every path is resolved against its directory."""

    path: Path
    name: str
    connections: Mapping[str, Connection]
    default_connection: str
    policy: Path
    store: Path
    guards: Guards
    verify: Literal["always", "sample", "never"]
    """How many acknowledged writes are read back."""
    plan_expires_s: int
    """How long a saved plan can be applied."""
    reconcile: ReconcileEntry
    schedule: Schedule | None
    intake: tuple[Intake, ...]
    log: LogEntry

    @property
    def directory(self) -> Path:
        return self.path.parent

    def connection(self, name: str | None = None) -> Connection:
        """The connection of that name; without a name the default one, else the first.

        :raises UsageError: for a name that no connection has.
        """
        wanted = name or self.default_connection or next(iter(self.connections))
        found = self.connections.get(wanted)
        if found is None:
            known = ", ".join(self.connections)
            hint = did_you_mean(wanted, self.connections) or f"connections of this project: {known}"
            raise UsageError(f"no connection '{wanted}' in {self.path.name}", hint=hint)
        return found

    def store_path(self, connection: str) -> Path:
        """The SQLite file of a connection."""
        return self.store / f"{connection}.db"


def find_project(path: Path | str | None = None) -> Path:
    """The project file: the one given (a file, or the directory it is in), else the nearest from here upward.

    :raises UsageError: when there is none.
    """
    if path is not None:
        given = Path(path).expanduser()
        found = given / FILE_NAME if given.is_dir() else given
        if found.is_file():
            return found
        raise UsageError(f"no project file at '{found}'", hint="write one with `crmsync init`, or give --project PATH")
    here = Path.cwd()
    for directory in (here, *here.parents):
        if (directory / FILE_NAME).is_file():
            return directory / FILE_NAME
    raise UsageError(
        f"no {FILE_NAME} here or in a directory above", hint="write one with `crmsync init`, or give --project PATH"
    )


def load_project(path: Path | str | None = None) -> Project:
    """Read the project file.

    :raises UsageError: when there is none.
    :raises ConfigError: with all its problems.
    """
    try:
        document = load_yaml(find_project(path))
        return _build(validate(document, ProjectFile), document)
    except ConfigError as error:
        raise ConfigError([without_secrets(diagnostic) for diagnostic in error.diagnostics]) from None


def project_json_schema() -> dict[str, Any]:
    """JSON Schema (draft 7) of ``crmsync.yaml``, for editors."""
    return draft7(ProjectFile, "crmsync project")


def _build(file: ProjectFile, document: Document) -> Project:
    path = Path(document.path)
    directory = path.parent
    if problems := _check(file, document, directory):
        raise ConfigError(sort_diagnostics(problems))
    guards = file.guards
    return Project(
        path=path,
        name=file.name,
        connections=MappingProxyType({n: _connection(n, file, document, directory) for n in file.connections}),
        default_connection=file.default_connection,
        policy=inside(directory, file.policy),
        store=inside(directory, file.store),
        guards=Guards(
            max_changes=guards.max_changes,
            max_percent=guards.max_percent,
            first_run_max_changes=guards.first_run.max_changes,
            deletes=guards.deletes,
        ),
        verify=file.verify,
        reconcile=file.reconcile,
        plan_expires_s=file.plan_expires,
        schedule=_schedule(file.schedule) if file.schedule else None,
        intake=tuple(_intake(entry, directory) for entry in file.intake),
        log=file.log,
    )


def _check(file: ProjectFile, document: Document, directory: Path) -> list[Diagnostic]:
    problems = []
    if file.default_connection and file.default_connection not in file.connections:
        hint = did_you_mean(file.default_connection, file.connections) or f"known: {', '.join(file.connections)}"
        span = document.span(("default_connection",))
        problems.append(Diagnostic("E122", f"unknown connection '{file.default_connection}'", span, hint))
    named: list[tuple[YamlPath, str]] = [(("policy",), file.policy)]
    named += [(("connections", name, "mapping"), entry.mapping) for name, entry in file.connections.items()]
    for place, written in named:
        path = inside(directory, written)
        if not (path.is_file() or (place == ("policy",) and path.is_dir())):
            hint = _near_file(inside(directory, written)) or "paths start from the directory of this file"
            problems.append(Diagnostic("E123", f"no file '{written}'", document.span(place), hint))
    return problems


def _near_file(missing: Path) -> str:
    if not missing.parent.is_dir():
        return ""
    return did_you_mean(missing.name, sorted(entry.name for entry in missing.parent.iterdir()))


def _connection(name: str, file: ProjectFile, document: Document, directory: Path) -> Connection:
    entry = file.connections[name]
    given = {key: getattr(entry.auth, key) for key in type(entry.auth).model_fields}
    return Connection(
        name=name,
        system=entry.type,
        url=entry.url,
        auth=MappingProxyType({key: value for key, value in given.items() if key in AUTH_KEYS and value}),
        secrets=MappingProxyType({key: ref.places for key, ref in given.items() if isinstance(ref, SecretRef)}),
        mapping=inside(directory, entry.mapping),
        api_version=entry.api_version,
        api_share=entry.limits.api_share,
        calls_per_run=entry.limits.per_run,
        calls_per_day=entry.limits.per_day,
        is_production=entry.production,
        overlap_s=entry.limits.overlap_s,
        timeout_s=entry.timeout_s,
        directory=directory,
        span=document.key_span(("connections", name)),
    )


def _schedule(entry: ScheduleEntry) -> Schedule:
    return Schedule(entry.cron, entry.every, entry.timezone, entry.jitter)


def _intake(entry: IntakeEntry, directory: Path) -> Intake:
    rejects = inside(directory, entry.rejects) if entry.rejects else None
    return Intake(entry.kind, inside(directory, entry.file), rejects)
