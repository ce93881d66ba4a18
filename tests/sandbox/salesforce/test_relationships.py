"""Friendly URLs: a record's parents and children by the name of the relationship."""

from __future__ import annotations

from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import Send


def test_up_and_down(send: Send, org: SalesforceOrg) -> None:
    [account] = org.insert_rows("Account", [{"Name": "parent"}])
    [contact] = org.insert_rows("Contact", [{"LastName": "child", "AccountId": account}])
    assert send("GET", f"/sobjects/Contact/{contact}/Account?fields=Name").json()["Name"] == "parent"
    page = send("GET", f"/sobjects/Account/{account}/Contacts?fields=LastName").json()
    assert (page["totalSize"], page["records"][0]["LastName"]) == (1, "child")
    assert "Id" in send("GET", f"/sobjects/Account/{account}/Contacts").json()["records"][0]


def test_nothing_there(send: Send, org: SalesforceOrg) -> None:
    [contact] = org.insert_rows("Contact", [{"LastName": "alone"}])
    for path in (f"{contact}/Account", f"{contact}/Nothing", "003000000000001AAA/Account"):
        assert send("GET", f"/sobjects/Contact/{path}").status_code == 404
