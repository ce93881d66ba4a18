"""Field history, as an administrator turns it on: an object of its own for each tracked object."""

from __future__ import annotations

from typing import Any

import pytest
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest

from crmsync.sandbox.salesforce.fieldhistory import MAX_TRACKED
from crmsync.sandbox.salesforce.org import SalesforceOrg

HISTORY = "SELECT {}, Field, OldValue, NewValue, CreatedBy.Name FROM {} ORDER BY Id"


def told(sf: Salesforce, name: str = "AccountHistory", link: str = "AccountId") -> list[tuple[Any, ...]]:
    rows = sf.query(HISTORY.format(link, name))["records"]
    return [(row["Field"], row["OldValue"], row["NewValue"]) for row in rows]


def test_it_is_off_at_first(sf: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="LeadHistory"):
        sf.query(HISTORY.format("LeadId", "LeadHistory"))


def test_tracked_fields_leave_a_row_per_change(sf: Salesforce, org: SalesforceOrg) -> None:
    org.track_history("Account", ["Industry", "ParentId"])
    parent = org.create("Account", {"Name": "Holding"})
    account = org.create("Account", {"Name": "Acme", "Industry": "Energy"})
    org.edit("Account", account, {"Industry": "Banking", "Phone": "1"})
    org.edit("Account", account, {"Industry": "Banking"})
    org.edit("Account", account, {"ParentId": parent})
    assert told(sf) == [
        ("Industry", "Energy", "Banking"),
        ("ParentId", None, "Holding"),
        ("ParentId", None, parent),
    ]
    row = sf.query(HISTORY.format("AccountId", "AccountHistory"))["records"][0]
    assert (row["AccountId"], row["CreatedBy"]["Name"]) == (account, "System Admin")


def test_the_opportunitys_has_a_name_of_its_own(sf: Salesforce, org: SalesforceOrg) -> None:
    org.track_history("Opportunity", ["StageName"])
    deal = org.create("Opportunity", {"Name": "one", "StageName": "Prospecting", "CloseDate": "2026-12-31"})
    org.edit("Opportunity", deal, {"StageName": "Closed Lost"})
    assert told(sf, "OpportunityFieldHistory", "OpportunityId") == [("StageName", "Prospecting", "Closed Lost")]


def test_no_more_than_twenty_fields_are_tracked(org: SalesforceOrg) -> None:
    names = [item.name for item in org.schema.require("Account").fields.values()][: MAX_TRACKED + 1]
    with pytest.raises(ValueError, match="at most 20 fields"):
        org.track_history("Account", names)


def test_it_is_still_on_when_the_org_is_opened_again(tmp_path: Any) -> None:
    org = SalesforceOrg(str(tmp_path / "org.db"))
    org.track_history("Contact", ["Title"])
    org.close()
    again = SalesforceOrg(str(tmp_path / "org.db"))
    contact = again.create("Contact", {"LastName": "Klein"})
    again.edit("Contact", contact, {"Title": "CFO"})
    assert [row["NewValue"] for row in again.rows("ContactHistory")] == ["CFO"]
    again.close()
