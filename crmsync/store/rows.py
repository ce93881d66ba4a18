"""The rows that callers hand to the store and get back from it. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as default
from datetime import datetime
from typing import Any, Literal, TypeAlias

from crmsync.remote import Scalar

WriteOp = Literal["update", "upsert", "delete"]
WriteStatus = Literal["ok", "failed", "unknown", "drifted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow:
    """What the rules want one field to be, and why. ``value`` is JSON text."""

    kind: str
    id: str
    field: str
    value: str
    code: str
    reason: str
    rule: str
    where: str
    """``file:line`` of the rule."""
    trace: list[str] = default(default_factory=list)
    evidence: list[str] = default(default_factory=list)
    policy_version: str = ""
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """A finding with its life. The stamps are the store's: what is handed in is ignored."""

    code: str
    severity: str
    kind: str
    id: str
    subject: str = ""
    message: str
    rule: str
    where: str
    evidence: list[str] = default(default_factory=list)
    label: str = ""
    """What a person calls the record."""
    detail: dict[str, Any] = default(default_factory=dict)
    """``score``, ``reasons`` and ``candidates``, where records were compared."""
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    cleared_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """One field of one write: put down before the request leaves, completed by its outcome.

    ``ref`` is the write's own id, shared by all fields of that write. ``status`` is ``None`` until an outcome is known.
    """

    run_id: str
    ref: str
    op: WriteOp
    object: str
    record_id: str
    key_field: str
    key: str
    kind: str
    label: str
    field: str
    remote_field: str
    old: Scalar
    new: Scalar
    rule: str
    where: str
    reason: str
    at: datetime | None = None
    status: WriteStatus | None = None
    code: str = ""
    message: str = ""
    request_id: str = ""
    created: bool = False
    """Whether the write made the record."""
    seq: int = default(default=0, compare=False)
    """The journal's number of the row; the store's own, what is handed in is ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRow:
    """The last value that both sides agreed on. With a ``digest``, only that is known of it, from a fingerprint."""

    object: str
    id: str
    remote_field: str
    value: Scalar
    digest: str = ""
    run_id: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRow:
    """Somebody else's value in a field of ours. ``frozen_run``: the run that froze the field; "" if it is not."""

    object: str
    id: str
    remote_field: str
    theirs: Scalar
    edited_at: datetime | None = None
    by: str = ""
    source: str = ""
    frozen_run: str = ""
    thawed_at: datetime | None = None


RejectClass = Literal["transient", "data", "permission", "permanent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectRow:
    """A write that the CRM refused, and what has to change before it is sent again.

    ``target`` is the record's id, or the key of one that is still to be made. The hashes are of the row as it was, the
    mapping, and the fields' description; when one of them changes, the write is due. ``next_at`` is for transient ones.
    """

    object: str
    target: str
    kind: str
    label: str
    reject_class: RejectClass
    code: str
    message: str
    reason: str
    fix: str
    rule: str
    where: str
    fields: tuple[str, ...]
    """The CRM's names of what was to be written."""
    first_at: datetime
    last_at: datetime
    next_at: datetime | None
    row_hash: str
    mapping_hash: str
    schema_hash: str
    run_id: str
    request_id: str = ""
    attempts: int = 1
    is_released: bool = False
    """An operator asked for another try."""
    id: int = 0
    """The store's own number; what is handed in is ignored."""


HistoryRow: TypeAlias = JournalRow
"""A journal row read back, with its run, instant and status."""
