"""The plan: every write that a run would make, frozen, with a digest. ``apply`` does exactly this, or refuses.

A plan is a value: same mirror, same policy, same ``now`` give the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

import orjson

from crmsync.remote import Scalar

LINK = "link"
"""The journal's field name for a tie; its remote field is the object (and label) tied to, its value the id."""

FINGERPRINT = "fingerprint"
"""The field name of the fingerprint in plans and in the journal: a stamp, which no kind has as a field."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field, old to new (raw values). ``rule`` names the statement of policy or mapping that decided."""

    field: str
    """Canonical name."""
    remote_field: str
    old: Scalar
    new: Scalar
    reason: str
    rule: str
    where: str
    """``file:line`` of the rule."""


@dataclass(frozen=True, slots=True)
class Change:
    """All changes of one record: an update, an upsert by key of a new registration or task, or (in an undo only) the
    removal of a record that crmsync made."""

    op: Literal["update", "upsert", "delete"]
    kind: str
    object: str
    label: str
    """What a person calls the record: its name or number."""
    fields: tuple[FieldChange, ...]
    id: str | None = None
    key_field: str = ""
    key: str = ""
    links: tuple[tuple[str, str, str], ...] = ()
    """Ties to make on creation: (object, id, label)."""
    about: tuple[str, str] | None = None
    """The record that a task is about: (object, id)."""

    @property
    def place(self) -> tuple[str, str] | None:
        """The record whose decision asked for this, as (object, id); ``None`` for one that is not there yet."""
        return (self.object, self.id) if self.id else self.about


@dataclass(frozen=True, slots=True)
class Plan:
    connection: str
    system: str
    made_at: datetime
    policy_version: str
    config_hash: str
    changes: tuple[Change, ...]
    undoes: str = ""
    """The run that this plan takes back; "" for a plan of what the rules want."""

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of the plan's content."""
        return hashlib.sha256(plan_to_json(self)).hexdigest()

    @property
    def id(self) -> str:
        return f"p-{self.digest[:8]}"

    @property
    def field_count(self) -> int:
        return sum(len(change.fields) for change in self.changes)


def plan_to_json(plan: Plan) -> bytes:
    """The canonical JSON of a plan (sorted keys, no spaces); the digest is taken over exactly these bytes."""
    content = asdict(plan)
    if not plan.undoes:
        del content["undoes"]
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
