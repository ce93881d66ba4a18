"""What the pages show, in the words of both CRMs: a page never asks which of the two it is drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

KINDS = ("deal", "account", "contact", "partner", "registration")


@dataclass(frozen=True, slots=True)
class Ref:
    """Where a value leads: another record of the same CRM."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Item:
    """One field as it is shown. ``raw`` is what the CRM stores."""

    label: str
    text: str
    raw: str = ""
    ref: Ref | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A record. ``facts`` has the standard fields and ``partner`` the partner fields, by their canonical names.

    ``details`` are the standard fields in the order, and with the labels, of the CRM's own page.
    """

    kind: str
    id: str
    name: str
    key: str = ""
    facts: Mapping[str, Item] = field(default_factory=dict)
    partner: Mapping[str, Item] = field(default_factory=dict)
    details: Sequence[Item] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    label: str
    state: str  # done, current, ahead, won or lost


@dataclass(frozen=True, slots=True)
class Task:
    subject: str
    body: str
    owner: str
    due: str
    status: str
    about: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, or a company, that takes part in a deal."""

    name: str
    role: str
    note: str
    ref: Ref


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one record, changed by somebody."""

    at: datetime
    who: str
    label: str
    old: str
    new: str
    ref: Ref | None
    name: str = ""


class Source(Protocol):
    """One CRM, read past its API: the window must not use up calls or show up in the request log."""

    key: str
    title: str
    labels: Mapping[str, str]

    def count(self, kind: str) -> int: ...

    def page(self, kind: str, query: str, offset: int, limit: int, *, flagged: bool) -> tuple[int, list[Entry]]:
        """The number of records whose name matches, and some of them, the last changed first.

        ``flagged``: only those that carry a flag of crmsync's.
        """
        ...

    def entry(self, kind: str, record_id: str) -> Entry | None: ...

    def with_key(self, kind: str, key: str) -> str | None:
        """The id of the record that was loaded under this key, the same in both CRMs."""
        ...

    def stages(self, entry: Entry) -> list[Stage]: ...

    def tasks(self, entry: Entry) -> list[Task]: ...

    def people(self, entry: Entry) -> list[Person]: ...

    def registrations(self, entry: Entry) -> list[Entry]: ...

    def deals(self, entry: Entry) -> list[Entry]: ...

    def changes(self, entry: Entry | None, limit: int) -> list[Change]:
        """The newest first; of the whole CRM when no record is named."""
        ...
