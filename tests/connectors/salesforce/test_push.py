from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from crmsync.connectors.salesforce.connector import SalesforceConnector
from crmsync.connectors.salesforce.push import _Allowance, _isolating
from crmsync.errors import Permanent, QuotaExhausted, Unreachable
from crmsync.remote import Outcome, Write
from crmsync.sandbox import Sandbox
from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.connectors.salesforce.conftest import Connect


@pytest.fixture
def accounts(org: SalesforceOrg) -> list[str]:
    org.create_field("Account", "Key__c", "Text", "Key", length=80, external_id=True, unique=True)
    org.create_field("Activity", "PRM_Key__c", "Text", "Key", length=80)
    return org.insert_rows("Account", [{"Name": f"A{number}"} for number in range(3)])


def rename(*ids: str) -> list[Write]:
    return [Write(f"w/{record_id}", "update", "Account", {"Name": "New"}, id=record_id) for record_id in ids]


def keyed(*keys: str) -> list[Write]:
    return [Write(f"w/{key}", "upsert", "Account", {"Name": key}, key_field="Key__c", key=key) for key in keys]


def task(key: str, subject: str = "Call") -> Write:
    fields = {"Subject": subject, "Status": "Not Started", "Priority": "Normal"}
    return Write(f"w/{key}", "upsert", "Task", fields, key_field="PRM_Key__c", key=key)


def names(org: SalesforceOrg, connector: SalesforceConnector, ids: list[str]) -> list[object]:
    return [record.fields["Name"] for record in connector.read("Account", ids, ["Name"]).values()]


def test_updates_go_in_one_call_with_an_outcome_each(
    connector: SalesforceConnector, org: SalesforceOrg, accounts: list[str]
) -> None:
    outcomes = connector.push(rename(*accounts))
    assert [(outcome.ref, outcome.status, outcome.id) for outcome in outcomes] == [
        (f"w/{record_id}", "ok", record_id) for record_id in accounts
    ]
    assert names(org, connector, accounts) == ["New"] * 3
    assert [method for method, _, _ in org.requests].count("PATCH") == 1


def test_only_the_fields_given_are_written_and_none_clears(
    connector: SalesforceConnector, org: SalesforceOrg, accounts: list[str]
) -> None:
    org.edit("Account", accounts[0], {"Website": "a.example", "Phone": "1"})
    connector.push([Write("w", "update", "Account", {"Website": None}, id=accounts[0])])
    (record,) = connector.read("Account", accounts[:1], ["Website", "Phone", "Name"]).values()
    assert dict(record.fields) == {"Website": None, "Phone": "1", "Name": "A0"}


def test_a_record_that_fails_leaves_the_others_alone(
    connector: SalesforceConnector, org: SalesforceOrg, accounts: list[str]
) -> None:
    org.delete("Account", accounts[1])
    too_long = Write("long", "update", "Account", {"Name": "x" * 300}, id=accounts[2])
    first, gone, long = connector.push([*rename(*accounts[:2]), too_long])
    assert (first.status, gone.status, long.status) == ("ok", "failed", "failed")
    assert gone.code == "ENTITY_IS_DELETED"
    assert long.code == "STRING_TOO_LONG"
    assert "xxx" not in long.message
    assert not gone.retriable


def test_an_upsert_creates_once_however_often_it_is_sent(
    connector: SalesforceConnector, org: SalesforceOrg, accounts: list[str]
) -> None:
    (first,) = connector.push(keyed("R-1"))
    (second,) = connector.push(keyed("R-1"))
    assert (first.status, first.created, second.created) == ("ok", True, False)
    assert first.id == second.id
    assert connector.count("Account") == 4


def test_a_task_is_found_by_its_key_before_it_is_created(connector: SalesforceConnector, accounts: list[str]) -> None:
    (first,) = connector.push([task("t-1")])
    again, fresh = connector.push([task("t-1", "Call back"), task("t-2")])
    assert (first.created, again.created, fresh.created) == (True, False, True)
    assert again.id == first.id
    assert connector.count("Task") == 2


@pytest.mark.parametrize(("when", "acted"), [("before", False), ("after", True)])
def test_a_lost_answer_makes_the_outcome_unknown_and_nothing_doubled(
    connector: SalesforceConnector, box: Sandbox, accounts: list[str], when: str, acted: bool
) -> None:
    connector.describe("Account")
    box.faults.add(system="salesforce", kind="drop", when=when, match="composite/sobjects")
    outcomes = connector.push(keyed("R-1", "R-2"))
    assert [outcome.status for outcome in outcomes] == ["unknown", "unknown"]
    assert bool(connector.find("Account", "Key__c", ["R-1"])) is acted
    assert [outcome.status for outcome in connector.push(keyed("R-1", "R-2"))] == ["ok", "ok"]
    assert connector.count("Account") == 5


