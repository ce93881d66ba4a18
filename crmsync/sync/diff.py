"""Diff: what the rules want against what the CRM holds. Pure; write modes and the three-way merge have the last word.

Stamps (policy version, time of sync) never cause a write; they ride along with one, and nobody else's value in them
is kept.
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
from crmsync.sync.merge import Base, Standing, Verdict, is_rounding, standing, verdict
from crmsync.sync.places import place_of
from crmsync.sync.plan import Change, FieldChange
from crmsync.sync.raw import is_blank

STAMPS = ("policy_version", "synced_at")

Memory = Callable[[str, str, str], bool]
"""``(object or kind, record id, canonical field)``: something that is remembered of a field."""


def _never(_object: str, _id: str, _field: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A value that the rules would write if the mapping did not say ``suggest``."""

    decision: FieldDecision
    remote_field: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class Edited:
    """A field that holds another value than ours, and that the merge does not simply overwrite."""

    verdict: Verdict
    """``FLAG_EDIT``, ``RESTORE`` or ``FLAG_NULL``."""
    decision: FieldDecision
    target: FieldMapping
    bases: tuple[Base, ...]
    theirs: Scalar
    ours: Scalar

    @property
    def place(self) -> tuple[str, str, str]:
        """Object, record, remote field."""
        return (self.target.object, self.decision.id, self.target.remote_field)


@dataclass(slots=True)
class _Draft:
    kind: str
    record: Record
    row: RemoteRecord
    fields: dict[str, FieldChange] = field(default_factory=dict)
    stamps: dict[str, FieldChange] = field(default_factory=dict)


