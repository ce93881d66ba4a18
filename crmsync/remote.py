"""What crosses the border between a CRM and crmsync: raw records, descriptions, writes and their outcomes. Values only.

Names of objects and fields are the CRM's own; values are what its JSON holds. A mapping makes records of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

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


# ------------------------------------------------------------------ counting


@dataclass(frozen=True, slots=True)
class Bucket:
    """The live records of an object whose modified date is in ``[start, end)``; ``None`` is open on that side."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def has_whole_days(self) -> bool:
        """Whether both edges are midnights in UTC (or open)."""
        return all(edge is None or edge.timestamp() % 86_400 == 0 for edge in (self.start, self.end))


@dataclass(frozen=True, slots=True)
class Tally:
    """What a bucket holds, as the CRM or the mirror counts it. ``newest`` is ``None`` where the bucket is empty."""

    bucket: Bucket
    count: int
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one field, as the CRM's own history tells it."""

    value: Scalar
    """What the field got; ``None`` also where the CRM does not keep values (Salesforce: long texts, multi-selects)."""
    at: datetime | None
    by: str
    """A person's or program's name, as far as the CRM tells; ``""`` where it does not."""
    source: str
    """``field history``, ``last modification`` (of the whole record), or HubSpot's word for the kind of author."""
    by_id: str = ""


# ------------------------------------------------------------------ describing


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field of the CRM's describe, as *this* user sees it.

    ``type`` is one of ``text long_text number money percent bool date datetime picklist multipicklist reference id
    email phone url address json``. ``options`` are the internal values of a picklist; ``restricted`` says whether
    others are refused.
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
    calculated: bool = False
    """Worked out by the CRM (formula, roll-up): the value can change without the record's modified date."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    name: str
    label: str
    fields: Mapping[str, FieldInfo]
    custom: bool = False


# ------------------------------------------------------------------ writing


@dataclass(frozen=True, slots=True)
class WriteLink:
    """A tie to make when a record is created (HubSpot associations; in Salesforce these are fields, as Task.WhatId)."""

    to_object: str
    to_id: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """One record to write. ``ref`` is our own id of the write and comes back in its :class:`Outcome`.

    ``update`` needs ``id``. ``upsert`` needs ``key_field`` and ``key``: the record is created only if none has that
    key, however often the request is sent. Only ``fields`` are sent; ``None`` clears a field. ``delete`` needs ``id``
    and puts the record into the CRM's recycle bin; only an undo asks for it.
    """

    ref: str
    op: Literal["update", "upsert", "delete"]
    object: str
    fields: Mapping[str, Scalar]
    id: str | None = None
    key_field: str = ""
    key: str = ""
    links: tuple[WriteLink, ...] = ()
    unless_since: datetime | None = None
    """Write only if nobody changed the record after this instant, the modified date just read. Salesforce checks it,
    to the second; HubSpot has no such condition, and its connector ignores it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one write.

    ``drifted``: nothing was written, because somebody changed the record after ``unless_since``.
    ``unknown``: the CRM may or may not have acted; read back before anything else is done. ``retriable`` failures may
    be sent again unchanged, the others need a person. ``code`` and ``message`` are the vendor's, without record values.
    """

    ref: str
    status: Literal["ok", "failed", "unknown", "drifted"]
    id: str | None = None
    created: bool = False
    code: str = ""
    message: str = ""
    retriable: bool = False
    request_id: str = ""
    isolated: bool = False
    """Refused in a request that was split to find the record which spoils it: nothing is learnt by asking once more."""


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
    hidden: bool = False
    """Not for people's eyes: no layout shows it (HubSpot: a hidden property)."""
    scale: int = 0
    """Decimals of a number."""


@dataclass(frozen=True, slots=True)
class ObjectDef:
    """A custom object that crmsync needs (registrations, touches, certifications)."""

    name: str
    label: str
    plural_label: str


@dataclass(frozen=True, slots=True)
class SchemaSpec:
    """What must exist in the CRM for a mapping to work. ``readable`` adds fields that only need read access."""

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
