"""Rows loaded past the checks, however many."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from crmsync.sandbox.salesforce.org import SalesforceOrg


@pytest.fixture
def fresh() -> Iterator[SalesforceOrg]:
    org = SalesforceOrg()
    yield org
    org.close()


def deals(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {"Name": f"Deal {number}", "StageName": "Closed Won", "CloseDate": "2026-05-01", "Amount": 10}


def test_a_generator_is_written_as_it_comes(fresh: SalesforceOrg) -> None:
    fresh.load_rows("Opportunity", deals(10))
    tracemalloc.start()
    assert fresh.load_rows("Opportunity", deals(10_000)) == 10_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12_000_000  # a chunk of rows at a time; SQLite's own pages are not counted
    assert fresh.count("Opportunity") == 10_010


def test_derived_fields_follow_and_ids_are_handed_out_in_blocks(fresh: SalesforceOrg) -> None:
    ids = fresh.insert_rows("Opportunity", deals(3))
    assert ids == sorted(set(ids))
    row = fresh.row("Opportunity", ids[0]) or {}
    assert (row["IsWon"], row["Probability"], row["ExpectedRevenue"], row["FiscalQuarter"]) == (1, 100, 10, 2)


def test_rows_may_bring_their_ids_stamps_and_nothing_unknown(fresh: SalesforceOrg) -> None:
    given = {"Id": "001000000000001AAA", "Name": "old", "CreatedDate": "2020-01-01T00:00:00Z"}
    ids = fresh.insert_rows("Account", [given, {"Name": "new"}])
    assert ids[0] == given["Id"] != ids[1]
    assert (fresh.row("Account", ids[0]) or {})["SystemModstamp"] == "2020-01-01T00:00:00.000+0000"
    with pytest.raises(KeyError, match="Nope"):
        fresh.insert_rows("Account", [{"Nope": 1}])
    assert fresh.count("Account") == 2
