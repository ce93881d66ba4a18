"""Diff: what the rules want against what the CRM holds. Pure; the mapping's write modes have the last word.

Stamps (policy version, time of sync) never cause a write; they ride along with one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from crmsync.mappings import FieldMapping, ValueProblem
from crmsync.mappings import Mapping as CrmMapping
from crmsync.records import Record, Value
from crmsync.remote import RemoteRecord, Scalar
from crmsync.rules import FieldDecision
from crmsync.sync.places import place_of
from crmsync.sync.plan import Change, FieldChange
from crmsync.sync.raw import is_blank

STAMPS = ("policy_version", "synced_at")

WasWritten = Callable[[str, str, str], bool]
"""``(object, record id, canonical field)``: whether crmsync ever wrote that field."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A value that the rules would write if the mapping did not say ``suggest``."""

    decision: FieldDecision
    remote_field: str
    value: Scalar


@dataclass(slots=True)
class Differences:
    changes: list[Change] = field(default_factory=list)
    suggestions: list[Suggestion] = field(default_factory=list)
    problems: list[ValueProblem] = field(default_factory=list)
    """Decided values that the CRM's field cannot hold."""


@dataclass(slots=True)
class _Draft:
    kind: str
    record: Record
    row: RemoteRecord
    fields: dict[str, FieldChange] = field(default_factory=dict)
    stamps: dict[str, FieldChange] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Differ:
    """Compares decisions with records under one mapping. ``now`` stamps what is written."""

    mapping: CrmMapping
    directory: Path
    """The project's: places of rules are told relative to it."""
    now: datetime
    was_written: WasWritten

    def diff(
        self,
        decisions: Iterable[FieldDecision],
        records: Mapping[tuple[str, str], Record],
        rows: Mapping[tuple[str, str], RemoteRecord],
    ) -> Differences:
        """What makes the rows agree with the decisions.

        :param records: canonical records by ``(kind, id)``.
        :param rows: mirror rows by ``(object, id)``.
        """
        drafts: dict[tuple[str, str], _Draft] = {}
        found = Differences()
        for decision in decisions:
            record = records.get((decision.kind, decision.id))
            target = self.mapping.field(decision.kind, decision.field)
            if record is None or target is None:
                continue
            row = rows[target.object, decision.id]
            draft = drafts.setdefault((target.object, decision.id), _Draft(decision.kind, record, row))
            try:
                self._compare(draft, decision, target, found)
            except ValueProblem as problem:
                found.problems.append(ValueProblem(problem.kind, problem.field, problem.message, id=decision.id))
        found.changes = [self._change(name, draft) for (name, _), draft in sorted(drafts.items()) if draft.fields]
        return found

    def _compare(self, draft: _Draft, decision: FieldDecision, target: FieldMapping, found: Differences) -> None:
        current = getattr(draft.record, decision.field)
        if target.mode == "read_only" or _same(current, decision.value):
            return
        old = draft.row.fields.get(target.remote_field)
        new = self.mapping.to_remote(decision.kind, decision.field, decision.value)
        if (is_blank(old) and is_blank(new)) or _same(current, self._as_kept(decision, new)):
            return
        if target.mode == "suggest":
            found.suggestions.append(Suggestion(decision, target.remote_field, new))
            return
        if not self._may_write(decision, target, old):
            return
        where = place_of(decision.rule.span or target.span, self.directory)
        change = FieldChange(decision.field, target.remote_field, old, new, decision.reason, decision.rule.name, where)
        (draft.stamps if decision.field in STAMPS else draft.fields)[decision.field] = change

    def _as_kept(self, decision: FieldDecision, raw: Scalar) -> Value:
        """What the value reads as once the CRM holds it: a text may have been cut, an instant rounded."""
        return self.mapping.from_remote(decision.kind, decision.field, raw)

    def _may_write(self, decision: FieldDecision, target: FieldMapping, old: Scalar) -> bool:
        if target.mode == "first_sync_only":
            return is_blank(old) and not self.was_written(target.object, decision.id, decision.field)
        return target.mode == "engine_owned" or is_blank(old)

    def _change(self, object_name: str, draft: _Draft) -> Change:
        stamps = [*draft.stamps.values(), *self._synced_at(draft)]
        return Change(
            op="update",
            kind=draft.kind,
            object=object_name,
            label=label_of(draft.record),
            fields=tuple(sorted([*draft.fields.values(), *stamps], key=lambda change: change.field)),
            id=draft.row.id,
        )

    def _synced_at(self, draft: _Draft) -> list[FieldChange]:
        target = self.mapping.field(draft.kind, "synced_at")
        if target is None or target.mode != "engine_owned":
            return []
        old = draft.row.fields.get(target.remote_field)
        new = self.mapping.to_remote(draft.kind, "synced_at", self.now)
        reason = "Stamped because other fields of this record change."
        return [
            FieldChange(
                "synced_at", target.remote_field, old, new, reason, "stamp", place_of(target.span, self.directory)
            )
        ]


def label_of(record: Record) -> str:
    """What a person calls the record."""
    names = ("number", "name", "email", "last_name")
    return next((str(value) for name in names if (value := getattr(record, name, None))), record.id)


def _same(current: Value, wanted: Value) -> bool:
    if isinstance(current, tuple) and isinstance(wanted, tuple):
        return sorted(current) == sorted(wanted)
    return current == wanted or (current in (None, ()) and wanted in (None, ()))
