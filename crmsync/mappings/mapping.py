"""The compiled mapping: reads CRM records into canonical ones, says canonical values in the CRM's words. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import Any, TypeAlias

from crmsync.diagnostics import Span
from crmsync.mappings.fields import FieldMapping, ReadResult, ReadValue, Tie, ValueProblem
from crmsync.mappings.model import LinkEntry, MappingFile, Where
from crmsync.mappings.tasks import TaskMapping
from crmsync.mappings.values import as_text
from crmsync.mappings.vocabulary import STAMPS
from crmsync.records import KINDS, FieldType, Link, Record, Value
from crmsync.remote import AssociationSpec, ObjectSpec, RemoteLink, RemoteRecord, Scalar, SchemaSpec
from crmsync.yamlpos import Document


@dataclass(frozen=True, slots=True)
class KindMapping:
    """One canonical kind: its object, which records of it are meant, its fields."""

    kind: str
    object: str
    where: Where | None
    key: str
    title: str
    fields: MappingABC[str, FieldMapping]
    span: Span
    fingerprint: str = ""
    """The CRM field that says what was last written to the record; empty where there is none."""

    def matches(self, fields: MappingABC[str, Scalar]) -> bool:
        """Whether a record of the object is of this kind."""
        if self.where is None:
            return True
        raw = as_text(fields.get(self.where.field)).strip()
        if self.where.filled is not None and self.where.filled != bool(raw):
            return False
        if self.where.not_in is not None and raw in self.where.not_in:
            return False
        return self.where.in_ is None or raw in self.where.in_


@dataclass(frozen=True, slots=True)
class LinkMapping:
    name: str
    entry: LinkEntry
    span: Span

    @property
    def object(self) -> str:
        """The object whose records carry the tie."""
        return self.entry.object or self.entry.from_


_Step: TypeAlias = tuple[str, str, ReadValue]
"""Canonical name, key of the raw value, reader."""


@dataclass(slots=True)
class _Plan:
    """How the rows of one kind are read: flat tuples, because this runs for every field of every record."""

    mapping: KindMapping
    simple: list[_Step] = field(default_factory=list)
    extra: list[_Step] = field(default_factory=list)
    joined: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Fields read from several CRM fields: a key that no CRM field has, and the fields."""
    tied: list[tuple[FieldMapping, Tie]] = field(default_factory=list)
    defaults: dict[str, Value] = field(default_factory=dict)
    extra_defaults: dict[str, Value] = field(default_factory=dict)


