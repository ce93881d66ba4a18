"""The curve over people's answers: what it says is counted, and what it suggests is never bolder than the answers."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.render.calibration import advice, at, build_curve, render_page, render_svg, suggest

ANSWERS = [(0.2, False), (0.6, True), (0.6, False), (0.9, True), (0.97, True), (0.99, True)]


def test_a_point_counts_what_is_at_or_above_it() -> None:
    point = at(build_curve(ANSWERS), 0.5)
    assert point is not None
    assert (point.at, point.right, point.wrong, point.missed) == (0.6, 4, 1, 0)
    assert (point.precision, point.recall) == (0.8, 1.0)


def test_the_lowest_threshold_with_the_wanted_precision_is_suggested() -> None:
    chosen = suggest(build_curve(ANSWERS), 0.995)
    assert chosen is not None
    assert (chosen.at, chosen.recall) == (0.9, 0.75)


def test_few_answers_prove_little() -> None:
    few, many = build_curve([(0.9, True)] * 3)[0], build_curve([(0.9, True)] * 3000)[0]
    assert few.precision == many.precision == 1.0
    assert few.surely == pytest.approx(0.4385, abs=1e-4)
    assert many.surely > 0.998


def test_where_nothing_is_good_enough_nothing_is_suggested() -> None:
    assert suggest(build_curve([(0.9, False), (0.8, True)])) is None
    assert suggest([]) is None
    assert "No threshold" in advice("account", None)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans())), st.floats(0.5, 1))
def test_what_is_suggested_holds_from_there_on(answers: list[tuple[float, bool]], wanted: float) -> None:
    curve = build_curve(answers)
    chosen = suggest(curve, wanted)
    if chosen is not None:
        above = [same for score, same in answers if score >= chosen.at]
        assert sum(above) / len(above) >= wanted


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=30))
def test_the_picture_is_a_picture(answers: list[tuple[float, bool]]) -> None:
    curve = build_curve(answers)
    svg = ET.fromstring(render_svg(curve, suggest(curve)))  # noqa: S314 - our own text
    width, height = (float(part) for part in svg.attrib["viewBox"].split()[2:])
    for line in svg.iter("{http://www.w3.org/2000/svg}line"):
        assert all(0 <= float(line.attrib[name]) <= max(width, height) for name in ("x1", "x2", "y1", "y2"))


def test_the_page_tells_each_kind_and_needs_nothing_from_elsewhere() -> None:
    page = render_page([("account", build_curve(ANSWERS)), ("contact", [])])
    assert "6 answers: 4 the same, 2 not" in page
    assert "identity.alike.account.match.at: 0.9" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
