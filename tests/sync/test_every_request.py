"""One request of a sync goes wrong, whichever it is: the next sync heals, and nothing is lost, doubled or overwritten.

Every request in turn is cut (before the CRM saw it, and after it acted), answered with an error or a web page. By
default a third of them, another third each day; ``CRMSYNC_EXHAUSTIVE=1`` takes them all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from crmsync.errors import CrmsyncError
from tests.sync.conftest import SYSTEMS, TODAY, Bench, begin_again
from tests.sync.people import People, assert_nobody_was_overwritten, assert_nothing_is_doubled

EVERY = 1 if os.environ.get("CRMSYNC_EXHAUSTIVE") else 6
MOST = 80

pytestmark = [pytest.mark.parametrize("system", SYSTEMS), pytest.mark.usefixtures("impatient")]


def requests_to_hit(first: int) -> Iterator[int]:
    return iter(range(first % EVERY, MOST, EVERY))


def fields_of(bench: Bench, system: str) -> dict[tuple[str, str], Any]:
    """What the CRM holds of the fields that crmsync writes, the time of writing left out."""
    people = People(bench, system)
    names: dict[str, set[str]] = {}
    for kind in people.mapping.kinds:
        for mapped in people.mapping.written(kind):
            if mapped.field != "synced_at":
                names.setdefault(mapped.object, set()).add(mapped.remote_field)
    return {
        (name, record_id): {field: fields.get(field) or None for field in sorted(names[name])}
        for name in sorted(names)
        for record_id, fields in people.rows(name)
    }


@pytest.fixture(scope="module")
def undisturbed(stage: Bench, tiny_world: Path) -> dict[str, Any]:
    """What each CRM holds after a first sync in which nothing went wrong."""
    begin_again(stage, tiny_world)
    for system in SYSTEMS:
        stage.sync(system)
    return {system: fields_of(stage, system) for system in SYSTEMS}


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("drop", {"when": "before"}),
        ("drop", {"when": "after"}),
        ("down", {}),
        ("rate_limit", {}),
        ("unauthorized", {}),
        ("html", {}),
    ],
    ids=["cut-before", "cut-after", "503", "429", "401", "html"],
)
def test_a_request_that_goes_wrong_is_made_good(
    stage: Bench, tiny_world: Path, undisturbed: dict[str, Any], system: str, kind: str, more: dict[str, Any]
) -> None:
    for number in requests_to_hit(TODAY.day + len(kind)):
        begin_again(stage, tiny_world)
        stage.box.faults.add(system=system, kind=kind, at=number + 1, **more)
        with suppress(CrmsyncError):
            stage.sync(system)
        if stage.box.faults.armed():
            stage.box.faults.clear()
            break
        _heals(stage, system, undisturbed, f"request {number}")


def _heals(bench: Bench, system: str, undisturbed: dict[str, Any], case: str) -> None:
    bench.box.clock.advance(60)
    _, report = bench.sync(system)
    assert report.status == "ok", (case, report.failures)
    with bench.session(system) as session:
        assert session.store.unresolved() == [], case
        assert session.store.pending() == [], case
    plan, _ = bench.sync(system)
    assert plan.changes == (), case
    assert fields_of(bench, system) == undisturbed[system], case
    people = People(bench, system)
    assert_nobody_was_overwritten(people)
    assert_nothing_is_doubled(people)
