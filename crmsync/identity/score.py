"""Scores a pair: what each field shows, how much that weighs, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import log2
from typing import Literal

from crmsync.identity.keys import COUNTED
from crmsync.identity.levels import compare
from crmsync.identity.model import Model
from crmsync.identity.records import Prepared

Verdict = Literal["duplicate", "related", "different", "unsure"]
Frequency = Callable[[str, str], float]

_COUNTED = frozenset(name for names in COUNTED.values() for name in names)
_WORDS = {
    "name": "name", "domain": "domain", "number": "company number", "country": "country", "phone": "phone",
    "city": "city", "postal_code": "postal code", "state": "state", "street": "street",
    "street2": "second address line", "form": "legal form", "email": "e-mail address",
    "first": "first name", "last": "last name", "account": "company", "title": "title",
    "born": "date of birth",
}  # fmt: skip
_SAID = 0.5
"""From this probability on a pair gets a verdict."""
_ANY, _OTHERS = 0.004, 0.02
"""How likely it is a family where nothing speaks for one: under one name in one country, and otherwise."""
_FOREIGN, _NUMBERED, _FORMED, _CHILD = 0.85, 0.85, 0.4, 0.98
"""How likely it is a family, where name or domain are the same: another country, number, legal form; a parent."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one field shows. ``weight`` is in bits: positive speaks for the same."""

    field: str
    level: str
    weight: float
    text: str


@dataclass(frozen=True, slots=True)
class Score:
    """What a comparison says. The three probabilities add up to 1."""

    weight: float
    probability: float
    verdict: Verdict
    p_duplicate: float
    p_related: float
    p_different: float
    evidence: tuple[Evidence, ...]


def probability_of(bits: float) -> float:
    """Of log odds in bits; beyond 60 of them nothing changes any more."""
    return float(1 / (1 + 2 ** -max(-60.0, min(60.0, bits))))


class Scorer:
    """Scores pairs of one kind. ``frequency`` gives the share of records that have a value in a column."""

    def __init__(self, model: Model, frequency: Frequency) -> None:
        self._model = model
        self._frequency = frequency

    def bits(self, one: Prepared, other: Prepared) -> float:
        """Log odds that the two are alike, in bits."""
        levels = compare(one, other)
        return self._fitted(sum(self._weight(n, level, one.text(n), other.text(n)) for n, level in levels.items()))

    def score(self, one: Prepared, other: Prepared) -> Score:
        """The same whichever way round the pair is given."""
        levels = compare(one, other)
        evidence = tuple(self._evidence(levels, one, other))
        shown = sum(e.weight for e in evidence)
        alike = probability_of(self._fitted(shown))
        family = _family(one, other, levels) if one.kind == "account" else 0.0
        related = family * max(alike, _child(one, other))
        duplicate = alike * (1 - family)
        verdict = _verdict(duplicate, related)
        return Score(
            self._model.prior + shown,
            duplicate,
            verdict,
            duplicate,
            related,
            max(0.0, 1 - duplicate - related),
            evidence,
        )

    def _fitted(self, shown: float) -> float:
        """The log odds that follow from what the levels weigh together."""
        return self._model.slope * (self._model.prior + shown) + self._model.offset

    def _evidence(self, levels: Mapping[str, str], one: Prepared, other: Prepared) -> Iterator[Evidence]:
        for name, level in levels.items():
            a, b = one.text(name), other.text(name)
            weight = self._weight(name, level, a, b)
            if weight:
                yield Evidence(name, level, weight, _said(name, level, a, b))

    def _weight(self, name: str, level: str, a: str, b: str) -> float:
        """What a level weighs. The same value says the more the rarer it is: a learnt weight is that of a value of
        usual frequency; one set by hand is a ceiling.
        """
        weight = self._model.weights.get(f"{name}.{level}", 0.0)
        if level != "same" or name not in _COUNTED:
            return weight
        frequency = max(self._frequency(name, value) for value in {a, b})
        usual = self._model.usual.get(name)
        if usual is None:
            return max(0.5, min(weight, -log2(frequency)))
        return weight + log2(usual / frequency)


def _child(one: Prepared, other: Prepared) -> float:
    parents = {one.text("parent"), other.text("parent")} - {""}
    is_child = parents & {one.id, other.id} or (one.text("parent") and one.text("parent") == other.text("parent"))
    return _CHILD if is_child else 0.0


def _family(one: Prepared, other: Prepared, levels: Mapping[str, str]) -> float:
    """How likely two records that look alike are relatives rather than one."""
    if child := _child(one, other):
        return child
    same_name = levels.get("name") in ("same", "near") and levels.get("country") != "other"
    found = [_ANY if same_name else _OTHERS]
    if levels.get("number") == "other":
        found.append(_NUMBERED)
    if levels.get("country") == "other":
        found.append(_FOREIGN)
    if levels.get("form") == "other" and levels.get("domain") != "same":
        found.append(_FORMED)
    if levels.get("domain") == "same" and levels.get("name") not in ("same", "near", None):
        found.append(0.6)
    return 0.0 if levels.get("number") == "same" else max(found)


def _verdict(duplicate: float, related: float) -> Verdict:
    if max(duplicate, related) >= _SAID:
        return "duplicate" if duplicate >= related else "related"
    return "unsure" if duplicate + related >= _SAID / 5 else "different"


def _said(name: str, level: str, a: str, b: str) -> str:
    what, a, b = _WORDS[name], a[:60], b[:60]
    match level:
        case "same":
            return f"same {what}: {a}" if name not in ("account", "form") else f"same {what}"
        case "near":
            return f"{what} nearly the same: {a} / {b}"
        case "part":
            return f"one {what} is part of the other: {a} / {b}"
        case "label":
            return f"same {what} but for its ending: {a} / {b}"
        case "mailbox":
            return f"same mailbox at another domain: {a} / {b}"
        case "close":
            return f"{what} alike: {a} / {b}"
        case "most" | "some":
            return f"some words of the {what} are the same: {a} / {b}"
        case "bit":
            return f"{what} a little alike: {a} / {b}"
        case "swapped":
            return f"first and last name the other way round: {a} / {b}"
        case "neighbour":
            return f"same street, house number nearly the same: {a} / {b}"
        case "street":
            return f"same street, one without a house number: {a} / {b}"
        case "house":
            return f"same house number in another street: {a} / {b}"
        case "road":
            return f"same street, another house: {a} / {b}"
        case "initial":
            return f"same initial: {a} / {b}"
        case _:
            return f"another {what}: {a} / {b}" if name != "account" else f"another {what}"
