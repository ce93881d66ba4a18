"""Conditional updates: one Composite call for 25, refused with 412 where somebody was faster."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crmsync.connectors.salesforce.connector import SalesforceConnector
from crmsync.remote import Outcome, Write
from crmsync.sandbox import Sandbox
from crmsync.sandbox.salesforce.org import SalesforceOrg

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.fixture
def ids(org: SalesforceOrg) -> list[str]:
    return org.insert_rows("Account", [{"Name": f"A{number}"} for number in range(30)])


def guarded(connector: SalesforceConnector, ids: list[str], name: str = "New") -> list[Write]:
    """As push does it: the stamp is the one just read."""
    rows = connector.read("Account", ids, ["Name"])
    return [Write(i, "update", "Account", {"Name": name}, id=i, unless_since=rows[i].modified_at) for i in ids]


def stale(record_id: str) -> Write:
    return Write(record_id, "update", "Account", {"Name": "Late"}, id=record_id, unless_since=LONG_AGO)


def statuses(outcomes: list[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def composites(org: SalesforceOrg) -> int:
    return sum(path.partition("?")[0].endswith("/composite") for _, path, _ in org.requests)


def test_thirty_go_in_two_calls(connector: SalesforceConnector, org: SalesforceOrg, ids: list[str]) -> None:
    outcomes = list(connector.push(guarded(connector, ids)))
    assert statuses(outcomes) == ["ok"] * 30
    assert [outcome.id for outcome in outcomes] == ids
    assert composites(org) == 2


def test_a_record_that_changed_is_left_alone_and_the_others_are_written(
    connector: SalesforceConnector, ids: list[str]
) -> None:
    outcomes = list(connector.push([*guarded(connector, ids[:2]), stale(ids[2])]))
    assert statuses(outcomes) == ["ok", "ok", "drifted"]
    assert [row.fields["Name"] for row in connector.read("Account", ids[:3], ["Name"]).values()] == ["New", "New", "A2"]


def test_writes_with_and_without_a_condition_keep_their_order(
    connector: SalesforceConnector, org: SalesforceOrg, ids: list[str]
) -> None:
    free = [Write(i, "update", "Account", {"Name": "Free"}, id=i) for i in ids[:2]]
    tied = guarded(connector, ids[2:4])
    outcomes = connector.push([free[0], tied[0], free[1], tied[1]])
    assert [outcome.ref for outcome in outcomes] == [ids[0], ids[2], ids[1], ids[3]]
    assert composites(org) == 1


def test_an_edit_within_the_second_of_the_stamp_is_not_caught(
    connector: SalesforceConnector, org: SalesforceOrg, ids: list[str]
) -> None:
    """HTTP dates are whole seconds; said so in docs/mapping.md."""
    (write,) = guarded(connector, ids[:1])
    assert write.unless_since is not None
    late = Write("w", "update", "Account", {"Name": "Over"}, id=ids[0], unless_since=write.unless_since)
    assert write.unless_since.microsecond == 0
    assert statuses(list(connector.push([late]))) == ["ok"]
    early = write.unless_since - timedelta(seconds=1)
    (caught,) = connector.push([Write("w", "update", "Account", {"Name": "X"}, id=ids[0], unless_since=early)])
    assert caught.status == "drifted"


def test_a_bad_value_fails_alone(connector: SalesforceConnector, ids: list[str]) -> None:
    good, bad = guarded(connector, ids[:2])
    long = Write(bad.ref, "update", "Account", {"Name": "x" * 300}, id=bad.id, unless_since=bad.unless_since)
    outcomes = list(connector.push([good, long]))
    assert statuses(outcomes) == ["ok", "failed"]
    assert outcomes[1].code == "STRING_TOO_LONG"


def test_a_lost_answer_is_unknown_and_not_sent_again(
    connector: SalesforceConnector, box: Sandbox, org: SalesforceOrg, ids: list[str]
) -> None:
    writes = guarded(connector, ids[:2])
    box.faults.add(system="salesforce", kind="drop", when="after", match="/composite", method="POST")
    assert statuses(list(connector.push(writes))) == ["unknown", "unknown"]
    assert composites(org) == 1
    assert [row.fields["Name"] for row in connector.read("Account", ids[:2], ["Name"]).values()] == ["New", "New"]
