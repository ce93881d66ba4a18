"""The sandbox against recorded answers of real orgs (``fixtures/recorded/salesforce``)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET
from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import LoopbackSession, Send

RECORDED = Path(__file__).parents[3] / "fixtures" / "recorded" / "salesforce"
VERSIONED = "/services/data/v60.0"


def recorded_json(name: str) -> Any:
    return json.loads((RECORDED / name).read_text("utf-8"))


def recorded_yaml(name: str) -> Any:
    return yaml.safe_load((RECORDED / name).read_text("utf-8"))


def shape(value: Any) -> Any:
    """Keys and kinds of a JSON value, values left out."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return type(value).__name__


@pytest.mark.parametrize("name", ["cumulusci_composite_errors.yaml", "cumulusci_count_errors.yaml"])
def test_composite_errors(send: Send, name: str) -> None:
    [exchange] = recorded_yaml(name)["interactions"]
    request = json.loads(exchange["request"]["body"].replace("/services/data/vxx.0", VERSIONED))
    expected = json.loads(exchange["response"]["body"]["string"])
    found = send("POST", "/composite", request).json()
    for ours, theirs in zip(found["compositeResponse"], expected["compositeResponse"], strict=True):
        if "totalSize" in theirs["body"]:
            theirs["body"]["totalSize"] = ours["body"]["totalSize"]
        assert ours == theirs


def test_collection_update(send: Send, org: SalesforceOrg) -> None:
    """Six accounts, numbers sent as text, ids answered in the order of the request."""
    exchanges = recorded_yaml("cumulusci_updates_task.yaml")["interactions"]
    exchange = next(one for one in exchanges if one.get("request", {}).get("method") == "PATCH")
    request = json.loads(exchange["request"]["body"])
    ids = org.insert_rows("Account", ({"Name": f"Account {number}"} for number in range(len(request["records"]))))
    for record, record_id in zip(request["records"], ids, strict=True):
        record["Id"] = record_id
    answer = send("PATCH", "/composite/sobjects", request).json()
    expected = json.loads(exchange["response"]["body"]["string"])
    assert [item["id"] for item in answer] == ids
    assert shape(answer) == shape(expected)
    assert (org.row("Account", ids[0]) or {})["NumberOfEmployees"] == 10_000


def test_describe_of_a_standard_object(send: Send) -> None:
    theirs = recorded_json("cumulusci_describe_OpportunityContactRole.json")
    ours = send("GET", "/sobjects/OpportunityContactRole/describe").json()
    assert theirs.keys() <= ours.keys()
    by_name = {item["name"]: item for item in ours["fields"]}
    for item in theirs["fields"]:
        assert by_name[item["name"]] == item


def test_a_whole_session(send: Send, org: SalesforceOrg) -> None:
    """Create a master and a detail, describe, query, delete the master, fail to delete the detail that went along."""
    org.create_object("CustomObject__c", "Custom Object", "Custom Objects")
    org.create_object("CustomObjectDetail__c", "Custom Object Detail", "Custom Object Details")
    org.create_field(
        "CustomObjectDetail__c", "CustomObject__c", "MasterDetail", reference_to="CustomObject__c", required=True
    )
    ids: dict[str, str] = {}

    def ours(text: str) -> str:
        for old, new in ids.items():
            text = text.replace(old, new)
        return text.replace("<api_version>", "v60.0")

    for exchange in recorded_yaml("restforce_db_associated_build.yml")["http_interactions"][1:]:
        request, response = exchange["request"], exchange["response"]
        target = urlsplit(ours(request["uri"]))
        body = json.loads(ours(request["body"]["string"])) if request["body"]["string"] else None
        params = {key: value[0] for key, value in parse_qs(target.query).items()}
        answer = send(request["method"].upper(), target.path, body, params=params)
        assert answer.status_code == response["status"]["code"]
        theirs = json.loads(response["body"]["string"]) if response["body"]["string"] else None
        if answer.status_code == 201:
            ids[theirs["id"]] = answer.json()["id"]
        compare(answer.json() if answer.content else None, theirs)
        for header in {"Location", "Etag", "Last-Modified", "Sforce-Limit-Info"} & response["headers"].keys():
            assert header in answer.headers


def compare(ours: Any, theirs: Any) -> None:
    """Same keys at the top; describes of 2015 know fewer attributes than those of today."""
    if isinstance(theirs, dict) and "fields" in theirs and "keyPrefix" in theirs:
        assert {item["name"] for item in theirs["fields"]} <= {item["name"] for item in ours["fields"]}
    else:
        assert shape(ours) == shape(theirs)


def test_errors_of_sign_in_and_sessions(box: Sandbox, session: LoopbackSession, send: Send) -> None:
    url = f"{box.url}{VERSIONED}/limits"
    assert session.get(url).json() == recorded_json("restforce_expired_session_response.json")
    form = {"client_id": SALESFORCE_CLIENT_ID, "client_secret": SALESFORCE_CLIENT_SECRET, "refresh_token": "old"}
    refused = session.post(f"{box.url}/services/oauth2/token", data={"grant_type": "refresh_token", **form})
    assert refused.json() == recorded_json("restforce_refresh_error_response.json")
    [theirs] = recorded_json("restforce_delete_error_response.json")
    [ours] = send("DELETE", "/sobjects/Account/rid/x").json()
    assert ours == theirs


def test_upsert_with_several_matches(send: Send, org: SalesforceOrg) -> None:
    org.insert_rows("Account", [{"Name": "a", "Legacy_Id__c": "two"}, {"Name": "b", "Legacy_Id__c": "two"}])
    answer = send("PATCH", "/sobjects/Account/Legacy_Id__c/two", {"Name": "c"})
    assert shape(answer.json()) == shape(recorded_json("restforce_upsert_multiple_error_response.json"))


def test_replication_and_aggregates(send: Send, org: SalesforceOrg) -> None:
    [account] = org.insert_rows("Account", [{"Name": "a"}])
    org.delete("Account", account)
    window = {"start": "2020-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"}
    with_window = {
        name: {**window, "start": org.clock.now().strftime("%Y-%m-%dT00:00:00Z")} for name in ("updated", "deleted")
    }
    for name, params in with_window.items():
        answer = send("GET", f"/sobjects/Account/{name}/", params=params)
        assert shape(answer.json()) == shape(recorded_json(f"restforce_get_{name}_success_response.json"))
    aggregate = send(
        "GET", "/query", params={"q": "SELECT ParentId, SUM(AnnualRevenue) FROM Account GROUP BY ParentId"}
    ).json()
    assert aggregate["records"][0].keys() == {"attributes", "ParentId", "expr0"}
    theirs = recorded_json("restforce_query_aggregate_success_response.json")["records"][0]
    assert aggregate["records"][0]["attributes"] == theirs["attributes"]