class Mapping:
    """One CRM's mapping, checked and compiled. Made by :func:`~crmsync.mappings.load.load_mapping`."""

    def __init__(
        self,
        file: MappingFile,
        kinds: MappingABC[str, KindMapping],
        links: Iterable[LinkMapping],
        task: TaskMapping | None,
        document: Document,
    ) -> None:
        self.system: str = file.system
        self.file = file
        self.freeze_after = file.freeze_after
        self.document = document
        self.kind_mappings = MappingProxyType(dict(kinds))
        self.links = tuple(links)
        self.task = task
        self._plans: dict[str, list[_Plan]] = {}
        for kind in self.kind_mappings.values():
            self._plans.setdefault(kind.object, []).append(_build_plan(kind))
        self._links_of: dict[str, list[LinkMapping]] = {}
        for link in self.links:
            self._links_of.setdefault(link.object, []).append(link)

    # -------------------------------------------------------------- what there is

    @property
    def kinds(self) -> tuple[str, ...]:
        """The canonical kinds that are mapped."""
        return tuple(self.kind_mappings)

    def object_of(self, kind: str) -> str:
        """The CRM object that a kind lives in.

        :raises KeyError: for a kind that is not mapped.
        """
        return self.kind_mappings[kind].object

    def field(self, kind: str, name: str) -> FieldMapping | None:
        """One field's mapping, ``None`` if the kind or the field is not mapped."""
        mapped = self.kind_mappings.get(kind)
        return mapped.fields.get(name) if mapped else None

    def written(self, kind: str) -> tuple[FieldMapping, ...]:
        """The fields that crmsync may write."""
        mapped = self.kind_mappings.get(kind)
        return tuple(f for f in mapped.fields.values() if f.is_written) if mapped else ()

    @cached_property
    def _kept(self) -> MappingABC[str, MappingABC[str, FieldMapping]]:
        kept: dict[str, dict[str, FieldMapping]] = {name: {} for name in self._plans}
        for kind in self.kinds:
            fields = [mapped for mapped in self.written(kind) if mapped.field not in STAMPS]
            kept[self.object_of(kind)].update({mapped.remote_field: mapped for mapped in fields})
        return kept

    def kept_fields(self, object_name: str) -> MappingABC[str, FieldMapping]:
        """The fields of an object whose last agreed value is remembered, by the CRM's name: written, and no stamps."""
        return self._kept.get(object_name, {})

    def is_contended(self, object_name: str, remote_fields: Iterable[str]) -> bool:
        """Whether a write to these CRM fields must be conditional, where the CRM can do that."""
        kept = self.kept_fields(object_name)
        return any(name in kept and kept[name].contended for name in remote_fields)

    def fingerprint_field(self, object_name: str) -> str:
        """The CRM field that holds the fingerprint of the object's records; ``""`` where there is none."""
        names = (plan.mapping.fingerprint for plan in self._plans.get(object_name, ()))
        return next(filter(None, names), "")

    def extra_types(self, kind: str) -> MappingABC[str, FieldType]:
        """The admin's own fields, by name."""
        return {name: f.type for name, f in self.kind_mappings[kind].fields.items() if f.is_extra}

    def key_field(self, kind: str) -> str:
        """The CRM field by which new records of a kind (or ``task``) are created once; ``""`` where there is none."""
        if kind == "task":
            return self.task.key_field if self.task else ""
        mapped = self.kind_mappings.get(kind)
        key = mapped.fields.get(mapped.key) if mapped else None
        return key.remote_field if key else ""

    def title_field(self, kind: str) -> str:
        """The CRM field that new records need a name in, and get their key as; ``""`` where the key is enough."""
        mapped = self.kind_mappings.get(kind)
        return mapped.title if mapped else ""

    @cached_property
    def _objects(self) -> tuple[ObjectSpec, ...]:
        names = list(dict.fromkeys([*self._plans, *self._links_of]))
        return tuple(self._object_spec(name) for name in names)

    def objects(self) -> tuple[ObjectSpec, ...]:
        """What to fetch: each CRM object once, with every field that anything reads from it."""
        return self._objects

    def _object_spec(self, name: str) -> ObjectSpec:
        fields: set[str] = set()
        ties: set[str] = set()
        for plan in self._plans.get(name, ()):
            for mapped in plan.mapping.fields.values():
                fields.update(mapped.remote_fields)
                ties.update({mapped.tie.object} if mapped.tie else ())
            fields.update({plan.mapping.where.field} if plan.mapping.where else ())
            fields.update({plan.mapping.fingerprint} - {""})
        for link in self._links_of.get(name, ()):
            if link.entry.object:
                fields.update(f for f in (link.entry.from_, link.entry.to, link.entry.label) if f)
            else:
                ties.add(link.entry.to)
        return ObjectSpec(name, tuple(sorted(fields)), tuple(AssociationSpec(tie) for tie in sorted(ties)))

    @cached_property
    def fingerprint(self) -> str:
        """Changes when records would be read, or values said, differently."""
        return sha256(self.file.model_dump_json(by_alias=True).encode()).hexdigest()[:16]

    def schema(self) -> SchemaSpec:
        """Everything that ``provision`` must see to."""
        from crmsync.mappings.schema import build_schema

        return build_schema(self)

    # -------------------------------------------------------------- reading

    def read(self, object_name: str, record: RemoteRecord) -> ReadResult:
        """A CRM record as canonical records and ties; a deleted one says nothing."""
        if record.deleted:
            return ReadResult()
        problems: list[ValueProblem] = []
        records = [
            _read_record(plan, record, problems)
            for plan in self._plans.get(object_name, ())
            if plan.mapping.matches(record.fields)
        ]
        links = [tie for link in self._links_of.get(object_name, ()) for tie in _read_links(link, record)]
        return ReadResult(tuple(records), tuple(links), tuple(problems))

    def from_remote(self, kind: str, name: str, raw: Scalar) -> Value:
        """One raw value as its canonical value.

        :raises ValueProblem: if it cannot be read.
        :raises KeyError: for a field that is not mapped.
        """
        mapped = self.kind_mappings[kind].fields[name]
        if raw is None or raw == "":
            return mapped.default
        try:
            return mapped.read(raw)
        except ValueError as error:
            raise ValueProblem(kind, name, str(error)) from None

    # -------------------------------------------------------------- writing

    def to_remote(self, kind: str, name: str, value: Value) -> Scalar:
        """One canonical value as the CRM takes it; blank is ``None``.

        :raises ValueProblem: if the CRM's field cannot say it.
        :raises KeyError: for a field that is not mapped.
        """
        mapped = self.kind_mappings[kind].fields[name]
        if value is None or value in ("", ()):
            return None
        if not mapped.remote_field:
            raise ValueProblem(kind, name, "is not one field of the CRM, nothing can be written to it")
        try:
            return mapped.write(value)
        except ValueError as error:
            raise ValueProblem(kind, name, str(error)) from None

    @staticmethod
    def to_json(value: Value) -> Any:
        """A canonical value as JSON, for the store and for reports: dates and money as text, lists as lists."""
        if isinstance(value, tuple):
            return list(value)
        if isinstance(value, Decimal):
            return format(value, "f")
        return value.isoformat() if isinstance(value, datetime | date) else value


