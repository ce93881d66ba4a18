"""Fits the model to what people have answered: how many bits the evidence is really worth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import exp, log

from crmsync.identity.model import Model
from crmsync.identity.records import Prepared
from crmsync.identity.score import Scorer

_STEPS = 50
_STAY = 2.0
"""How much a model that is right already resists, in answers."""


def refit(model: Model, answers: Iterable[tuple[Prepared, Prepared, str]]) -> Model:
    """The model with slope and offset fitted to the answers, by regularised logistic regression."""
    scorer = Scorer(replace(model, slope=1.0, offset=0.0), lambda _column, _value: 1e-4)
    points = [(scorer.score(one, other).weight, float(answer != "different")) for one, other, answer in answers]
    slope, offset = _fit(points, model.slope, model.offset)
    return replace(model, slope=round(slope, 6), offset=round(offset, 6))


def _fit(points: Sequence[tuple[float, float]], slope: float, offset: float) -> tuple[float, float]:
    """Newton's method on two parameters; the former ones are where a lack of answers leads back to."""
    a, b = slope, offset
    for _ in range(_STEPS):
        ga, gb, haa, hab, hbb = _STAY * (a - slope), _STAY * (b - offset) / 10, _STAY, 0.0, _STAY / 10
        for weight, same in points:
            p = 1 / (1 + exp(-max(-40.0, min(40.0, (a * weight + b) * log(2)))))
            error, spread = (p - same) * log(2), p * (1 - p) * log(2) ** 2
            ga, gb = ga + error * weight, gb + error
            haa, hab, hbb = haa + spread * weight * weight, hab + spread * weight, hbb + spread
        determinant = haa * hbb - hab * hab
        a, b = a - (hbb * ga - hab * gb) / determinant, b - (haa * gb - hab * ga) / determinant
    return max(a, 0.1), b
