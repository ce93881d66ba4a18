from __future__ import annotations

import pytest

from crmsync.connectors.salesforce.connector import SalesforceConnector
from crmsync.errors import Permanent
from crmsync.sandbox import Sandbox
from crmsync.sandbox.salesforce.org import SalesforceOrg


@pytest.fixture
def accounts(org: SalesforceOrg) -> list[str]:
    org.create_field("Account", "Key__c", "Text", "Key", length=80, external_id=True, unique=True)
    return org.insert_rows("Account", [{"Name": f"A{number}", "Key__c": f"k'{number}"} for number in range(5)])


def test_read_gives_current_values_by_id(connector: SalesforceConnector, accounts: list[str]) -> None:
    found = connector.read("Account", accounts[:2], ["Name"])
    assert {record_id: dict(record.fields) for record_id, record in found.items()} == {
        accounts[0]: {"Name": "A0"},
        accounts[1]: {"Name": "A1"},
    }
    assert found[accounts[0]].modified_at is not None


def test_read_leaves_out_what_is_gone_or_unknown(
    connector: SalesforceConnector, org: SalesforceOrg, accounts: list[str]
) -> None:
    org.delete("Account", accounts[0])
    assert list(connector.read("Account", [accounts[0], accounts[1], "001000000000000AAA"], ["Name"])) == [accounts[1]]


def test_read_takes_more_ids_than_one_call_holds(connector: SalesforceConnector, org: SalesforceOrg) -> None:
    made = org.insert_rows("Account", [{"Name": f"N{number}"} for number in range(2100)])
    assert len(connector.read("Account", made, ["Name"])) == 2100


def test_read_of_nothing_asks_nothing(connector: SalesforceConnector) -> None:
    assert connector.read("Account", [], ["Name"]) == {}
    assert connector.budget().used == 0


def test_find_is_safe_against_quotes_and_blind_to_case(connector: SalesforceConnector, accounts: list[str]) -> None:
    found = connector.find("Account", "Key__c", ["k'1", "K'2", "nobody", "x') OR (Name != '"])
    assert found == {"k'1": accounts[1], "K'2": accounts[2]}


def test_find_sees_what_was_just_written(
    connector: SalesforceConnector, org: SalesforceOrg, accounts: list[str]
) -> None:
    org.edit("Account", accounts[0], {"Key__c": "fresh"})
    assert connector.find("Account", "Key__c", ["fresh"]) == {"fresh": accounts[0]}


def test_find_splits_long_lists(connector: SalesforceConnector, box: Sandbox, accounts: list[str]) -> None:
    keys = [f"{number:060d}" for number in range(900)]
    assert connector.find("Account", "Key__c", [*keys, "k'4"]) == {"k'4": accounts[4]}


def test_find_by_a_field_that_is_missing_names_it(connector: SalesforceConnector) -> None:
    with pytest.raises(Permanent, match=r"'Account\.Nope__c'"):
        connector.find("Account", "Nope__c", ["x"])


def test_count_and_ids_leave_out_the_deleted(
    connector: SalesforceConnector, org: SalesforceOrg, accounts: list[str]
) -> None:
    org.delete("Account", accounts[0])
    assert connector.count("Account") == 4
    assert sorted(connector.ids("Account")) == sorted(accounts[1:])


def test_a_record_has_a_page_for_people(connector: SalesforceConnector, box: Sandbox) -> None:
    assert connector.record_url("Account", "001x") == f"{box.url}/lightning/r/Account/001x/view"
