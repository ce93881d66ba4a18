"""Who changed a field: field history where it is tracked, else the record's last modification."""

from __future__ import annotations

import pytest

from crmsync.connectors.salesforce.connector import SalesforceConnector
from crmsync.connectors.salesforce.history import history_of
from crmsync.sandbox.salesforce.org import SalesforceOrg


@pytest.fixture
def account(org: SalesforceOrg) -> str:
    return org.create("Account", {"Name": "Acme", "Industry": "Energy"})


def admin_of(org: SalesforceOrg) -> str:
    return next(user["Name"] for user in org.users() if user["Id"] == org.person().user_id)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Opportunity", ("OpportunityFieldHistory", "OpportunityId")),
        ("Account", ("AccountHistory", "AccountId")),
        ("PRM_Registration__c", ("PRM_Registration__History", "ParentId")),
    ],
)
def test_each_object_has_its_own_history(name: str, expected: tuple[str, str]) -> None:
    assert history_of(name) == expected


def test_without_tracking_the_record_tells_who_changed_it_last(
    connector: SalesforceConnector, org: SalesforceOrg, account: str
) -> None:
    org.edit("Account", account, {"Industry": "Banking"})
    (edit,) = connector.edits("Account", [account], ["Industry"])[account, "Industry"]
    assert (edit.by, edit.source, edit.value) == (admin_of(org), "last modification", None)
    assert edit.at is not None


def test_field_history_tells_every_change_newest_first(
    connector: SalesforceConnector, org: SalesforceOrg, account: str
) -> None:
    org.track_history("Account", ["Industry"])
    for industry in ("Banking", "Retail"):
        org.edit("Account", account, {"Industry": industry, "Phone": f"1-{industry}"})
    edits = connector.edits("Account", [account], ["Industry", "Phone"])
    assert [edit.value for edit in edits[account, "Industry"]] == ["Retail", "Banking"]
    assert {edit.source for edit in edits[account, "Industry"]} == {"field history"}
    assert {edit.by for edit in edits[account, "Industry"]} == {admin_of(org)}
    assert [edit.source for edit in edits[account, "Phone"]] == ["last modification"]


def test_a_custom_objects_history_hangs_on_parent_id(connector: SalesforceConnector, org: SalesforceOrg) -> None:
    org.create_object("Claim__c", "Claim", "Claims")
    org.create_field("Claim__c", "Color__c", "Text", length=20)
    org.track_history("Claim__c", ["Color__c"])
    claim = org.create("Claim__c", {"Name": "one"})
    org.edit("Claim__c", claim, {"Color__c": "red"})
    (edit,) = connector.edits("Claim__c", [claim], ["Color__c"])[claim, "Color__c"]
    assert (edit.value, edit.source) == ("red", "field history")


def test_many_records_cost_few_calls(connector: SalesforceConnector, org: SalesforceOrg) -> None:
    org.track_history("Account", ["Industry"])
    ids = [org.create("Account", {"Name": f"A{number}"}) for number in range(120)]
    for record_id in ids:
        org.edit("Account", record_id, {"Industry": "Retail"})
    connector.edits("Account", ids[:1], ["Industry"])
    org.reset_requests()
    assert len(connector.edits("Account", ids, ["Industry"])) == 120
    assert len(org.requests) <= 3


def test_nothing_asked_costs_nothing(connector: SalesforceConnector, org: SalesforceOrg) -> None:
    assert connector.edits("Account", [], ["Industry"]) == {}
    assert org.requests == []
