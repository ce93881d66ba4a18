"""Forget: who is meant, what is removed of them here, and what the CRM still holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from crmsync.errors import UsageError
from crmsync.mappings import Mapping as CrmMapping
from crmsync.records import Contact
from crmsync.store import Store

_SEVERAL = 5


@dataclass(frozen=True, slots=True)
class Forgotten:
    """``removed`` counts rows by table; ``still_in_crm`` names the records that a full pull would bring back."""

    ids: list[str]
    removed: dict[str, int]
    still_in_crm: list[str]
    files: list[str] = field(default_factory=list)
    """Plan and other files of the project that name the person: theirs to delete."""


def forget(store: Store, mapping: CrmMapping, who: str, directory: Path) -> Forgotten:
    """Remove a person, named by e-mail or by the id of the contact record (``contact:ID`` or ``ID``).

    :raises UsageError: when nobody, or more than a handful of records, is meant.
    """
    people = list(_people(store, mapping, who.strip()))
    email = who.strip() if "@" in who else ""
    if not people and not email:
        raise UsageError(f"no contact '{who}' in the mirror", hint="give an e-mail address or the id of a contact")
    if len(people) > _SEVERAL:
        raise UsageError(f"'{who}' fits {len(people)} contacts", hint="give the id of one of them")
    words = {email, *(word for person, _ in people for word in _words(person))} - {""}
    ids = sorted({person.id for person, _ in people})
    removed = store.forget_person(("contact", mapping.object_of("contact")), ids, sorted(words))
    live = sorted(f"contact:{person.id}" for person, deleted in people if not deleted)
    return Forgotten(ids, removed, live, [str(path) for path in _files(directory, [*ids, *words])])


def _people(store: Store, mapping: CrmMapping, who: str) -> Iterator[tuple[Contact, bool]]:
    if "contact" not in mapping.kinds:
        return
    name, wanted = mapping.object_of("contact"), who.removeprefix("contact:").lower()
    for row in store.rows(name, include_deleted=True):
        for record in mapping.read(name, replace(row, deleted=False)).records:
            if isinstance(record, Contact) and wanted in (record.id.lower(), (record.email or "").lower()):
                yield record, row.deleted


def _words(person: Contact) -> list[str]:
    names = " ".join(filter(None, (person.first_name, person.last_name)))
    return [word for word in (person.email or "", names if " " in names else "") if word]


def _files(directory: Path, words: list[str]) -> Iterator[Path]:
    """JSON and CSV files of the project that say one of the words."""
    for path in sorted(directory.rglob("*")):
        if path.suffix in (".json", ".csv", ".jsonl") and path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace").lower()
            if any(word.lower() in text for word in words):
                yield path
