"""Describe, versions and limits."""

from __future__ import annotations

import pytest
import requests
from simple_salesforce import Salesforce

from crmsync.sandbox import Sandbox
from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import LoopbackSession, Send


def test_a_cached_describe_is_not_sent_again_until_the_schema_moves(
    box: Sandbox, send: Send, org: SalesforceOrg
) -> None:
    path = "/sobjects/Opportunity/describe"
    first = send("GET", path)
    known = {"If-Modified-Since": first.headers["Last-Modified"]}
    again = send("GET", path, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert send("GET", path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    box.clock.advance(5)
    org.create_field("Opportunity", "Fresh__c", "Date")
    assert send("GET", path, headers=known).status_code == 200
    assert send("GET", path).headers["ETag"] != first.headers["ETag"]
    box.clock.reset()


def test_the_global_describe_lists_what_the_user_sees(sf: Salesforce) -> None:
    found = sf.describe()
    assert found is not None
    by_name = {item["name"]: item for item in found["sobjects"]}
    assert (found["maxBatchSize"], found["encoding"]) == (200, "UTF-8")
    assert {"Account", "Opportunity", "Task", "Claim__c", "PermissionSet"} <= by_name.keys()
    assert "Name" not in by_name
    assert (by_name["Claim__c"]["custom"], by_name["Claim__c"]["keyPrefix"]) == (True, "a00")
    assert by_name["OpportunityPartner"]["updateable"] is False


def test_children_and_parents_know_each_other(sf: Salesforce) -> None:
    account = sf.Account.describe()
    relations = {
        (item["childSObject"], item["field"]): item["relationshipName"] for item in account["childRelationships"]
    }
    assert relations["Opportunity", "AccountId"] == "Opportunities"
    assert relations["Claim__c", "Account__c"] == "Claims__r"
    assert account["recordTypeInfos"][0]["name"] == "Master"
    claim = {item["name"]: item for item in sf.Claim__c.describe()["fields"]}
    assert (claim["Account__c"]["relationshipName"], claim["Account__c"]["referenceTo"]) == ("Account__r", ["Account"])


def test_names_in_urls_ignore_case(send: Send) -> None:
    assert send("GET", "/sobjects/opportunity/describe").json()["name"] == "Opportunity"
    assert send("GET", "/sobjects/Opportunity").json()["objectDescribe"]["keyPrefix"] == "006"


def test_versions_need_no_session_and_are_not_counted(
    box: Sandbox, session: LoopbackSession, org: SalesforceOrg
) -> None:
    before = org.api_calls
    versions = session.get(f"{box.url}/services/data").json()
    assert versions[0] == {"label": "Summer '14", "url": "/services/data/v31.0", "version": "31.0"}
    assert [version["label"] for version in versions[-4:]] == ["Winter '26", "Spring '26", "Summer '26", "Winter '27"]
    assert org.api_calls == before


@pytest.mark.parametrize(
    ("version", "status"), [("31.0", 200), ("68.0", 200), ("30.0", 410), ("99.0", 404), ("x", 404)]
)
def test_which_versions_there_are(send: Send, version: str, status: int) -> None:
    assert send("GET", "/", version=version).status_code == status


def test_every_answer_carries_the_use_of_the_daily_limit(send: Send, org: SalesforceOrg) -> None:
    answer = send("GET", "/limits")
    used, limit = map(int, answer.headers["Sforce-Limit-Info"].removeprefix("api-usage=").split("/"))
    assert (used, limit) == (org.api_calls, 100_000)
    assert answer.json()["DailyApiRequests"] == {"Max": limit, "Remaining": limit - used}


def test_a_spent_limit_ends_every_call(send: Send, org: SalesforceOrg) -> None:
    org.api_limit = org.api_calls
    answer = send("GET", "/limits")
    org.api_limit = 100_000
    assert (answer.status_code, answer.json()) == (
        403, [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
    )  # fmt: skip


def test_record_counts_are_cheap(send: Send, org: SalesforceOrg) -> None:
    org.insert_rows("Account", [{"Name": "a"}, {"Name": "b"}])
    answer = send("GET", "/limits/recordCount?sObjects=Account,Contact").json()
    assert answer == {"sObjects": [{"count": org.count("Account"), "name": "Account"}]}  # without records: not listed


def test_bodies_may_be_compressed_both_ways(box: Sandbox, send: Send) -> None:
    import gzip

    body = gzip.compress(b'{"Name": "Zipped"}')
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert send("POST", "/sobjects/Account", data=body, headers=headers).status_code == 201
    assert send("GET", "/sobjects/Account/describe").headers["Content-Encoding"] == "gzip"
    plain = send("GET", "/sobjects/Account/describe", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert isinstance(plain, requests.Response)