def _build_plan(kind: KindMapping) -> _Plan:
    plan = _Plan(kind)
    for name, mapped in kind.fields.items():
        if mapped.default is not None:
            (plan.extra_defaults if mapped.is_extra else plan.defaults)[name] = mapped.default
        if mapped.tie is not None:
            plan.tied.append((mapped, mapped.tie))
        elif mapped.remote_fields:
            key = " ".join(mapped.remote_fields)
            (plan.extra if mapped.is_extra else plan.simple).append((name, key, mapped.read))
            if len(mapped.remote_fields) > 1:
                plan.joined[key] = mapped.remote_fields
    return plan


def _read_record(plan: _Plan, record: RemoteRecord, problems: list[ValueProblem]) -> Record:
    kind = plan.mapping.kind
    raws = {**record.fields, **_joined(plan, record.fields)} if plan.joined else record.fields
    values: dict[str, Any] = plan.defaults.copy()
    faults = _read_steps(plan.simple, raws, values)
    if plan.extra or plan.extra_defaults:
        values["extra"] = plan.extra_defaults.copy()
        faults += _read_steps(plan.extra, raws, values["extra"])
    for mapped, tie in plan.tied:
        try:
            values[mapped.field] = _tied_id(record.links or (), tie)
        except ValueError as error:
            faults.append((mapped.field, str(error)))
    problems += [ValueProblem(kind, name, message, id=record.id) for name, message in faults]
    return KINDS[kind](id=record.id, **values)


def _joined(plan: _Plan, fields: MappingABC[str, Scalar]) -> dict[str, str]:
    """One text for every field that is read from several, without their blanks."""
    return {
        key: " ".join(part for name in names if (part := as_text(fields.get(name)).strip()))
        for key, names in plan.joined.items()
    }


def _read_steps(steps: Iterable[_Step], raws: MappingABC[str, Scalar], values: dict[str, Any]) -> list[tuple[str, str]]:
    """Read fields into ``values``; what cannot be read stays out of it and comes back with a message."""
    faults: list[tuple[str, str]] = []
    get = raws.get
    for name, key, read in steps:
        raw = get(key)
        if raw is None or raw == "":
            continue
        try:
            value = read(raw)
        except ValueError as error:
            faults.append((name, str(error)))
            value = None
        if value is not None:
            values[name] = value
        else:
            values.pop(name, None)
    return faults


def _tied_id(links: Collection[RemoteLink], tie: Tie) -> str | None:
    """The id of the tied record; of several under one label the smallest, so that order does not matter."""
    wanted = tie.label.casefold()
    ids = {
        link.to_id
        for link in links
        if link.to_object == tie.object and (not wanted or wanted in (label.casefold() for label in link.labels))
    }
    if len(ids) > 1 and not wanted:
        raise ValueError(f"{len(ids)} {tie.object} are tied to the record and none is marked")
    return min(ids, default=None)


def _read_links(link: LinkMapping, record: RemoteRecord) -> Iterable[Link]:
    entry = link.entry
    if entry.object:
        from_id, to_id = record.fields.get(entry.from_), record.fields.get(entry.to)
        if from_id and to_id:
            role = as_text(record.fields.get(entry.label)) if entry.label else ""
            yield Link(name=link.name, from_id=str(from_id), to_id=str(to_id), label=role or None)
        return
    wanted = entry.label.casefold()
    for tie in record.links or ():
        labels = [label for label in tie.labels if label]
        if tie.to_object != entry.to or (wanted and wanted not in (label.casefold() for label in labels)):
            continue
        label = entry.label or min(labels, default=None)
        yield Link(name=link.name, from_id=record.id, to_id=tie.to_id, label=label)
