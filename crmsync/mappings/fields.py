"""What a mapping answers with: compiled fields, read results, and values that could not be read or said."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from crmsync.diagnostics import Span
from crmsync.mappings.model import Mode, OnNull, OnUserEdit
from crmsync.mappings.normal import normal_text
from crmsync.records import FieldType, Link, Record, Value
from crmsync.remote import Scalar

ReadValue: TypeAlias = Callable[[Scalar], Value]
"""Raw to canonical; raises ``ValueError`` with a message for the admin."""

WriteValue: TypeAlias = Callable[[Value], Scalar]
"""Canonical to raw; raises ``ValueError`` likewise."""


class ValueProblem(Exception):
    """One value that cannot be read from, or said in, the CRM. Collected while reading, raised while writing."""

    def __init__(self, kind: str, field_name: str, message: str, *, id: str = "") -> None:  # noqa: A002 - the record's id
        super().__init__(f"{kind}.{field_name}: {message}")
        self.kind = kind
        self.id = id
        self.field = field_name
        self.message = message


@dataclass(frozen=True, slots=True)
class Tie:
    """A reference that is an association: the tied object, and the label that the tie must have ("" any)."""

    object: str
    label: str


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """One canonical field under one mapping. ``remote_field`` is empty for ties and constants."""

    kind: str
    field: str
    object: str
    remote_field: str
    remote_fields: tuple[str, ...]
    type: FieldType
    mode: Mode
    span: Span
    read: ReadValue = dataclasses.field(repr=False, compare=False)
    write: WriteValue = dataclasses.field(repr=False, compare=False)
    tie: Tie | None = None
    default: Value = None
    """What an empty field means; a constant is the default of a field that is always empty."""
    raw_options: tuple[str, ...] = ()
    """The CRM values that the field is known to take, written ones first; empty where any goes."""
    writes_options: tuple[str, ...] = ()
    """The CRM values that crmsync itself may write."""
    max_length: int | None = None
    is_extra: bool = False
    on_user_edit: OnUserEdit = OnUserEdit.FLAG
    on_null: OnNull = OnNull.CLEAR
    contended: bool = False
    separator: str = ";"

    def normal(self, raw: Scalar) -> str:
        """The raw value as one text, equal for every spelling in which a CRM may send the same value back."""
        return normal_text(raw, self.type.base, self.separator)

    @property
    def options(self) -> tuple[str, ...]:
        return self.type.options

    @property
    def is_written(self) -> bool:
        return self.mode not in (Mode.READ_ONLY, Mode.SUGGEST)


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What one CRM record says: canonical records (an account row can be a partner too), ties, unreadable values."""

    records: tuple[Record, ...] = ()
    links: tuple[Link, ...] = ()
    problems: Sequence[ValueProblem] = ()
