"""The one protocol behind which a CRM stands.

A connector is told what to fetch and what to write; it decides nothing. It speaks the CRM's own object and field names and raw
JSON values; the mapping turns those into canonical records. Everything vendor-specific (paging, overlap windows, batch limits,
error shapes, retries, throttling) stays behind it. Errors leave it only as :mod:`crmsync.errors`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
"""A raw field value as the CRM's JSON has it (HubSpot: always a string or null)."""

Cursor: TypeAlias = Mapping[str, Any]
"""Where a pull stands: opaque, JSON-serialisable, made and read by the connector alone, kept by the store."""


# ------------------------------------------------------------------ reading


@dataclass(frozen=True, slots=True)
class AssociationSpec:
    """Ask for the ties of each pulled record to records of ``to_object`` (HubSpot associations)."""

    to_object: str


@dataclass(frozen=True, slots=True)
class ObjectSpec:
    """What to fetch of one CRM object: only these fields, and these ties."""

    object: str
    fields: tuple[str, ...]
    associations: tuple[AssociationSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteLink:
    """One tie of a record; ``labels`` holds every label between the two ("" is the plain, unlabelled tie)."""

    to_object: str
    to_id: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteRecord:
    """One record as the CRM holds it.

    ``links`` is the *complete* set of ties for the associations asked for, or ``None`` where none were asked for.
    ``merged_into`` names the surviving record when this one was merged away (then ``deleted`` is true as well).
    """

    id: str
    fields: Mapping[str, Scalar]
    modified_at: datetime | None = None
    deleted: bool = False
    merged_into: str | None = None
    links: tuple[RemoteLink, ...] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a pull. ``cursor`` is the state to save in the same transaction as ``records``.

    A pull that stops after any page and starts again from that page's cursor loses nothing; it may bring records twice.
    ``expected`` is the CRM's own estimate of the records of this pull, for progress; ``None`` if it gave none.
    """

    records: tuple[RemoteRecord, ...]
    cursor: Cursor
    expected: int | None = None


# ------------------------------------------------------------------ describing


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field of the CRM's describe, as *this* user sees it.

    ``type`` is one of ``text long_text number money percent bool date datetime picklist multipicklist reference id email phone
    url address json``. ``options`` are the internal values of a picklist; ``restricted`` says whether others are refused.
    """

    name: str
    label: str
    type: str
    length: int | None = None
    options: tuple[str, ...] = ()
    restricted: bool = False
    required: bool = False
    createable: bool = True
    updateable: bool = True
    custom: bool = False
    unique: bool = False
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    name: str
    label: str
    fields: Mapping[str, FieldInfo]
    custom: bool = False


# ------------------------------------------------------------------ writing


@dataclass(frozen=True, slots=True)
class WriteLink:
    """A tie to make when a record is created (HubSpot associations; Salesforce: Task.WhatId, WhoId are fields instead)."""

    to_object: str
    to_id: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """One record to write. ``ref`` is our own id of the write and comes back in its :class:`Outcome`.

    ``update`` needs ``id``. ``upsert`` needs ``key_field`` and ``key``: the record is created only if none has that key, however
    often the request is sent. Only ``fields`` are sent; ``None`` clears a field.
    """

    ref: str
    op: Literal["update", "upsert"]
    object: str
    fields: Mapping[str, Scalar]
    id: str | None = None
    key_field: str = ""
    key: str = ""
    links: tuple[WriteLink, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one write.

    ``unknown``: the CRM may or may not have acted; read back before anything else is done. ``retriable`` failures may be sent
    again unchanged, the others need a person. ``code`` and ``message`` are the vendor's, without record values.
    """

    ref: str
    status: Literal["ok", "failed", "unknown"]
    id: str | None = None
    created: bool = False
    code: str = ""
    message: str = ""
    retriable: bool = False
    request_id: str = ""


# ------------------------------------------------------------------ schema


@dataclass(frozen=True, slots=True)
class FieldDef:
    """A field that crmsync needs. ``type`` uses the words of :class:`FieldInfo`; ``reference`` needs ``references``."""

    object: str
    name: str
    label: str
    type: str
    length: int | None = None
    options: tuple[str, ...] = ()
    references: str = ""
    unique: bool = False
    help: str = ""


@dataclass(frozen=True, slots=True)
class ObjectDef:
    """A custom object that crmsync needs (registrations, touches, certifications)."""

    name: str
    label: str
    plural_label: str


@dataclass(frozen=True, slots=True)
class SchemaSpec:
    """Everything that must exist in the CRM for a mapping to work. ``readable`` adds fields that only need read access."""

    objects: tuple[ObjectDef, ...] = ()
    fields: tuple[FieldDef, ...] = ()
    readable: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str, str], ...] = ()
    """Association labels to exist: (from object, to object, label). Salesforce has none."""


@dataclass(frozen=True, slots=True)
class ProvisionStep:
    """One thing that provisioning found or did."""

    action: Literal["exists", "create", "update", "grant", "blocked"]
    what: str
    detail: str = ""

    @property
    def is_change(self) -> bool:
        return self.action in ("create", "update", "grant")


# ------------------------------------------------------------------ health and means


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One line of ``crmsync doctor``. ``fix`` is the command or the click path that mends it."""

    name: str
    status: Literal["ok", "warning", "problem"]
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class ApiBudget:
    """API calls: made by this connector, allowed per day, left today (``None`` where the CRM did not say)."""

    used: int = 0
    limit: int | None = None
    remaining: int | None = None


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """What a connector is built from. ``secrets`` are resolved values and are never logged, stored or shown.

    ``auth`` names the flow and its non-secret parts (``flow``, ``username``, ``client_id``…); the secret parts come by the same key
    names in ``secrets``. ``api_share`` is the fraction of the day's API calls that crmsync may leave the org with none below:
    0.8 means "stop when 80 % of the daily quota is used, by whomever".
    """

    name: str
    system: str
    url: str
    auth: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_version: str = ""
    api_share: float = 0.8
    timeout_s: float = 30.0
    overlap_s: int = 600


class Connector(Protocol):
    """A CRM. Not thread-safe; one per run."""

    system: str
    batch_size: int
    """How many writes :meth:`push` takes at most in one call."""

    def describe(self, object_name: str) -> ObjectInfo | None:
        """The object's fields as the signed-in user sees them; ``None`` if there is no such object. Cached per connector."""
        ...

    def pull(self, spec: ObjectSpec, cursor: Cursor | None) -> Iterator[Page]:
        """Everything that changed since ``cursor`` (``None``: everything), deletes and merges included, in pages."""
        ...

    def read(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, RemoteRecord]:
        """Current values by id, straight from the record (never from a search index). Missing ids are left out."""
        ...

    def find(self, object_name: str, key_field: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Record ids by the value of a unique key field, consistent with writes already acknowledged."""
        ...

    def push(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """Write up to ``batch_size`` records of **one** object and op in one exchange; one outcome per write, in order.

        Raises only where nothing was sent (sign-in, quota); everything after that is an outcome.
        """
        ...

    def count(self, object_name: str) -> int:
        """How many live records the object has, by one cheap query."""
        ...

    def ids(self, object_name: str) -> Iterator[str]:
        """The ids of all live records: the sweep that finds what no delete log tells."""
        ...

    def provision(self, spec: SchemaSpec, *, apply: bool) -> Sequence[ProvisionStep]:
        """Make what ``spec`` asks for and is missing (or only say so, without ``apply``). Idempotent."""
        ...

    def check(self, spec: SchemaSpec) -> Sequence[HealthCheck]:
        """Sign-in, scopes, field permissions, API calls left, clock."""
        ...

    def record_url(self, object_name: str, record_id: str) -> str:
        """Where a person looks at the record."""
        ...

    def budget(self) -> ApiBudget: ...

    def close(self) -> None: ...
