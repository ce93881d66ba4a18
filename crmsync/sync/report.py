"""What a run tells: the numbers and lists that the command line, the log and the store show."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from crmsync.remote import ApiBudget, Scalar


@dataclass(frozen=True, slots=True)
class Completeness:
    """The certificate of one object: what the CRM has, what the mirror has, and what was done about the difference.

    ``missing``, ``stale`` and ``surplus`` are what is still open after mending; ``healed`` is what was mended. Records
    that were changed while the run was already under way are in none of them. ``calls`` are API calls.
    """

    object: str
    remote: int
    mirror: int
    missing: int = 0
    stale: int = 0
    surplus: int = 0
    healed: int = 0
    quiet: int = 0
    """Of those healed: values that changed without the record's modified date (formulas, ties)."""
    buckets: int = 0
    checked: int = 0
    """How many of the buckets were compared record by record in this run; 0 of 0 where the object has no dates."""
    calls: int = 0
    at: datetime | None = None
    proof: str = ""
    """A short hash over what the CRM counted and listed."""

    @property
    def difference(self) -> int:
        return self.remote - self.mirror

    @property
    def is_complete(self) -> bool:
        return not (self.difference or self.missing or self.stale or self.surplus)


@dataclass(slots=True)
class Matching:
    """What comparing records cost and gave in a run."""

    indexed: int = 0
    """Records that were new or had changed."""
    compared: int = 0
    """Pairs scored."""
    alike: int = 0
    """Records whose pairs are not what they were."""
    shared_keys: int = 0
    """Keys that too many records share to tell anything; nobody was compared for them."""
    left_out: int = 0
    """Candidates beyond the limit for one record."""


@dataclass(frozen=True, slots=True)
class WriteFailure:
    """A record that the CRM refused, or whose fields a person changed since the plan was made (``drifted``)."""

    object: str
    record_id: str
    label: str
    status: Literal["failed", "unknown", "drifted", "altered"]
    code: str
    message: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Overwritten:
    """Somebody's edit that fell between our last look and our write: what is gone, whose it was, and when."""

    object: str
    record_id: str
    label: str
    field: str
    lost: Scalar
    ours: Scalar
    by: str
    at: datetime | None
    source: str


@dataclass(slots=True)
class RunReport:
    """One run, as it is stored and shown."""

    run_id: str
    connection: str
    system: str
    mode: Literal["plan", "sync", "apply", "certify", "undo"]
    started_at: datetime
    finished_at: datetime | None = None
    status: Literal["running", "ok", "partial", "failed"] = "running"
    policy_version: str = ""
    config_hash: str = ""
    """Of mapping and policy."""
    pulled: dict[str, int] = field(default_factory=dict)
    """Records read, by object."""
    changed: dict[str, int] = field(default_factory=dict)
    """Of those, how many differ from the mirror."""
    decided: int = 0
    """Neighbourhoods decided."""
    planned_records: int = 0
    planned_fields: int = 0
    written: int = 0
    created: int = 0
    deleted: int = 0
    """Records of our own making that an undo removed."""
    tasks: int = 0
    held: int = 0
    """Fields not written because an undo took this very value back."""
    undoes: str = ""
    """The run that this one takes back."""
    skipped: int = 0
    """Writes left out because somebody changed the record meanwhile."""
    rounds: int = 0
    """How often such records were read, decided and written again within the run."""
    failed: int = 0
    findings_opened: int = 0
    findings_cleared: int = 0
    findings_open: int = 0
    rejects: int = 0
    """Intake rows refused."""
    completeness: list[Completeness] = field(default_factory=list)
    matching: Matching = field(default_factory=Matching)
    waiting: int = 0
    """Refused before, and not sent: nothing changed that these writes wait for."""
    altered: list[WriteFailure] = field(default_factory=list)
    """Written, and then the CRM itself made something else of a value."""
    overwritten: list[Overwritten] = field(default_factory=list)
    """Edits lost in the gap of one request, by the CRM's own history."""
    failures: list[WriteFailure] = field(default_factory=list)
    drifts: list[WriteFailure] = field(default_factory=list)
    """Records that somebody changed meanwhile and that were decided again in the same run."""
    api: ApiBudget = field(default_factory=ApiBudget)
    error: str = ""


class Progress(Protocol):
    """Where long work says how far it is. ``total`` is ``None`` while unknown."""

    def step(self, name: str, done: int, total: int | None = None, *, detail: str = "") -> None: ...

    def note(self, text: str) -> None:
        """One line worth keeping (a skipped record, a healed difference)."""
        ...


class Silent:
    """Progress for scripts and tests: says nothing."""

    def step(self, name: str, done: int, total: int | None = None, *, detail: str = "") -> None: ...

    def note(self, text: str) -> None: ...
