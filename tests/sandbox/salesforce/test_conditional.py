"""Conditional requests: dates for every object, entity tags for accounts."""

from __future__ import annotations

from email.utils import format_datetime

from crmsync.sandbox.salesforce.org import SalesforceOrg
from crmsync.sandbox.salesforce.values import from_stamp
from tests.sandbox.salesforce.conftest import Send

OLD = "Wed, 01 Jan 2020 00:00:00 GMT"


def test_a_row_says_when_it_changed(send: Send, org: SalesforceOrg) -> None:
    [contact] = org.insert_rows("Contact", [{"LastName": "x"}])
    answer = send("GET", f"/sobjects/Contact/{contact}")
    stamp = (org.row("Contact", contact) or {})["LastModifiedDate"]
    assert answer.headers["Last-Modified"] == format_datetime(from_stamp(stamp), usegmt=True)
    assert "ETag" not in answer.headers
    since = {"If-Modified-Since": answer.headers["Last-Modified"]}
    unchanged = send("GET", f"/sobjects/Contact/{contact}", headers=since)
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_an_account_has_a_tag(send: Send, org: SalesforceOrg) -> None:
    [account] = org.insert_rows("Account", [{"Name": "x"}])
    path = f"/sobjects/Account/{account}"
    tag = send("GET", path).headers["ETag"]
    assert send("GET", path, headers={"If-None-Match": tag}).status_code == 304
    assert send("PATCH", path, {"Phone": "1"}, headers={"If-Match": tag}).status_code == 204
    stale = send("PATCH", path, {"Phone": "2"}, headers={"If-Match": tag})
    assert (stale.status_code, (org.row("Account", account) or {})["Phone"]) == (412, "1")


def test_a_late_writer_is_refused_alone_and_in_a_composite(send: Send, org: SalesforceOrg) -> None:
    [contact] = org.insert_rows("Contact", [{"LastName": "x"}])
    guard = {"If-Unmodified-Since": OLD}
    assert send("PATCH", f"/sobjects/Contact/{contact}", {"Phone": "1"}, headers=guard).status_code == 412
    part = {
        "method": "PATCH",
        "url": f"/services/data/v60.0/sobjects/Contact/{contact}",
        "referenceId": "a",
        "body": {"Phone": "1"},
        "httpHeaders": guard,
    }
    body = send("POST", "/composite", {"compositeRequest": [part]}).json()
    assert body["compositeResponse"][0]["httpStatusCode"] == 412
    assert (org.row("Contact", contact) or {})["Phone"] is None
