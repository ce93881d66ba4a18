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


HistoryRow: TypeAlias = JournalRow
"""A journal row read back, with its run, instant and status."""
