"""How precise the matching model is on an admin's own answers: a curve, a suggestion, a picture. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import log10, sqrt

WANTED = 0.995
"""The precision that a match must have, which may block others."""


@dataclass(frozen=True, slots=True)
class Point:
    """What happens at a threshold: of the pairs at or above it, ``right`` are the same and ``wrong`` are not."""

    at: float
    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 0.0

    @property
    def surely(self) -> float:
        """The precision that these answers prove: the lower end of Wilson's 95 % interval. Few answers prove little."""
        n, z = self.right + self.wrong, 1.96
        if n == 0:
            return 0.0
        p, room = self.precision, z * z / n
        return (p + room / 2 - z * sqrt((p * (1 - p) + room / 4) / n)) / (1 + room)


def build_curve(answers: Iterable[tuple[float, bool]]) -> list[Point]:
    """``(score, is the same)`` to a point for every score that occurs, the lowest first."""
    ordered = sorted(answers)
    total = sum(same for _, same in ordered)
    points: list[Point] = []
    right = wrong = 0
    for position in range(len(ordered) - 1, -1, -1):
        score, same = ordered[position]
        right, wrong = right + same, wrong + (not same)
        if position == 0 or ordered[position - 1][0] < score:
            points.append(Point(score, right, wrong, total - right))
    return points[::-1]


def suggest(curve: Sequence[Point], wanted: float = WANTED) -> Point | None:
    """The lowest threshold from which on the precision is never below what is wanted; ``None`` where there is none."""
    found: Point | None = None
    for point in reversed(curve):
        if point.precision < wanted:
            break
        found = point
    return found if found is not None and found.right else None


# ---------------------------------------------------------------- the picture

_WIDTH, _HEIGHT, _LEFT, _TOP = 640, 320, 56, 20
_STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1c2430}
table{border-collapse:collapse}td,th{padding:.25rem .9rem .25rem 0;text-align:right;font-variant-numeric:tabular-nums}
th{font-weight:600;border-bottom:1px solid #ccd3dc}svg{width:100%;height:auto}figure{margin:1rem 0}
h2{margin-top:2.2rem}.dim{color:#5b6675}"""


def render_page(curves: Sequence[tuple[str, Sequence[Point]]], *, wanted: float = WANTED, title: str = "") -> str:
    """One HTML page with a picture and a table for each kind; it needs nothing from elsewhere."""
    body = "\n".join(_section(kind, curve, wanted) for kind, curve in curves)
    head = escape(title or "How sure is sure enough?")
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{head}</title>\n<style>{_STYLE}</style>\n'
        f"<h1>{head}</h1>\n<p>Precision: of the pairs at or above a threshold, the share that you said are the same. "
        "Recall: of all pairs that you said are the same, the share at or above it. Both are measured on your own "
        f"answers only, which are not a random sample.</p>\n{body}\n</html>\n"
    )


def _section(kind: str, curve: Sequence[Point], wanted: float) -> str:
    chosen = suggest(curve, wanted)
    same = curve[0].right if curve else 0
    different = curve[0].wrong if curve else 0
    return (
        f"<h2>{escape(kind.capitalize())}s</h2>\n<p>{same + different} answers: {same} the same, {different} not. "
        f"{escape(advice(kind, chosen, wanted))}</p>\n"
        f"<figure>{render_svg(curve, chosen, wanted)}</figure>\n{_table(curve)}"
    )


def advice(kind: str, chosen: Point | None, wanted: float = WANTED) -> str:
    """One or two sentences: the threshold that the answers suggest."""
    if chosen is None:
        return (
            f"No threshold reaches a precision of {wanted:.1%} on these answers: leave identity.alike.{kind} as it is."
        )
    proved = f"{chosen.right + chosen.wrong} answers prove at least {chosen.surely:.1%}"
    return (
        f"identity.alike.{kind}.match.at: {_down(chosen.at)} has precision {chosen.precision:.1%} "
        f"and recall {chosen.recall:.1%}; {proved}."
    )


def _down(threshold: float) -> str:
    """Four digits, never above the threshold itself."""
    return f"{int(threshold * 10_000) / 10_000:.4f}".rstrip("0").rstrip(".")


def render_svg(curve: Sequence[Point], chosen: Point | None, wanted: float = WANTED) -> str:
    """Precision and recall by threshold. Scores crowd near 1, so the axis is stretched there."""
    lines = [*_grid(), *_wanted_line(wanted)]
    if curve:
        lines += [_path(curve, "precision", "#0b62d6"), _path(curve, "recall", "#c2570c")]
    if chosen is not None:
        x = _x(chosen.at)
        side, anchor = (1, "start") if x < _LEFT + _WIDTH / 2 else (-1, "end")
        lines.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_TOP + _HEIGHT}" stroke="#1c2430" '
            'stroke-dasharray="4 4"/>'
            f'<text x="{x + side * 6:.1f}" y="{_TOP + _HEIGHT - 8}" text-anchor="{anchor}">'
            f"suggested: {_down(chosen.at)}</text>"
        )
    width, height = _LEFT + _WIDTH + 90, _TOP + _HEIGHT + 44
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Precision and recall by threshold" font-family="system-ui,sans-serif" font-size="13">'
        f"{''.join(lines)}{_legend()}</svg>"
    )


