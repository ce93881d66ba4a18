"""Rows that others see late, with the stamp of the write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from crmsync.sandbox import Sandbox
from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import Send

Query = Callable[..., list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _late(box: Sandbox) -> Iterator[None]:
    box.clock.set(datetime(2026, 3, 1, 12, tzinfo=UTC))
    box.salesforce.visibility_delay = 300
    yield
    box.salesforce.visibility_delay = 0
    box.clock.reset()


def test_a_new_row_appears_later_with_its_old_stamp(send: Send, query: Query, box: Sandbox) -> None:
    account = send("POST", "/sobjects/Account", {"Name": "slow commit"}).json()["id"]
    asked = f"SELECT Id, SystemModstamp FROM Account WHERE Id = '{account}'"
    assert query(asked) == []
    assert send("GET", f"/sobjects/Account/{account}").status_code == 200
    box.clock.advance(301)
    assert query(asked) == [{"Id": account, "SystemModstamp": "2026-03-01T12:00:00.000+0000"}]


def test_a_changed_row_shows_its_old_values_meanwhile(
    send: Send, query: Query, box: Sandbox, org: SalesforceOrg
) -> None:
    org.visibility_delay = 0
    account = org.create("Account", {"Name": "before"})
    org.visibility_delay = 300
    send("PATCH", f"/sobjects/Account/{account}", {"Name": "between"})
    send("PATCH", f"/sobjects/Account/{account}", {"Name": "after"})
    asked = f"SELECT Name FROM Account WHERE Id = '{account}'"
    assert query(asked) == [{"Name": "before"}]
    box.clock.advance(301)
    assert query(asked) == [{"Name": "after"}]


def test_a_deleted_row_and_pages_of_many(send: Send, query: Query, box: Sandbox, org: SalesforceOrg) -> None:
    org.visibility_delay = 0
    org.insert_rows("Lead", ({"LastName": f"l{n}", "Company": "c"} for n in range(450)))
    org.visibility_delay = 300
    org.delete("Lead", query("SELECT Id FROM Lead LIMIT 1")[0]["Id"])
    headers = {"Sforce-Query-Options": "batchSize=200"}
    page = send("GET", "/query", params={"q": "SELECT LastName FROM Lead ORDER BY Id"}, headers=headers).json()
    seen = len(page["records"])
    while not page["done"]:
        page = send("GET", page["nextRecordsUrl"]).json()
        seen += len(page["records"])
    assert seen == 450
    box.clock.advance(301)
    assert len(query("SELECT Id FROM Lead")) == 449


def test_what_is_undone_leaves_no_shadow(send: Send, query: Query, org: SalesforceOrg) -> None:
    name = org.create("Account", {"Name": "a"})
    record = {"attributes": {"type": "Account"}, "Id": name, "Name": "b"}
    broken = {"attributes": {"type": "Account"}, "Name": ""}
    send("PATCH", "/composite/sobjects", {"allOrNone": True, "records": [record, broken]})
    assert (org.row("Account", name) or {})["Name"] == "a"
