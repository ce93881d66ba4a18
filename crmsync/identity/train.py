"""Learns the weights of a model from the records themselves, without labels.

The Fellegi-Sunter mixture over the levels of candidate pairs: two classes, same and not, whose level frequencies are
estimated by expectation and maximisation. Pairs are counted by pattern, so the cost follows the patterns. A better
level never weighs less than a worse one of its field: without that, a base in which few records share a name teaches
that another name speaks for the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import exp, log, log2
from statistics import fmean

from crmsync.identity.keys import terms
from crmsync.identity.levels import LEVELS, compare
from crmsync.identity.model import Model
from crmsync.identity.records import Prepared
from crmsync.identity.score import Frequency

Pattern = tuple[tuple[str, str], ...]
"""Field and level of everything that both records of a pair say."""

_ROUNDS = 200
_SETTLED = 1e-8
_PAIRS_OF_DEFAULT = 2.0
"""Pairs that even shares count for, so that a level seen a few times does not run away."""
_MOST_BITS = 18.0
_FEWEST = 2


def train(pairs: Iterable[tuple[Prepared, Prepared]], base: Model, usual: Mapping[str, float] | None = None) -> Model:
    """A model fitted to candidate pairs; what they do not show keeps the weight of ``base``.

    :param pairs: pairs that share a blocking key, each once.
    :param usual: by counted field, the mean frequency of the values that records have there.
    """
    return train_on_patterns(Counter(pattern_of(one, other) for one, other in pairs), base, usual)


def pattern_of(one: Prepared, other: Prepared) -> Pattern:
    """What a pair shows."""
    return tuple(compare(one, other).items())


def train_on_patterns(patterns: Mapping[Pattern, int], base: Model, usual: Mapping[str, float] | None = None) -> Model:
    """As :func:`train`, from patterns with their number of pairs."""
    if sum(patterns.values()) < _FEWEST:
        return base
    weights, prior = _Mixture(patterns).fit()
    return replace(
        base, weights={**base.weights, **weights}, prior=prior, usual=dict(usual or {}), slope=1.0, offset=0.0
    )


def usual_in(records: Iterable[Prepared], frequency: Frequency) -> dict[str, float]:
    """By counted field, the mean frequency of the values that records have there."""
    shares: dict[str, list[float]] = defaultdict(list)
    for record in records:
        for column, value in terms(record):
            shares[column].append(frequency(column, value))
    return {column: round(fmean(found), 9) for column, found in sorted(shares.items())}


class _Mixture:
    """Two groups of pairs, the same and not, and how often each shows a level. All shares are by level's place."""

    def __init__(self, patterns: Mapping[Pattern, int]) -> None:
        self._total = sum(patterns.values())
        seen: dict[str, Counter[str]] = {}
        for pattern, count in patterns.items():
            for name, level in pattern:
                seen.setdefault(name, Counter())[level] += count
        self._fields = {
            name: [level for level in LEVELS[name] if level in seen[name]] for name in LEVELS if name in seen
        }
        self._levels = {
            (name, level): place
            for place, (name, level) in enumerate((n, level) for n, levels in self._fields.items() for level in levels)
        }
        self._patterns = [
            ([self._levels[part] for part in pattern], count) for pattern, count in sorted(patterns.items())
        ]
        self._same = self._start()
        self._other = self._even([seen[name][level] for name, level in self._levels])
        self._share = 0.1

    def fit(self) -> tuple[dict[str, float], float]:
        """Weights in bits by ``field.level``, and the prior in bits."""
        for _ in range(_ROUNDS):
            before = self._share
            self._round()
            if abs(self._share - before) < _SETTLED:
                break
        found = {
            f"{name}.{level}": round(max(-_MOST_BITS, min(_MOST_BITS, log2(self._same[i] / self._other[i]))), 4)
            for (name, level), i in self._levels.items()
        }
        return found, round(log2(self._share / (1 - self._share)), 4)

    def _round(self) -> None:
        bits = [log(same / other) for same, other in zip(self._same, self._other, strict=True)]
        start = log(self._share / (1 - self._share))
        same, other, matched = [0.0] * len(bits), [0.0] * len(bits), 0.0
        for places, count in self._patterns:
            odds = start
            for place in places:
                odds += bits[place]
            p = count / (1 + exp(-max(-600.0, min(600.0, odds))))
            matched += p
            for place in places:
                same[place] += p
                other[place] += count - p
        self._share = min(max(matched / self._total, 1e-6), 0.999)
        self._same, self._other = self._even(same), self._even(other)
        self._in_order()

    def _start(self) -> list[float]:
        """Where the search begins: the same mostly show the best level, and others the worst."""
        found: list[float] = []
        for levels in self._fields.values():
            guess = [8.0 if level == "same" else 0.5 if level == "other" else 1.0 for level in levels]
            found += [share / sum(guess) for share in guess]
        return found

    def _even(self, counts: Sequence[float]) -> list[float]:
        """Shares of each field's levels out of counts."""
        found: list[float] = []
        for levels in self._fields.values():
            own = [n + _PAIRS_OF_DEFAULT / len(levels) for n in counts[len(found) : len(found) + len(levels)]]
            found += [n / sum(own) for n in own]
        return found

    def _in_order(self) -> None:
        """Pool neighbouring levels until none weighs more than a better one of its field."""
        start = 0
        for levels in self._fields.values():
            pools: list[tuple[float, float, list[int]]] = []
            for place in range(start, start + len(levels)):
                same, other, places = self._same[place], self._other[place], [place]
                while pools and same * pools[-1][1] > pools[-1][0] * other:
                    more_same, more_other, more = pools.pop()
                    same, other, places = same + more_same, other + more_other, more + places
                pools.append((same, other, places))
            for same, other, places in pools:
                for place in places:
                    self._same[place] = same * self._other[place] / other
            start += len(levels)