_MARKS = (0.0, 0.2, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0)


def _x(score: float) -> float:
    """0 to 1, with the last tenth as wide as the rest."""
    stretched = score / 1.8 if score <= 0.9 else 0.5 + _near_one(score) / 2
    return _LEFT + _WIDTH * min(max(stretched, 0.0), 1.0)


def _near_one(score: float) -> float:
    """0 at 0.9, 1 at 1: thirds for 0.9, 0.99, 0.999."""
    return 1.0 if score > 1 - 1e-4 else (-log10(1 - score) - 1) / 3


def _y(share: float) -> float:
    return _TOP + _HEIGHT * (1 - share)


def _grid() -> Iterator[str]:
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _y(share)
        yield f'<line x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e3e7ed"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#5b6675">{share:.0%}</text>'
    for mark in _MARKS:
        x = _x(mark)
        yield f'<text x="{x:.1f}" y="{_TOP + _HEIGHT + 18}" text-anchor="middle" fill="#5b6675">{mark:g}</text>'
    middle = _LEFT + _WIDTH / 2
    yield f'<text x="{middle}" y="{_TOP + _HEIGHT + 38}" text-anchor="middle" fill="#5b6675">threshold</text>'


def _wanted_line(wanted: float) -> Iterator[str]:
    y = _y(wanted)
    ends = f'x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y:.1f}" y2="{y:.1f}"'
    yield f'<line {ends} stroke="#2a8a4a" stroke-dasharray="2 3"/>'


def _path(curve: Sequence[Point], name: str, color: str) -> str:
    steps: list[str] = []
    last = 0.0
    for point in curve:
        y = _y(getattr(point, name))
        steps.append(f"{'L' if steps else 'M'}{_x(last):.1f} {y:.1f} L{_x(point.at):.1f} {y:.1f}")
        last = point.at
    return f'<path d="{" ".join(steps)}" fill="none" stroke="{color}" stroke-width="2.2"/>'


def _legend() -> str:
    x = _LEFT + _WIDTH + 12
    return (
        f'<text x="{x}" y="{_TOP + 14}" fill="#0b62d6">precision</text>'
        f'<text x="{x}" y="{_TOP + 34}" fill="#c2570c">recall</text>'
        f'<text x="{x}" y="{_TOP + 54}" fill="#2a8a4a">wanted</text>'
    )


def _table(curve: Sequence[Point]) -> str:
    rows = "".join(
        f"<tr><td>{mark:g}</td><td>{p.precision:.1%}</td><td>{p.surely:.1%}</td><td>{p.recall:.1%}</td>"
        f"<td>{p.right}</td><td>{p.wrong}</td><td>{p.missed}</td></tr>"
        for mark in (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
        if (p := at(curve, mark)) is not None
    )
    names = ("at", "precision", "proved", "recall", "right", "wrong", "missed")
    return f"<table><tr>{''.join(f'<th>{name}</th>' for name in names)}</tr>{rows}</table>"


def at(curve: Sequence[Point], threshold: float) -> Point | None:
    """What holds at a threshold; ``None`` where no pair is so likely."""
    return next((point for point in curve if point.at >= threshold), None)
