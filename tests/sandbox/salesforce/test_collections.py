"""sObject Collections: each record has its own outcome, in order, inside HTTP 200."""

from __future__ import annotations

from typing import Any

import pytest

from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import Send

Record = dict[str, Any]


def records(*given: Record, sobject: str = "Account", **more: Any) -> Record:
    return {"records": [{"attributes": {"type": sobject}, **record} for record in given], **more}


def test_good_and_bad_records_are_told_apart_in_order(send: Send) -> None:
    answer = send("POST", "/composite/sobjects", records({"Name": "a"}, {"Name": None}, {"Name": "c"}))
    first, second, third = answer.json()
    assert answer.status_code == 200
    assert first == {"id": first["id"], "success": True, "errors": []}
    assert third["success"]
    error = {
        "statusCode": "REQUIRED_FIELD_MISSING",
        "message": "Required fields are missing: [Name]",
        "fields": ["Name"],
    }
    assert second == {"success": False, "errors": [error]}


def test_all_or_none_undoes_the_good_ones_and_says_so(send: Send, org: SalesforceOrg) -> None:
    before, writes = org.count("Account"), org.write_count()
    answer = send("POST", "/composite/sobjects", records({"Name": "a"}, {"Name": None}, allOrNone=True)).json()
    assert [item["errors"][0]["statusCode"] for item in answer] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
    ]
    assert (org.count("Account"), org.write_count()) == (before, writes)


def test_update_takes_200_records_in_one_api_call(send: Send, org: SalesforceOrg) -> None:
    ids = org.insert_rows("Account", ({"Name": f"n{number}"} for number in range(201)))
    calls = org.api_calls
    answer = send("PATCH", "/composite/sobjects", records(*({"Id": one, "Site": "x"} for one in ids[:200])))
    assert [item["id"] for item in answer.json()] == ids[:200]
    assert org.api_calls == calls + 1
    too_many = send("PATCH", "/composite/sobjects", records(*({"Id": one} for one in ids)))
    assert (too_many.status_code, too_many.json()[0]["errorCode"]) == (400, "EXCEEDED_MAX_SIZE_REQUEST")


def test_one_id_may_stand_once_in_a_call(send: Send, org: SalesforceOrg) -> None:
    [one] = org.insert_rows("Account", [{"Name": "n"}])
    answer = send("PATCH", "/composite/sobjects", records({"Id": one, "Site": "a"}, {"Id": one, "Site": "b"})).json()
    assert [item["success"] for item in answer] == [True, False]
    assert answer[1]["errors"][0]["statusCode"] == "DUPLICATE_VALUE"


def test_upsert_says_which_were_created(send: Send) -> None:
    path = "/composite/sobjects/Claim__c/Number__c"
    body = records({"Name": "a", "Number__c": "c-1"}, {"Name": "b", "Number__c": "c-2"}, sobject="Claim__c")
    assert [item["created"] for item in send("PATCH", path, body).json()] == [True, True]
    body["records"].append({"attributes": {"type": "Claim__c"}, "Name": "c", "Number__c": "c-3"})
    assert [item["created"] for item in send("PATCH", path, body).json()] == [False, False, True]


def test_upsert_by_a_null_id_creates(send: Send) -> None:
    """Recorded: CumulusCI TestUpsert, PATCH /composite/sobjects/Account/Id with Id null."""
    body = records({"Name": "Sitwell-Bluth", "AccountNumber": "420", "Id": None}, allOrNone=False)
    [item] = send("PATCH", "/composite/sobjects/Account/Id", body).json()
    assert item == {"id": item["id"], "success": True, "errors": [], "created": True}


def test_delete_and_retrieve_by_ids(send: Send, org: SalesforceOrg) -> None:
    first, second = org.insert_rows("Account", [{"Name": "a"}, {"Name": "b"}])
    deleted = send("DELETE", f"/composite/sobjects?ids={first},001Bx00000000zz&allOrNone=false").json()
    assert [item["success"] for item in deleted] == [True, False]
    path = "/composite/sobjects/Account"
    found = send("POST", path, {"ids": [second, first], "fields": ["Name"]}).json()
    assert [item and item["Name"] for item in found] == ["b", None]
    assert send("GET", f"{path}?ids={second}&fields=Id,Name").json()[0]["Id"] == second


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"records": "no"}, "JSON_PARSER_ERROR"),
        ([], "JSON_PARSER_ERROR"),
        (records({"Name": "a", "NumberOfEmployees": "many"}), "JSON_PARSER_ERROR"),
        (
            {"records": [{"attributes": {"type": name}, "Name": "x"} for name in ("Account", "Claim__c") * 6]},
            "LIMIT_EXCEEDED",
        ),
    ],
)
def test_a_bad_shape_fails_the_whole_call(send: Send, body: Any, code: str) -> None:
    answer = send("POST", "/composite/sobjects", body)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_types_may_be_mixed(send: Send) -> None:
    body = {"records": [{"attributes": {"type": name}, "Name": "x"} for name in ("Account", "Claim__c")]}
    assert [item["success"] for item in send("POST", "/composite/sobjects", body).json()] == [True, True]


def test_an_unknown_type_fails_its_record_only(send: Send) -> None:
    body = {
        "records": [
            {"Name": "x"},
            {"attributes": {"type": "Nothing"}},
            {"attributes": {"type": "Account"}, "Name": "x"},
        ]
    }
    answer = send("POST", "/composite/sobjects", body).json()
    assert [item["success"] for item in answer] == [False, False, True]
    assert answer[0]["errors"][0]["statusCode"] == "INVALID_TYPE"
