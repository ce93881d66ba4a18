"""The page on the HubSpot half tells all there is, and nothing else."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from crmsync.sandbox.hubspot.api import associations, batches, http, objects
from crmsync.sandbox.hubspot.api.http import FAMILIES
from crmsync.sandbox.hubspot.api.routes import ENDPOINTS
from crmsync.sandbox.hubspot.behaviour import Behaviour
from crmsync.sandbox.hubspot.data import search
from crmsync.sandbox.hubspot.definitions.values import MAX_TEXT
from crmsync.sandbox.hubspot.limits import Limits
from crmsync.sandbox.hubspot.tokens import LIFETIME_S
from tests.sandbox.conformance.hubspot.differences import DIFFERENCES

PAGE = (Path(__file__).parents[3] / "docs" / "sandbox-hubspot.md").read_text()


def test_every_route_is_listed_and_no_other() -> None:
    served = {(e.method, (FAMILIES[e.family][0] + e.template).rstrip("/")) for e in ENDPOINTS}
    rows = re.findall(r"^\| `(/[^`]+)` \| ([A-Z ]+) \|", PAGE, re.MULTILINE)
    assert {(method, path) for path, methods in rows for method in methods.split()} == served


def test_every_setting_is_listed() -> None:
    assert {one.name for one in fields(Behaviour)} == set(re.findall(r"`behaviour\.(\w+)`", PAGE))


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("calls in ten seconds, per app", Limits().maximum["burst"]),
        ("searches in a second", Limits().maximum["search"]),
        ("association calls in ten seconds", Limits().maximum["associations"]),
        ("calls in a day", Limits().daily),
        ("records in a batch", batches.MAX_BATCH),
        ("records on a page of a list", objects.MAX_LIST),
        ("records on a page of a list with history", objects.MAX_LIST_WITH_HISTORY),
        ("results on a page of a search", search.MAX_PAGE),
        ("results of one search", search.MAX_HITS),
        ("characters of a search query", search.MAX_QUERY),
        ("characters of a text", MAX_TEXT),
        ("characters of a URL", http.MAX_URL),
        ("seconds an OAuth token lives", LIFETIME_S),
    ],
)
def test_every_limit_is_as_told(limit: str, value: int) -> None:
    assert re.search(rf"^\| {limit} \| {value} \|", PAGE, re.MULTILINE)


def test_every_difference_is_listed_with_its_reason() -> None:
    rows = PAGE.partition("## Where it differs")[2].partition("## Speed")[0]
    listed = re.findall(r"^\| ([a-z-]+) \| (.+) \|$", rows, re.MULTILINE)
    assert listed[1:] == [(one.name, one.reason) for one in DIFFERENCES]


def test_the_page_tells_the_sizes_of_association_calls() -> None:
    assert f"{associations.MAX_READ:,} inputs" in PAGE
    assert f"{associations.MAX_WRITE:,} inputs" in PAGE
