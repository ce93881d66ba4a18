"""Fits the model to what people have answered: how much each level is really worth here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import exp, log, log1p

from crmsync.identity.levels import compare
from crmsync.identity.model import Model
from crmsync.identity.records import Prepared
from crmsync.identity.score import Frequency, Scorer, probability_of

_ROUNDS = 25
_SETTLED = 1e-6
_SMALLEST = 1e-6
"""Part of a step below which the search gives up to find a better place."""
_STAY = 0.05
"""How strongly a level's weight is held where the model had it, in answers per squared bit."""
_STAY_PRIOR = 0.02


@dataclass(frozen=True, slots=True)
class _Point:
    """A judged pair. ``bits`` is what the model says; ``places`` are the levels that it shows."""

    bits: float
    places: tuple[int, ...]
    same: bool

    def after(self, moves: Sequence[float]) -> float:
        """The bits once the weights have moved."""
        return self.bits + sum(moves[i] for i in self.places)


def refit(model: Model, answers: Iterable[tuple[Prepared, Prepared, str]], frequency: Frequency | None = None) -> Model:
    """The model with its weights moved towards the answers, by logistic regression around the weights that it had.

    A level that no answer shows keeps its weight.

    :param answers: both records, and ``duplicate``, ``related`` or ``different``; relatives are alike.
    :param frequency: as the scorer's; without it every value is as common as is usual.
    """
    scorer = Scorer(model, frequency or (lambda column, _value: model.usual.get(column, 1e-4)))
    shown = [(one, other, compare(one, other), answer != "different") for one, other, answer in answers]
    names = sorted({f"{name}.{level}" for _, _, levels, _ in shown for name, level in levels.items()})
    place = {name: number for number, name in enumerate(names, start=1)}
    points = [
        _Point(scorer.bits(one, other), (0, *(place[f"{n}.{level}"] for n, level in levels.items())), same)
        for one, other, levels, same in shown
    ]
    moves = _fit(points, len(names) + 1)
    weights = {name: round(model.slope * model.weights.get(name, 0.0) + moves[place[name]], 4) for name in names}
    kept = {name: model.slope * bits for name, bits in model.weights.items()}
    prior = model.slope * model.prior + model.offset + moves[0]
    return replace(model, weights={**kept, **weights}, prior=round(prior, 4), slope=1.0, offset=0.0)


def _fit(points: Sequence[_Point], size: int) -> list[float]:
    """Newton's method; each step solves for all moves at once, and is halved until it brings the search closer."""
    moves = [0.0] * size
    stay = [_STAY_PRIOR] + [_STAY] * (size - 1)
    loss = _loss(points, moves, stay)
    for _ in range(_ROUNDS):
        step, part = _solve(*_curve_and_slope(points, moves, stay)), 1.0
        while (found := _loss(points, _moved(moves, step, part), stay)) > loss and part > _SMALLEST:
            part /= 2
        moves, loss = _moved(moves, step, part), found
        if max(map(abs, step)) * part < _SETTLED:
            break
    return moves


def _curve_and_slope(
    points: Sequence[_Point], moves: Sequence[float], stay: Sequence[float]
) -> tuple[list[list[float]], list[float]]:
    """The second and the first derivatives of the loss."""
    slope = [s * m for s, m in zip(stay, moves, strict=True)]
    curve = [[s if i == j else 0.0 for j in range(len(stay))] for i, s in enumerate(stay)]
    for point in points:
        p = probability_of(point.after(moves))
        error, spread = (p - point.same) * log(2), p * (1 - p) * log(2) ** 2
        for i in point.places:
            slope[i] += error
            row = curve[i]
            for j in point.places:
                row[j] += spread
    return curve, slope


def _moved(moves: Sequence[float], step: Sequence[float], part: float) -> list[float]:
    return [move - part * own for move, own in zip(moves, step, strict=True)]


def _loss(points: Sequence[_Point], moves: Sequence[float], stay: Sequence[float]) -> float:
    """What the search makes small: how wrong the answers are foretold, and how far the weights have moved."""
    total = sum(s * m * m for s, m in zip(stay, moves, strict=True)) / 2
    for point in points:
        bits = point.after(moves) * log(2)
        wrong = -bits if point.same else bits
        total += wrong if wrong > 60 else log1p(exp(wrong))
    return total


def _solve(matrix: list[list[float]], right: Sequence[float]) -> list[float]:
    """Of a symmetric positive definite system, by elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for i in range(size):
        for j in range(i + 1, size):
            if factor := rows[j][i] / rows[i][i]:
                rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i], strict=True)]
    found = [0.0] * size
    for i in reversed(range(size)):
        found[i] = (rows[i][size] - sum(rows[i][j] * found[j] for j in range(i + 1, size))) / rows[i][i]
    return found