def test_a_task_whose_answer_was_lost_is_not_doubled(
    connector: SalesforceConnector, box: Sandbox, accounts: list[str]
) -> None:
    box.faults.add(system="salesforce", kind="drop", when="after", match="composite/sobjects", method="POST")
    (lost,) = connector.push([task("t-1")])
    (found,) = connector.push([task("t-1")])
    assert (lost.status, found.status, found.created) == ("unknown", "ok", False)
    assert connector.count("Task") == 1


def test_an_outage_is_raised_with_nothing_written(
    connector: SalesforceConnector, box: Sandbox, accounts: list[str]
) -> None:
    connector.describe("Account")
    box.faults.add(system="salesforce", kind="down", times=None)
    with pytest.raises(Unreachable, match=r"did not answer .* after 4 tries \(503"):
        connector.push(rename(*accounts))
    assert box.salesforce.write_count() == 0


def test_a_short_outage_is_ridden_out(connector: SalesforceConnector, box: Sandbox, accounts: list[str]) -> None:
    box.faults.add(system="salesforce", kind="down", times=2, match="composite")
    assert [outcome.status for outcome in connector.push(rename(*accounts))] == ["ok"] * 3


def test_a_full_quota_stops_before_anything_is_sent(
    connector: SalesforceConnector, box: Sandbox, accounts: list[str]
) -> None:
    box.faults.add(system="salesforce", kind="quota")
    with pytest.raises(QuotaExhausted, match="TotalRequests Limit exceeded"):
        connector.push(rename(*accounts))
    assert box.salesforce.write_count() == 0


def test_the_share_of_the_quota_is_kept_for_others(connect: Connect, org: SalesforceOrg, accounts: list[str]) -> None:
    connector = connect(api_share=0.5)
    org.api_limit = org.api_calls + 10
    org.api_calls += 8
    connector.describe("Account")
    with pytest.raises(QuotaExhausted, match="crmsync stops at 50%") as raised:
        connector.push(rename(*accounts))
    assert "calls come back hour by hour, each 24 hours after it was made" in raised.value.hint


def test_a_session_that_ends_before_a_write_is_renewed_and_the_write_done(
    connector: SalesforceConnector, box: Sandbox, accounts: list[str]
) -> None:
    connector.describe("Account")
    box.faults.add(system="salesforce", kind="unauthorized", match="composite")
    assert [outcome.status for outcome in connector.push(rename(*accounts))] == ["ok"] * 3


def test_a_key_field_that_is_missing_is_named_before_anything_is_sent(connector: SalesforceConnector) -> None:
    with pytest.raises(Permanent, match=r"'Account\.Key__c'"):
        connector.push(keyed("R-1"))


def test_a_field_without_edit_permission_fails_with_the_vendors_reason(
    connector: SalesforceConnector, org: SalesforceOrg, accounts: list[str]
) -> None:
    org.create_field("Account", "Hidden__c", "Text", "Hidden", length=20, visible=False)
    (outcome,) = connector.push([Write("w", "update", "Account", {"Hidden__c": "x"}, id=accounts[0])])
    assert outcome.status == "failed"
    assert not outcome.retriable


def test_our_write_moves_the_stamp_once(connector: SalesforceConnector, box: Sandbox, accounts: list[str]) -> None:
    box.clock.set(datetime(2027, 1, 1, tzinfo=UTC))
    connector.push(rename(accounts[0]))
    (record,) = connector.read("Account", accounts[:1], ["Name"]).values()
    assert record.modified_at == datetime(2027, 1, 1, tzinfo=UTC)


def test_nothing_to_push_asks_nothing(connector: SalesforceConnector) -> None:
    assert list(connector.push([])) == []
    assert connector.budget().used == 0


@pytest.mark.parametrize("size", [2, 3, 25, 100, 200])
def test_one_poison_is_found_within_the_bound_wherever_it_is(size: int) -> None:
    for bad in range(size):
        sent: list[int] = []

        def send(writes: Sequence[Write], bad: int = bad, sent: list[int] = sent) -> list[Outcome]:
            sent.append(len(writes))
            if any(write.ref == str(bad) for write in writes):
                raise Permanent("refused as a whole", system="salesforce", status=400, vendor_code="JSON_PARSER_ERROR")
            return [Outcome(write.ref, "ok") for write in writes]

        writes = [Write(str(number), "update", "Account", {}, id=str(number)) for number in range(size)]
        outcomes = _isolating(send, writes, _Allowance(4 * math.ceil(math.log2(size + 1))))
        assert [int(o.ref) for o in outcomes if o.status != "ok"] == [bad]
        assert len(sent) <= 2 * math.log2(size) + 1
