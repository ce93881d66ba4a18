"""The one protocol behind which a CRM stands.

A connector is told what to fetch and what to write; it decides nothing. It speaks the CRM's own object and field
names and raw JSON values. Everything vendor-specific (paging, overlap windows, batch limits, error shapes, retries,
throttling) stays behind it. Errors leave it only as :mod:`crmsync.errors`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from crmsync.remote import (
    ApiBudget,
    Bucket,
    Cursor,
    Edit,
    HealthCheck,
    ObjectInfo,
    ObjectSpec,
    Outcome,
    Page,
    ProvisionStep,
    RemoteLink,
    RemoteRecord,
    SchemaSpec,
    Tally,
    Write,
)


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """What a connector is built from. ``secrets`` are resolved values and are never logged, stored or shown.

    ``auth`` names the flow and its non-secret parts (``flow``, ``username``, ``client_id``…); the secret parts come by
    the same key names in ``secrets``. ``api_share`` is how much of the day's API calls may be used up, by whomever,
    before crmsync stops: 0.8 leaves the last fifth to others.
    """

    name: str
    system: str
    url: str
    auth: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    api_version: str = ""
    api_share: float = 0.8
    most_calls: int | None = None
    """Requests that this connector may make at most."""
    timeout_s: float = 30.0
    overlap_s: int = 600


class Connector(Protocol):
    """A CRM. Not thread-safe; one per run."""

    system: str
    batch_size: int
    """How many writes :meth:`push` takes at most in one call."""
    counts_are_current: bool
    """Whether :meth:`count` sees every committed write at once (a search index lags behind)."""
    tallies_at_once: bool
    """Whether one call of :meth:`tally` costs the same for all buckets as for one."""

    def describe(self, object_name: str) -> ObjectInfo | None:
        """The object's fields as the signed-in user sees them; ``None`` if there is no such object. Cached."""
        ...

    def pull(self, spec: ObjectSpec, cursor: Cursor | None) -> Iterator[Page]:
        """Everything that changed since ``cursor`` (``None``: everything), deletes and merges included, in pages."""
        ...

    def read(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, RemoteRecord]:
        """Current values by id, straight from the record (never from a search index). Missing ids are left out."""
        ...

    def edits(
        self, object_name: str, ids: Sequence[str], fields: Sequence[str]
    ) -> Mapping[tuple[str, str], Sequence[Edit]]:
        """By record id and field, who changed it when, newest first; what the CRM cannot tell is left out.

        Salesforce: field history where it is tracked, else the record's last modification. HubSpot: property history.
        """
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

    def known_until(self, cursor: Cursor) -> datetime | None:
        """The CRM's clock before which a finished pull with this cursor has seen every change; ``None``: not told."""
        ...

    def is_dated(self, object_name: str) -> bool:
        """Whether its records have a modified date that :meth:`tally` and :meth:`stamps` can go by."""
        ...

    def tally(self, object_name: str, buckets: Sequence[Bucket]) -> Sequence[Tally]:
        """Count live records by modified date; buckets that cannot be told apart come back as one.

        ``buckets`` follow each other without gaps.
        """
        ...

    def stamps(self, object_name: str, bucket: Bucket) -> Iterator[tuple[str, datetime | None]]:
        """Ids and modified dates of the live records in a bucket."""
        ...

    def fetch(self, spec: ObjectSpec, ids: Sequence[str]) -> Sequence[RemoteRecord]:
        """Whole records by id as a pull brings them, ties included, never from a search index; without the missing."""
        ...

    def quiet_fields(self, spec: ObjectSpec) -> Sequence[str]:
        """Fields of ``spec`` whose values can change without the record's modified date (formulas, roll-ups)."""
        ...

    def ties(self, spec: ObjectSpec, ids: Sequence[str]) -> Mapping[str, tuple[RemoteLink, ...]]:
        """All ties of these records for the associations of ``spec``, which may change without a modified date."""
        ...

    def provision(self, spec: SchemaSpec, *, apply: bool) -> Sequence[ProvisionStep]:
        """Make what ``spec`` asks for and is missing (or only say so, without ``apply``). Idempotent."""
        ...

    def check(self, spec: SchemaSpec) -> Sequence[HealthCheck]:
        """Sign-in, scopes, field permissions, API calls left, clock."""
        ...

    def is_production(self) -> bool | None:
        """Whether the CRM says of itself that it is no sandbox; ``None``: it does not say. One request, not cached."""
        ...

    def record_url(self, object_name: str, record_id: str) -> str:
        """Where a person looks at the record."""
        ...

    def budget(self) -> ApiBudget: ...

    def close(self) -> None: ...
