"""docs/sandbox-salesforce.md says what there is: every route, every limit, every deliberate difference."""

from __future__ import annotations

import re
from pathlib import Path

from crmsync.sandbox.salesforce.api import collections, composite, replication
from crmsync.sandbox.salesforce.org import DAILY_LIMIT, SalesforceOrg
from crmsync.sandbox.salesforce.soql import runner
from tests.sandbox.conformance.salesforce.differences import DIFFERENCES

PAGE = (Path(__file__).parents[3] / "docs" / "sandbox-salesforce.md").read_text("utf-8")
SECTIONS = dict(part.partition("\n")[::2] for part in PAGE.split("\n## ")[1:])


def rows(section: str) -> list[list[str]]:
    """The cells of a section's tables, without heads and rules."""
    lines = (line for line in SECTIONS[section].splitlines() if line.startswith("|"))
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if not set("".join(row)) <= set("-| ")]


def documented() -> dict[str, set[str]]:
    return {row[0].strip("`"): set(row[1].split()) for row in rows("Endpoints") if row[0].startswith("`")}


def answered() -> dict[str, set[str]]:
    """Paths as the docs write them, of the routes and of the operations below a version."""
    org = SalesforceOrg()
    found: dict[str, set[str]] = {}
    for route in org.routes():
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path).rstrip("/")  # type: ignore[attr-defined]
        if not path.endswith("{rest}") and path != "/services/Soap/u/{version}/{org_id}":
            found.setdefault(path, set()).update(route.methods - {"HEAD"})  # type: ignore[attr-defined]
    for method, pattern, _ in org.front.dispatcher._known:
        path = re.sub(r"\(\?P<(\w+)>\[\^/\]\+\)", r"{\1}", pattern.pattern.removesuffix("/?"))
        found.setdefault(path or "/", set()).add(method)
    org.close()
    return found


def test_every_route_is_listed_with_its_methods() -> None:
    assert documented() == answered()


def test_every_difference_is_listed_with_its_reason() -> None:
    assert rows("Where it differs from a recording")[1:] == [[one.name, one.reason] for one in DIFFERENCES]


def test_limits_are_those_of_the_code() -> None:
    told = {row[0]: row[1] for row in rows("Limits")}
    assert told["API calls in a day"].startswith(str(DAILY_LIMIT))
    assert told["records on a page"].startswith(f"{runner.MAX_BATCH}, {runner.LONG_TEXT_BATCH}")
    assert told["open cursors"] == str(runner.MAX_CURSORS)
    assert told["records of a collection"] == str(collections.MAX_RECORDS)
    assert told["ids of getUpdated, getDeleted"] == str(replication.MAX_IDS)
    assert (
        told["parts of a composite request, queries among them"] == f"{composite.MAX_REQUESTS}, {composite.MAX_QUERIES}"
    )


def test_every_feature_says_whether_it_is_there() -> None:
    for section in ("SOQL", "Behaviour"):
        assert all(len(row) == 3 and row[1] for row in rows(section))
