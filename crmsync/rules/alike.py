"""What the likenesses of a neighbourhood mean under the policy: which pairs are the same, related, or to be asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from crmsync.rules.decision import Detail, Likeness
from crmsync.rules.policy import Policy
from crmsync.rules.policy.matching import Alike

Verdict = Literal["duplicate", "related", "different", "unsure"]

MOST_CANDIDATES = 10
"""How many ids a finding lists."""


def verdict_of(likeness: Likeness, limits: Alike) -> Verdict:
    """What a pair is: a person's word first, then the probabilities. ``unsure`` is too little to say anything."""
    if likeness.answer in ("duplicate", "related", "different"):
        return likeness.answer
    if likeness.duplicate >= limits.propose.at and likeness.duplicate >= likeness.related:
        return "duplicate"
    if likeness.related >= limits.propose.at and likeness.related > likeness.duplicate:
        return "related"
    return "unsure"


class AlikePairs:
    """The likenesses of a neighbourhood by kind and record."""

    def __init__(self, likenesses: Iterable[Likeness], policy: Policy) -> None:
        self._limits: Mapping[str, Alike] = policy.model.identity.alike.by_kind()
        self._pairs: dict[tuple[str, str, str], Likeness] = {}
        self._of: dict[tuple[str, str], list[Likeness]] = defaultdict(list)
        for pair in sorted(likenesses, key=lambda p: (p.kind, p.one, p.other)):
            self._pairs[pair.kind, pair.one, pair.other] = pair
            self._of[pair.kind, pair.one].append(pair)

    def limits(self, kind: str) -> Alike:
        return self._limits[kind]

    def pair(self, kind: str, one: str, other: str) -> Likeness | None:
        """The pair, whichever way round it is kept."""
        return self._pairs.get((kind, one, other)) or self._pairs.get((kind, other, one))

    def verdict(self, kind: str, one: str, other: str) -> Verdict:
        pair = self.pair(kind, one, other)
        return "unsure" if pair is None else verdict_of(pair, self._limits[kind])

    def pairs(self, kind: str, verdict: Verdict) -> Iterable[Likeness]:
        """All pairs of a kind that are held to be so."""
        limits = self._limits[kind]
        return [p for key, p in self._pairs.items() if key[0] == kind and verdict_of(p, limits) == verdict]

    def meant_by(self, registration_id: str) -> list[Likeness]:
        """Accounts that a registration may mean, the likeliest first; those that a person ruled out are left out."""
        limits = self._limits["registration"]
        found = [p for p in self._of.get(("registration", registration_id), ()) if _may_be(p, limits)]
        return sorted(found, key=lambda p: (p.answer != "duplicate", -p.duplicate, p.other))

    def detail(self, kind: str, record_id: str, others: Sequence[str], otherwise: Sequence[str] = ()) -> Detail:
        """What is known of a record and those it is compared with, the likeliest first.

        ``otherwise`` are the reasons of a rule that needs no model.
        """
        known = {other: pair for other in others if (pair := self.pair(kind, record_id, other))}
        ranked = sorted(others, key=lambda other: (-_best(known.get(other)), other))
        best = known.get(ranked[0]) if ranked else None
        return Detail(
            candidates=tuple(ranked[:MOST_CANDIDATES]),
            score=None if best is None else _best(best),
            reasons=(*otherwise, *(best.reasons if best else ())),
            answered=best is not None and best.answer is not None and best.answer != "skip",
        )


def _may_be(pair: Likeness, limits: Alike) -> bool:
    if pair.answer in ("related", "different"):
        return False
    return pair.answer == "duplicate" or pair.duplicate >= limits.propose.at


def _best(pair: Likeness | None) -> float:
    if pair is None:
        return 0.0
    return 1.0 if pair.answer in ("duplicate", "related") else max(pair.duplicate, pair.related)
