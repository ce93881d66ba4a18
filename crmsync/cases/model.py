"""The scenario file as data. Every key is explained in docs/scenarios.md.

The models of records are made from the canonical records, so a field that is added there can be given and expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, get_type_hints

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, create_model
from pydantic_core import PydanticCustomError

from crmsync.records import KINDS
from crmsync.yamlmodel import describe_value
from crmsync.yamlpos import YamlModel


def _written(value: object) -> object:
    """Instants and dates are written as text; pydantic would take a number for seconds since 1970."""
    if value is not None and not isinstance(value, str | datetime | date):
        hint = "write it like 2026-01-31 or 2026-01-31T09:00"
        text = f"found {describe_value(value)}, wanted a date or a time"
        raise PydanticCustomError("case", "{text}", {"text": text, "hint": hint, "code": "E105"})
    return value


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


Instant: TypeAlias = Annotated[datetime, BeforeValidator(_written), AfterValidator(_aware)]
"""Without an offset it is UTC; a date is its first instant."""
Day: TypeAlias = Annotated[date, BeforeValidator(_written)]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
PolicyLayer: TypeAlias = Mapping[str, Any] | str
"""Changes to the policy below, or the path of another policy file."""


def row_name(kind: str) -> str:
    """What a kind's records are called in the JSON Schema; enums have names of their own there."""
    return f"{kind.capitalize()}Row"


def _record_model(kind: str) -> type[YamlModel]:
    hints = get_type_hints(KINDS[kind])
    fields: dict[str, Any] = {name: (_typed(hint), None) for name, hint in hints.items() if name != "id"}
    model = create_model(row_name(kind), __base__=YamlModel, **fields)
    model.noun = f"{'an' if kind == 'account' else 'a'} {kind}"
    model.__doc__ = None
    return model


def _typed(hint: Any) -> Any:
    if hint == datetime | None:
        return Instant | None
    if hint == date | None:
        return Day | None
    if hint == tuple[str, ...]:
        return tuple[str, ...] | None
    return Mapping[str, Any] if hint not in _PLAIN and "Mapping" in str(hint) else hint


_PLAIN = (str, int, bool)

RECORDS: Mapping[str, type[YamlModel]] = {kind: _record_model(kind) for kind in KINDS if kind != "stage"}
"""Kinds that can be given. Stages of pipelines are the mapping's business, the rules never see them."""


class LinkRow(YamlModel):
    noun: ClassVar[str] = "a link"
    name: str
    from_id: str
    to_id: str
    label: str | None = None


class LikenessRow(YamlModel):
    noun: ClassVar[str] = "a likeness"
    kind: Literal["account", "contact", "registration"]
    one: str
    other: str
    duplicate: Annotated[float, Field(ge=0, le=1)] = 0.0
    related: Annotated[float, Field(ge=0, le=1)] = 0.0
    answer: Literal["duplicate", "related", "different", "skip"] | None = None


class _GivenBase(YamlModel):
    noun: ClassVar[str] = "the records"
    links: tuple[LinkRow, ...] | None = None
    merged: Mapping[str, str] | None = None
    open_registrations: Mapping[str, int] | None = None
    likenesses: tuple[LikenessRow, ...] | None = None


class _DefaultsBase(YamlModel):
    noun: ClassVar[str] = "the defaults"


def _mapping_of(model: Any) -> Any:
    return Mapping[str, model | None]


_BY_ID: dict[str, Any] = {kind: (_mapping_of(model), {}) for kind, model in RECORDS.items()}
_ONE_EACH: dict[str, Any] = {kind: (model | None, None) for kind, model in RECORDS.items()}
Given = create_model("Given", __base__=_GivenBase, **_BY_ID)
"""Records by kind and id. ``null`` in place of a record takes it away."""
Defaults = create_model("Defaults", __base__=_DefaultsBase, **_ONE_EACH)


class Expect(YamlModel):
    """What must hold. Further keys name a record (``deal D1``) and hold its fields."""

    model_config = ConfigDict(extra="allow", frozen=True)
    noun: ClassVar[str] = "expect"
    findings: tuple[str, ...] | None = None
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    opened: tuple[str, ...] | None = None
    cleared: tuple[str, ...] | None = None
    messages: Mapping[str, str] = {}
    winner: Mapping[str, str] = {}
    tasks: tuple[str, ...] | None = None
    next_due: Instant | None = None
    metrics: Mapping[str, Any] = {}


class Look(YamlModel):
    noun: ClassVar[str] = "a look"
    now: Instant
    given: Given = Given()
    expect: Expect


class Event(YamlModel):
    noun: ClassVar[str] = "an event"
    at: Instant
    set: Given = Given()
    expect: Expect | None = None


class Case(YamlModel):
    """One scenario: records, a policy, an instant (or several), and what must be decided then."""

    noun: ClassVar[str] = "a case"
    case: Name
    about: str = ""
    policy: PolicyLayer | None = None
    given: Given = Given()
    now: Instant | None = None
    expect: Expect | None = None
    looks: tuple[Look, ...] = ()
    events: tuple[Event, ...] = ()


class CaseFile(YamlModel):
    """A file of scenarios: what they share, and the scenarios."""

    noun: ClassVar[str] = "a file of cases"
    policy: PolicyLayer | None = None
    given: Given = Given()
    defaults: Defaults = Defaults()
    cases: tuple[Case, ...] = ()