@dataclass(slots=True)
class Differences:
    suggestions: list[Suggestion] = field(default_factory=list)
    problems: list[ValueProblem] = field(default_factory=list)
    """Decided values that the CRM's field cannot hold."""
    edited: list[Edited] = field(default_factory=list)
    agreed: list[tuple[str, str, str, Scalar]] = field(default_factory=list)
    """What both sides hold alike, and was not remembered: object, record, remote field, raw value."""
    drafts: dict[tuple[str, str], _Draft] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Differ:
    """Compares decisions with records under one mapping. ``now`` stamps what is written."""

    mapping: CrmMapping
    directory: Path
    """The project's: places of rules are told relative to it."""
    now: datetime
    was_written: Memory
    """By object: whether crmsync ever wrote the field."""
    was_blank: Memory = _never
    """By kind: whether the field was decided before, to be blank."""

    def compare(
        self,
        decisions: Iterable[FieldDecision],
        records: Mapping[tuple[str, str], Record],
        rows: Mapping[tuple[str, str], RemoteRecord],
        bases: Mapping[tuple[str, str, str], tuple[Base, ...]],
    ) -> Differences:
        """Merge every decided field.

        :param records: canonical records by ``(kind, id)``.
        :param rows: mirror rows by ``(object, id)``.
        :param bases: what was agreed on, by object, record and remote field.
        """
        found = Differences()
        for decision in decisions:
            record = records.get((decision.kind, decision.id))
            target = self.mapping.field(decision.kind, decision.field)
            if record is None or target is None or target.mode == "read_only":
                continue
            row = rows[target.object, decision.id]
            draft = found.drafts.setdefault((target.object, decision.id), _Draft(decision.kind, record, row))
            known = bases.get((target.object, decision.id, target.remote_field), ())
            if known and target.remote_field not in row.fields:
                continue  # the CRM did not show the field: that is not a blank, and nobody's edit
            try:
                self._compare(draft, decision, target, known, found)
            except ValueProblem as problem:
                found.problems.append(ValueProblem(problem.kind, problem.field, problem.message, id=decision.id))
        return found

    def changes(self, found: Differences) -> list[Change]:
        """What makes the rows agree with the decisions, one change per record."""
        return [self._change(name, draft) for (name, _), draft in sorted(found.drafts.items()) if draft.fields]

    def restore(self, found: Differences, edited: Edited, who: str) -> None:
        """Write ours back over an edit.

        :param who: whose value goes, as the beginning of a sentence: ``Eva Klein set it to 'x' on …``.
        """
        decision, draft = edited.decision, found.drafts[edited.target.object, edited.decision.id]
        reason = f"Restored: {who}. {decision.reason}"
        draft.fields[decision.field] = self._field_change(
            decision, edited.target, edited.theirs, edited.ours, reason, rule="on_user_edit"
        )

    # -------------------------------------------------------------- one field

    def _compare(
        self,
        draft: _Draft,
        decision: FieldDecision,
        target: FieldMapping,
        bases: tuple[Base, ...],
        found: Differences,
    ) -> None:
        current = getattr(draft.record, decision.field)
        old = draft.row.fields.get(target.remote_field)
        if _same(current, decision.value):
            if decision.value not in (None, ()) or is_blank(old):  # else it only reads as blank
                self._agree(decision, target, bases, old, found)
            return
        new = self.mapping.to_remote(decision.kind, decision.field, decision.value)
        if (is_blank(old) and is_blank(new)) or _same(current, self._as_kept(decision, new)):
            self._agree(decision, target, bases, old, found)
        elif target.mode == "suggest":
            found.suggestions.append(Suggestion(decision, target.remote_field, new))
        elif decision.field in STAMPS:
            draft.stamps[decision.field] = self._field_change(decision, target, old, new, decision.reason)
        else:
            self._merge(draft, Edited(Verdict.NOTHING, decision, target, bases, old, new), found)

    def _as_kept(self, decision: FieldDecision, raw: Scalar) -> Value:
        """What the value reads as once the CRM holds it: a text may have been cut, an instant rounded."""
        return self.mapping.from_remote(decision.kind, decision.field, raw)

    def _agree(
        self,
        decision: FieldDecision,
        target: FieldMapping,
        bases: tuple[Base, ...],
        held: Scalar,
        found: Differences,
    ) -> None:
        """Remember it, unless it is remembered; two blanks that never were anything else need no memory."""
        text = target.normal(held)
        is_known = len(bases) == 1 and bases[0].text == text if bases else not text
        if target.is_written and target.remote_field and decision.field not in STAMPS and not is_known:
            found.agreed.append((target.object, decision.id, target.remote_field, held))

    def _merge(self, draft: _Draft, case: Edited, found: Differences) -> None:
        decision, target = case.decision, case.target
        theirs, ours = target.normal(case.theirs), target.normal(case.ours)
        if target.type.base == "decimal" and is_rounding(theirs, ours):
            ours = theirs
        bases = case.bases or self._blank_base(decision, theirs)
        stands = standing(bases, theirs, ours)
        said = verdict(stands, theirs, ours, mode=target.mode, on_user_edit=target.on_user_edit, on_null=target.on_null)
        if said is Verdict.WRITE:
            if target.mode == "first_sync_only" and self.was_written(target.object, decision.id, decision.field):
                return
            draft.fields[decision.field] = self._field_change(decision, target, case.theirs, case.ours, decision.reason)
        elif said is not Verdict.NOTHING:
            found.edited.append(Edited(said, decision, target, bases, case.theirs, case.ours))
        elif stands is Standing.AGREED:
            self._agree(decision, target, case.bases, case.theirs, found)

    def _blank_base(self, decision: FieldDecision, theirs: str) -> tuple[Base, ...]:
        """What nothing is remembered of was blank on both sides, if it was decided before, and to be blank."""
        was_blank = bool(theirs) and self.was_blank(decision.kind, decision.id, decision.field)
        return (Base(),) if was_blank else ()

    # -------------------------------------------------------------- what is written

    def _field_change(
        self, decision: FieldDecision, target: FieldMapping, old: Scalar, new: Scalar, reason: str, *, rule: str = ""
    ) -> FieldChange:
        where = place_of(decision.rule.span or target.span, self.directory)
        return FieldChange(decision.field, target.remote_field, old, new, reason, rule or decision.rule.name, where)

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
