"""What a field of two records can show: named levels, from the best to the worst. Pure.

The order is part of the model: a better level never weighs less than a worse one of the same field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from types import MappingProxyType

from rapidfuzz.distance import OSA, JaroWinkler

from crmsync.identity.records import Prepared

_GRADED = ("same", "near", "close", "other")
_PERSON = ("same", "swapped", "near", "close", "initial", "bit", "other")

LEVELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "name": ("same", "near", "part", "close", "most", "some", "bit", "other"),
        "domain": ("same", "label", "other"),
        "number": ("same", "other"),
        "country": ("same", "other"),
        "phone": _GRADED,
        "city": _GRADED,
        "postal_code": ("same", "near", "other"),
        "state": ("same", "near", "other"),
        "street": ("same", "near", "neighbour", "street", "house", "road", "other"),
        "street2": _GRADED,
        "form": ("same", "other"),
        "email": ("same", "mailbox", "near", "close", "other"),
        "first": _PERSON,
        "last": _PERSON,
        "account": ("same", "other"),
        "title": ("same", "other"),
        "born": _GRADED,
    }
)
"""By field, in the order in which fields are compared."""

_ALIKE = ((0.92, "near"), (0.85, "close"))
_ALIKE_PERSONS = (*_ALIKE, (0.7, "bit"))
"""Jaro-Winkler from which two texts are at a level."""
_MOST = 0.6
"""Share of the shorter name's words that both have, from which most of it is the same."""


def compare(one: Prepared, other: Prepared) -> dict[str, str]:
    """The level of every field that both records have."""
    found: dict[str, str] = {}
    for name in LEVELS:
        a, b = one.text(name), other.text(name)
        if a and b:
            found[name] = _level(name, a, b, one, other)
    return found


def _level(name: str, a: str, b: str, one: Prepared, other: Prepared) -> str:
    if a == b:
        return "same"
    special = _WITH_RECORDS.get(name)
    if special is not None:
        return special(one, other)
    alone = _ALONE.get(name)
    return alone(*sorted((a, b))) if alone is not None else "other"


def _domain(one: Prepared, other: Prepared) -> str:
    a, b = one.text("domain"), other.text("domain")
    if {a, *one.texts("aliases")} & {b, *other.texts("aliases")}:
        return "same"
    return "label" if a.partition(".")[0] == b.partition(".")[0] else "other"


def _street(one: Prepared, other: Prepared) -> str:
    """House number and street together, each as it is written there."""
    house, number = one.text("house"), other.text("house")
    street, road = one.text("road"), other.text("road")
    if not _same_road(*sorted((street, road))):
        return "house" if house and house == number else "other"
    if not (house and number):
        return "street"
    if house == number:
        return "same" if street == road else "near"
    return "neighbour" if OSA.distance(house, number) == 1 else "road"


@lru_cache(maxsize=16384)
def _same_road(a: str, b: str) -> bool:
    one, other = set(a.split()), set(b.split())
    return one <= other or other <= one or JaroWinkler.similarity(a, b) >= 0.9


def _person_named(field: str, one: Prepared, other: Prepared) -> str:
    """Of the first or the last name: people write them in either order."""
    if one.text("first") == other.text("last") and one.text("last") == other.text("first"):
        return "swapped"
    return _person(*sorted((one.text(field), other.text(field))))


@lru_cache(maxsize=16384)
def _person(a: str, b: str) -> str:
    if a[0] == b[0] and 1 in (len(a), len(b)):
        return "initial"
    return _graded(JaroWinkler.similarity(a, b), _ALIKE_PERSONS)


@lru_cache(maxsize=16384)
def _company(a: str, b: str) -> str:
    one, other = set(a.split()), set(b.split())
    if one == other or a.replace(" ", "") == b.replace(" ", ""):
        return "same"
    likeness = JaroWinkler.similarity(a, b)
    shared = len(one & other) / min(len(one), len(other))
    if likeness >= 0.95:
        return "near"
    if shared == 1:
        return "part"
    if likeness >= 0.88:
        return "close"
    if shared:
        return "most" if shared >= _MOST else "some"
    return "bit" if likeness >= 0.8 else "other"


def _text(a: str, b: str) -> str:
    return _graded(JaroWinkler.similarity(a, b), _ALIKE)


def _graded(likeness: float, grades: tuple[tuple[float, str], ...]) -> str:
    return next((level for at, level in grades if likeness >= at), "other")


def _code(a: str, b: str) -> str:
    """Digits and codes: how many were typed otherwise, or in another order."""
    return {1: "near", 2: "close"}.get(OSA.distance(a, b, score_cutoff=2), "other")


def _short_code(a: str, b: str) -> str:
    return "near" if OSA.distance(a, b, score_cutoff=1) == 1 else "other"


def _email(a: str, b: str) -> str:
    one, other = a.partition("@")[0], b.partition("@")[0]
    if one == other:
        return "mailbox"
    return _graded(JaroWinkler.similarity(one, other), ((0.92, "near"), (0.8, "close")))


_WITH_RECORDS: Mapping[str, Callable[[Prepared, Prepared], str]] = {
    "domain": _domain,
    "street": _street,
    "first": partial(_person_named, "first"),
    "last": partial(_person_named, "last"),
}
_ALONE: Mapping[str, Callable[[str, str], str]] = {
    "name": _company,
    "phone": _code,
    "born": _code,
    "city": _text,
    "street2": _text,
    "postal_code": _short_code,
    "state": _short_code,
    "email": _email,
}
