"""Records that change while they are being read, and thousands on one timestamp: every one is delivered.

The experiment at which sorting by the modified date loses fifty of a thousand deals for good: an incremental pull has
read its first page when somebody edits fifty of the deals on it. Two pulls must bring the last state of every deal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from crmsync.connectors import open_connector
from crmsync.connectors.base import ConnectionSettings, Connector
from crmsync.remote import Cursor, ObjectSpec
from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN, SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET
from crmsync.sandbox.salesforce.soql import runner
from tests.sync.conftest import SYSTEMS

START = datetime(2026, 6, 17, 9, 0, tzinfo=UTC)
CHANGED, EDITED, TIED = 1_000, 50, 25_000
SPECS = {
    "salesforce": ObjectSpec("Opportunity", ("Name", "NextStep")),
    "hubspot": ObjectSpec("deals", ("dealname", "description")),
}
ROWS: dict[str, Callable[[int], dict[str, Any]]] = {
    "salesforce": lambda n: {"Name": f"Deal {n}", "StageName": "Prospecting", "CloseDate": "2026-12-31"},
    "hubspot": lambda n: {"dealname": f"Deal {n}"},
}

pytestmark = pytest.mark.parametrize("system", SYSTEMS)


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Time stands still; Salesforce gives 200 rows a page, as HubSpot does."""
    for name in ("MAX_BATCH", "LONG_TEXT_BATCH"):
        monkeypatch.setattr(runner, name, 200)
    with Sandbox(world="blank") as running:
        running.clock.set(START)
        yield running


@pytest.fixture
def connector(box: Sandbox, system: str) -> Iterator[Connector]:
    auth, secrets = {
        "salesforce": ({"client_id": SALESFORCE_CLIENT_ID}, {"client_secret": SALESFORCE_CLIENT_SECRET}),
        "hubspot": ({}, {"token": HUBSPOT_TOKEN}),
    }[system]
    with closing(open_connector(ConnectionSettings("test", system, box.url, auth, secrets))) as opened:
        yield opened


def make(box: Sandbox, system: str, number: int) -> list[str]:
    crm = getattr(box, system)
    return list(crm.insert_rows(SPECS[system].object, (ROWS[system](n) for n in range(number))))


def edit(box: Sandbox, system: str, ids: list[str], text: str) -> None:
    field = SPECS[system].fields[1]
    for record_id in ids:
        getattr(box, system).edit(SPECS[system].object, record_id, {field: text})


def pull(
    connector: Connector, system: str, cursor: Cursor | None, between: Callable[[], None] = lambda: None
) -> tuple[dict[str, Any], Cursor, int]:
    """The last state delivered of each record, the cursor, and the number of pages; ``between`` is done once."""
    held: dict[str, Any] = {}
    pages = 0
    for page in connector.pull(SPECS[system], cursor):
        held |= {record.id: record.fields.get(SPECS[system].fields[1]) for record in page.records}
        cursor = page.cursor
        pages += bool(page.records)
        if pages == 1:
            between()
            between = lambda: None  # noqa: E731
    assert cursor is not None
    return held, cursor, pages


def test_what_is_edited_between_two_pages_is_delivered(box: Sandbox, connector: Connector, system: str) -> None:
    ids = make(box, system, CHANGED)
    _, cursor, _ = pull(connector, system, None)
    box.clock.advance(3600)
    edit(box, system, ids, "changed")
    box.clock.advance(60)
    first_page: list[str] = sorted(ids)[:EDITED]

    def rush() -> None:
        box.clock.advance(1)
        edit(box, system, first_page, "edited between two pages")
        box.clock.advance(1)

    first, cursor, pages = pull(connector, system, cursor, rush)
    assert pages >= 5
    box.clock.advance(60)
    second, _, _ = pull(connector, system, cursor)
    assert set(first) | set(second) == set(ids)
    held = first | second
    assert {held[one] for one in first_page} == {"edited between two pages"}
    assert {held[one] for one in ids if one not in first_page} == {"changed"}


def test_thousands_of_records_with_one_timestamp_are_delivered(box: Sandbox, connector: Connector, system: str) -> None:
    _, cursor, _ = pull(connector, system, None)
    box.clock.advance(3600)
    ids = make(box, system, TIED)
    box.clock.advance(60)
    held, _, pages = pull(connector, system, cursor)
    assert set(held) == set(ids)
    assert pages <= TIED / 200 + 2
