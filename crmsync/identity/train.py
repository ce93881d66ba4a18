"""Learns the weights of a model from the records themselves, without labels.

The Fellegi-Sunter mixture over the levels of candidate pairs: two classes, same and not, whose level frequencies are
estimated by expectation and maximisation. Pairs are counted by pattern, so the cost follows the patterns.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import log2

from crmsync.identity.model import Model
from crmsync.identity.records import Prepared
from crmsync.identity.score import compare

Pattern = tuple[tuple[str, str], ...]
"""Field and level of everything that both records of a pair say."""

_ROUNDS = 200
_SETTLED = 1e-7
_WEIGHT_OF_DEFAULTS = 40.0
"""Pairs that the shipped weights count for, so that a level seen a few times does not run away."""
_MOST_BITS = 18.0


def train(pairs: Iterable[tuple[Prepared, Prepared]], base: Model) -> Model:
    """A model fitted to candidate pairs; what they do not show keeps the weight of ``base``.

    :param pairs: pairs that share a blocking key, each once.
    """
    patterns = Counter(tuple(sorted(compare(one, other).items())) for one, other in pairs)
    if sum(patterns.values()) < 2:
        return base
    same, prior = _expect_and_maximise(patterns, base)
    return replace(base, weights={**base.weights, **same}, prior=prior, slope=1.0, offset=0.0)


def _expect_and_maximise(patterns: Mapping[Pattern, int], base: Model) -> tuple[dict[str, float], float]:
    share = 0.1
    weights: dict[str, float] = dict(base.weights)
    for _ in range(_ROUNDS):
        before = dict(weights)
        m: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        u: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        matched = 0.0
        for pattern, count in patterns.items():
            p = _probability(pattern, weights, share)
            matched += p * count
            for name, level in pattern:
                m[name][level] += p * count
                u[name][level] += (1 - p) * count
        share = min(max(matched / sum(patterns.values()), 1e-6), 0.999)
        weights = {key: bits for name in m for key, bits in _bits(name, m[name], u[name], base)}
        if all(abs(weights[key] - before.get(key, 0.0)) < _SETTLED for key in weights):
            break
    return {key: round(bits, 4) for key, bits in weights.items()}, round(log2(share / (1 - share)), 4)


def _probability(pattern: Pattern, weights: Mapping[str, float], share: float) -> float:
    bits = log2(share / (1 - share)) + sum(weights.get(f"{name}.{level}", 0.0) for name, level in pattern)
    return float(1 / (1 + 2 ** -max(-60.0, min(60.0, bits))))


def _bits(name: str, m: Mapping[str, float], u: Mapping[str, float], base: Model) -> Iterable[tuple[str, float]]:
    """Weights of one field's levels: the logarithm of how much oftener the same show a level than others do."""
    levels = sorted(m.keys() | u.keys())
    total_m, total_u = sum(m.values()), sum(u.values())
    for level in levels:
        key = f"{name}.{level}"
        kept = 2 ** max(-_MOST_BITS, min(_MOST_BITS, base.weights.get(key, 0.0)))
        mean = 1 / len(levels)
        mm = (m.get(level, 0.0) + _WEIGHT_OF_DEFAULTS * mean * kept / (1 + kept)) / (
            total_m + _WEIGHT_OF_DEFAULTS * mean
        )
        uu = (u.get(level, 0.0) + _WEIGHT_OF_DEFAULTS * mean / (1 + kept)) / (total_u + _WEIGHT_OF_DEFAULTS * mean)
        yield key, max(-_MOST_BITS, min(_MOST_BITS, log2(mm / uu)))
