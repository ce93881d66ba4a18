"""The mapping file as it is written: one CRM's objects and fields, and what they mean here.

Only the shape is checked here; :mod:`crmsync.mappings.check` knows which names and types make sense.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from crmsync.yamlmodel import YamlModel


class Mode(StrEnum):
    """Who may write a field. Only ``engine_owned`` overwrites what is there."""

    ENGINE_OWNED = "engine_owned"
    FILL_IF_EMPTY = "fill_if_empty"
    FIRST_SYNC_ONLY = "first_sync_only"
    SUGGEST = "suggest"
    READ_ONLY = "read_only"


class OnUserEdit(StrEnum):
    """What becomes of a value that somebody put in the place of ours."""

    FLAG = "flag"
    """It stays, and a finding says so until both sides agree again."""
    KEEP = "keep"
    """It stays."""
    RESTORE = "restore"
    """Ours is written back; the reason of the write names who had changed it, and when."""


class OnNull(StrEnum):
    """What becomes of a value when the rules decide that the field should be blank."""

    CLEAR = "clear"
    KEEP = "keep"
    FLAG = "flag"
    """It stays, and a finding says so."""


ANY_OTHER = "*"
"""The key of a value map that stands for every CRM value without a row of its own."""


def _as_text(value: Any) -> Any:
    """``in: [true]`` means the CRM's ``true``, whether its JSON says so by a boolean or a string."""
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int) else value


RawText: TypeAlias = Annotated[str, BeforeValidator(_as_text, json_schema_input_type=str | bool | int)]
"""A CRM value as text, compared with whatever the CRM's JSON holds."""


class FieldEntry(YamlModel):
    """One canonical field: from which CRM field, or tie, or constant; how it is read; who may write it."""

    noun: ClassVar[str] = "a field"

    field: str | tuple[str, ...] = ()
    """A CRM field; several are joined by a space, and then read only."""
    association: str = ""
    """HubSpot: the id of the record of this object that is tied to the record."""
    label: str = ""
    constant: RawText | None = None
    default: RawText | None = None
    """What an empty field means, as a canonical value; likewise the constant."""
    values: Mapping[str, RawText | None] = {}
    """CRM value to canonical value; an empty target reads as blank."""
    transform: str | tuple[str, ...] = ()
    separator: str = ";"
    max: int | None = Field(default=None, ge=1, le=131_072)
    cut: bool = False
    mode: Mode = Mode.READ_ONLY
    on_user_edit: OnUserEdit = OnUserEdit.FLAG
    on_null: OnNull = OnNull.CLEAR
    contended: bool = False
    """Others write it as well: Salesforce is asked to refuse the write if the record changed since it was read."""

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.field,) if isinstance(self.field, str) else self.field

    @property
    def transforms(self) -> tuple[str, ...]:
        return (self.transform,) if isinstance(self.transform, str) else self.transform


class ExtraEntry(FieldEntry):
    """A field of the admin's own: rules may read it under its name."""

    noun: ClassVar[str] = "an extra field"

    type: Literal["text", "int", "bool", "decimal", "date", "instant", "list"] = "text"
    options: tuple[str, ...] = ()


def _expand(value: Any) -> Any:
    """``name: Name`` is short for ``name: {field: Name}``."""
    return {"field": value} if isinstance(value, str) else value


FieldSpec: TypeAlias = Annotated[FieldEntry, BeforeValidator(_expand, json_schema_input_type=str | FieldEntry)]
ExtraSpec: TypeAlias = Annotated[ExtraEntry, BeforeValidator(_expand, json_schema_input_type=str | ExtraEntry)]


class Where(YamlModel):
    """Which records of the CRM object are of this kind."""

    noun: ClassVar[str] = "a condition"

    field: str
    in_: tuple[RawText, ...] | None = Field(default=None, alias="in", min_length=1)
    not_in: tuple[RawText, ...] | None = Field(default=None, min_length=1)
    filled: bool | None = None
    """Whether the field must hold anything at all, or must not."""


class ObjectEntry(YamlModel):
    """One canonical kind: which CRM object it lives in."""

    noun: ClassVar[str] = "an object"

    object: str
    where: Where | None = None
    key: str = ""
    """The canonical field that is unique, by which new records are created once."""
    title: str = ""
    """The CRM field that names a record in lists, where the key's is another: new records get the key there too."""
    fingerprint: str = ""
    """A text field of crmsync's own, in which each record says what was last written to it."""
    fields: Mapping[str, FieldSpec]
    extra: Mapping[str, ExtraSpec] = {}


class LinkEntry(YamlModel):
    """A tie between records: rows of an object of its own (Salesforce), or labelled associations (HubSpot)."""

    noun: ClassVar[str] = "a link"

    object: str = ""
    """The object whose rows are the ties; none for associations."""
    from_: str = Field(alias="from")
    to: str
    label: str = ""
    """With ``object``: the field that holds the role. Without: only ties with this label."""


class TaskEntry(YamlModel):
    """How to-dos for people are written."""

    noun: ClassVar[str] = "the tasks"

    object: str
    key: str
    subject: str
    body: str
    due: str
    owner: str
    record: str = ""
    """The field that ties the task to its record; none where associations do."""
    contact: str = ""
    """The field that ties it to a person, where that is another one."""
    constants: Mapping[str, RawText] = {}


class MappingFile(YamlModel):
    """A whole mapping file."""

    noun: ClassVar[str] = "the mapping"

    version: Literal[1]
    system: Literal["salesforce", "hubspot"]
    freeze_after: int = Field(default=3, ge=1, le=1000)
    """How often crmsync writes its value back over another writer's before it leaves the field alone."""
    objects: Mapping[str, ObjectEntry]
    links: Mapping[str, LinkEntry] = {}
    tasks: TaskEntry | None = None
