"""What an expression can see: which records by which names, and which types their fields have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from crmsync.records import Account, Contact, Deal, FieldType, Partner, Registration, field_types

Reader = Callable[["Scope"], Any]

_DATE_MIN = date.min


@dataclass(slots=True)
class Scope:
    """The records that one evaluation looks at. What does not exist is an empty record: all its fields are blank."""

    deal: Deal = field(default=Deal(id=""))
    account: Account = field(default=Account(id=""))
    partner: Partner = field(default=Partner(id=""))
    registration: Registration = field(default=Registration(id=""))
    contact: Contact = field(default=Contact(id=""))
    today: date = _DATE_MIN
    amount_corporate: Decimal | None = None
    """The root record's amount in the policy's corporate currency."""
    background: Any = None
    """What is worked out on demand, for conditions that were compiled with such names."""


ROOTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "deal": ("deal", "account", "partner", "registration"),
        "registration": ("registration", "account", "partner", "deal"),
        "account": ("account", "partner"),
        "contact": ("contact", "account"),
    }
)
"""For a condition on a record of this kind: the kinds of record that it can name, its own first."""

_DERIVED: Mapping[str, FieldType] = MappingProxyType({"today": FieldType("date")})
_WITH_AMOUNT: Mapping[str, FieldType] = MappingProxyType({**_DERIVED, "amount_corporate": FieldType("decimal")})

_TYPE_NAMES = {"int": "number", "decimal": "number"}


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a condition on one kind may use; ``hidden`` ones exist, but would feed decisions back."""

    root: str
    types: Mapping[str, FieldType]
    readers: Mapping[str, Reader]
    hidden: frozenset[str] = frozenset()


def build_names(
    root: str,
    extra: Mapping[str, Mapping[str, FieldType]],
    hidden: frozenset[str] = frozenset(),
    background: Mapping[str, FieldType] | None = None,
) -> Names:
    """All names for conditions on ``root``: bare for its own fields, ``kind.field`` for related records.

    ``hidden`` holds the ``kind.field`` names that may not be used, ``background`` those that are worked out on demand.
    """
    types: dict[str, FieldType] = {}
    readers: dict[str, Reader] = {}
    refused: set[str] = set()
    for kind in ROOTS[root]:
        for name, kind_type, reader in _fields(kind, extra.get(kind, {})):
            shown = {f"{kind}.{name}"} | ({name} if kind == root else set())
            if f"{kind}.{name}" in hidden:
                refused |= shown
                continue
            types.update(dict.fromkeys(shown, kind_type))
            readers.update(dict.fromkeys(shown, reader))
    for name, derived in (_WITH_AMOUNT if root in ("deal", "registration") else _DERIVED).items():
        types[name], readers[name] = derived, attrgetter(name)
    for name, derived in (background or {}).items():
        types[name], readers[name] = derived, attrgetter(f"background.{name}")
    return Names(root, types, readers, frozenset(refused))


def _fields(kind: str, extra: Mapping[str, FieldType]) -> list[tuple[str, FieldType, Reader]]:
    own = [(name, kind_type, attrgetter(f"{kind}.{name}")) for name, kind_type in field_types(kind).items()]
    return [*own, *((name, kind_type, _extra_reader(kind, name)) for name, kind_type in extra.items())]


def _extra_reader(kind: str, name: str) -> Reader:
    mapping = attrgetter(f"{kind}.extra")

    def read(scope: Scope) -> Any:
        return mapping(scope).get(name)

    return read


def type_name(kind: FieldType) -> str:
    """The type in the language's own words: text, number, bool, date, instant or list."""
    return _TYPE_NAMES.get(kind.base, kind.base)
