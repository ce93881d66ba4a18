"""Who is alike in a scenario: compared by the same model as in a sync, except for the pairs that the scenario gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from crmsync.likeness import Matchmaker, default_matchmaker, likenesses_among
from crmsync.rules import Facts, Likeness, Policy


def likenesses_of(facts: Facts, given: Iterable[Mapping[str, Any]], policy: Policy) -> tuple[Likeness, ...]:
    """The pairs among the records. A given one takes the place of what the model would say."""
    own = [Likeness(**row) for row in given]
    said = {_pair(pair) for pair in own}
    found = [pair for pair in likenesses_among(facts, _matchmaker(), policy) if _pair(pair) not in said]
    return tuple(sorted([*found, *own], key=lambda pair: (pair.kind, pair.one, pair.other)))


def _pair(likeness: Likeness) -> tuple[str, frozenset[str]]:
    return likeness.kind, frozenset({likeness.one, likeness.other})


@cache
def _matchmaker() -> Matchmaker:
    return default_matchmaker()
