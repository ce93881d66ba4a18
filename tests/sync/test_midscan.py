"""Paging that cannot lose: people edit while pages are read, stamps tie by the ten thousand, records surface late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from crmsync.connectors.base import Connector
from crmsync.connectors.hubspot.connector import HubSpotConnector
from crmsync.connectors.salesforce.connector import SalesforceConnector
from crmsync.remote import Cursor, ObjectSpec
from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN, SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET
from tests.connectors.scripted import settings

CHANGED, EDITED, TIED = 1000, 50, 25_000


@dataclass
class Crm:
    """An empty CRM and one object of it."""

    box: Sandbox
    system: str

    def connect(self) -> Connector:
        """Anew for each scan, as each run does: a connection's clock is the CRM's at its last answer."""
        if self.system == "hubspot":
            return HubSpotConnector(settings(self.box.url, "hubspot", secrets={"token": HUBSPOT_TOKEN}))
        auth, secrets = {"client_id": SALESFORCE_CLIENT_ID}, {"client_secret": SALESFORCE_CLIENT_SECRET}
        return SalesforceConnector(settings(self.box.url, auth=auth, secrets=secrets))

    @property
    def spec(self) -> ObjectSpec:
        return ObjectSpec("Account", ("Name",)) if self.system == "salesforce" else ObjectSpec("companies", ("name",))

    @property
    def crm(self) -> Any:
        return getattr(self.box, self.system)

    def insert(self, number: int) -> list[str]:
        """Records that carry one and the same stamp: now."""
        now = self.box.clock.now().replace(microsecond=0)
        text = now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        if self.system == "salesforce":
            dated = {"SystemModstamp": text, "LastModifiedDate": text, "CreatedDate": text}
            return list(self.crm.insert_rows("Account", [{"Name": f"a{i}", **dated} for i in range(number)]))
        dated = {"createdate": text, "hs_lastmodifieddate": text}
        return list(self.crm.insert_rows("companies", [{"name": f"a{i}", **dated} for i in range(number)]))

    def edit(self, record_id: str, name: str) -> None:
        if self.system == "salesforce":
            self.crm.edit("Account", record_id, {"Name": name})
        else:
            self.crm.edit("companies", record_id, {"name": name})

    def pull(self, cursor: Cursor | None, between: Any = None) -> tuple[dict[str, Any], Cursor]:
        """What a whole pull gives, by id; ``between`` is called after its first page."""
        seen: dict[str, Any] = {}
        with closing(self.connect()) as connector:
            for number, page in enumerate(connector.pull(self.spec, cursor)):
                seen.update({record.id: record.fields[self.spec.fields[0]] for record in page.records})
                cursor = page.cursor
                if number == 0 and between:
                    between()
        assert cursor is not None
        return seen, cursor


@pytest.fixture(params=["salesforce", "hubspot"])
def crm(request: pytest.FixtureRequest) -> Iterator[Crm]:
    with Sandbox(world="blank") as box:
        yield Crm(box, request.param)


def test_edits_between_two_pages_lose_nothing(crm: Crm) -> None:
    """Of 1,000 changed records the first 50 are edited after the first page: both runs together give every record its
    last state. (Pages by modified date, as most tools make them, lose 50 others for good.)"""
    _, cursor = crm.pull(None)
    crm.box.clock.advance(3600)
    # a page of Salesforce has 2,000 rows: to be between two, there must be more than that
    number = CHANGED if crm.system == "hubspot" else CHANGED + 2000
    ids = crm.insert(number)

    def edit() -> None:
        crm.box.clock.advance(5)
        for record_id in ids[:EDITED]:
            crm.edit(record_id, "edited")

    first, cursor = crm.pull(cursor, edit)
    crm.box.clock.advance(900)
    second, _ = crm.pull(cursor)
    assert first.keys() | second.keys() == set(ids)
    assert {(first | second)[record_id] for record_id in ids[:EDITED]} == {"edited"}
    assert len(second) <= number  # the overlap gives some again; never anything foreign


def test_ten_thousands_of_records_on_one_stamp_all_come_once(crm: Crm) -> None:
    _, cursor = crm.pull(None)
    crm.box.clock.advance(3600)
    ids = crm.insert(TIED)
    crm.box.clock.advance(900)
    requests = len(crm.crm.requests)
    seen, cursor = crm.pull(cursor)
    assert seen.keys() == set(ids)
    page = 2000 if crm.system == "salesforce" else 200
    assert len(crm.crm.requests) - requests <= TIED // page + 3
    crm.box.clock.advance(3600)
    assert crm.pull(cursor)[0] == {}


def test_an_interrupted_scan_of_one_stamp_goes_on_behind_the_last_page(crm: Crm) -> None:
    _, cursor = crm.pull(None)
    crm.box.clock.advance(3600)
    ids = crm.insert(3 * 2000)
    with closing(crm.connect()) as connector:
        first = next(iter(connector.pull(crm.spec, cursor)))
    rest, _ = crm.pull(first.cursor)
    given = {record.id for record in first.records}
    assert given | rest.keys() == set(ids)
    assert not given & rest.keys()


def test_records_that_surface_late_are_in_the_next_scan(crm: Crm) -> None:
    """Committed with a stamp that the last scan had already passed."""
    _, cursor = crm.pull(None)
    crm.box.clock.advance(60)
    if crm.system == "salesforce":
        crm.crm.visibility_delay = 300
        late = crm.crm.create("Account", {"Name": "late"})
    else:
        crm.crm.behaviour.index_lag_ms = 300_000
        late = crm.crm.create("companies", {"name": "late"})
    crm.box.clock.advance(60)
    unseen, cursor = crm.pull(cursor)
    assert late not in unseen
    crm.box.clock.advance(300)
    assert crm.pull(cursor)[0].get(late) == "late"
