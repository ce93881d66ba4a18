"""Records by external id: upsert in its four answers, and what may be a key at all."""

from __future__ import annotations

import pytest
from simple_salesforce import Salesforce, SalesforceMoreThanOneRecord

from tests.sandbox.salesforce.conftest import Send


def test_upsert_creates_then_updates(send: Send) -> None:
    path = "/sobjects/Claim__c/Number__c/up-1"
    first = send("PATCH", path, {"Name": "One"})
    second = send("PATCH", path, {"Name": "Two"})
    assert (first.status_code, first.json()["created"]) == (201, True)
    assert "Location" in first.headers
    assert second.status_code == 200
    assert second.json() == {"id": first.json()["id"], "success": True, "errors": [], "created": False}
    assert send("GET", path).json()["Name"] == "Two"


def test_before_version_46_an_update_has_no_body(send: Send) -> None:
    path = "/sobjects/Claim__c/Number__c/old-1"
    assert send("PATCH", path, {"Name": "One"}, version="45.0").status_code == 201
    answer = send("PATCH", path, {"Name": "Two"}, version="45.0")
    assert (answer.status_code, answer.content) == (204, b"")


def test_several_matches_answer_300_with_their_urls(send: Send, sf: Salesforce) -> None:
    ids = [send("POST", "/sobjects/Account", {"Name": "x", "Legacy_Id__c": "twice"}).json()["id"] for _ in range(2)]
    answer = send("PATCH", "/sobjects/Account/Legacy_Id__c/twice", {"Name": "y"})
    assert answer.status_code == 300
    assert answer.json() == [f"/services/data/v60.0/sobjects/Account/{record_id}" for record_id in ids]
    with pytest.raises(SalesforceMoreThanOneRecord):
        sf.Account.get_by_custom_id("Legacy_Id__c", "twice")


def test_update_only_never_creates(send: Send) -> None:
    answer = send("PATCH", "/sobjects/Claim__c/Number__c/nobody?updateOnly=true", {"Name": "x"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")


def test_a_field_that_is_no_key_is_not_found(send: Send) -> None:
    answer = send("PATCH", "/sobjects/Claim__c/State__c/draft", {"Name": "x"})
    message = "Provided external ID field does not exist or is not accessible: State__c"
    assert (answer.status_code, answer.json()) == (404, [{"message": message, "errorCode": "NOT_FOUND"}])


@pytest.mark.parametrize("value", ["a/b", "a b", "a+b", "ä%1", "x@email.inc"])
def test_values_may_hold_any_character(send: Send, value: str) -> None:
    from urllib.parse import quote

    path = f"/sobjects/Claim__c/Number__c/{quote(value, safe='')}"
    assert send("PATCH", path, {"Name": "x"}).status_code == 201
    assert send("GET", path).json()["Number__c"] == value
    assert send("DELETE", path).status_code == 204


def test_keys_ignore_case(send: Send) -> None:
    assert send("PATCH", "/sobjects/Claim__c/Number__c/Case-1", {"Name": "x"}).status_code == 201
    assert send("PATCH", "/sobjects/Claim__c/Number__c/CASE-1", {"Name": "x"}).status_code == 200


def test_a_unique_value_cannot_be_used_twice(send: Send) -> None:
    first = send("POST", "/sobjects/Claim__c", {"Name": "x", "Number__c": "once"}).json()["id"]
    answer = send("POST", "/sobjects/Claim__c", {"Name": "y", "Number__c": "ONCE"})
    message = f"duplicate value found: Number__c duplicates value on record with id: {first[:15]}"
    assert (answer.status_code, answer.json()) == (
        400,
        [{"message": message, "errorCode": "DUPLICATE_VALUE", "fields": []}],
    )
    send("DELETE", f"/sobjects/Claim__c/{first}")
    assert send("POST", "/sobjects/Claim__c", {"Name": "y", "Number__c": "once"}).status_code == 201


def test_standard_look_up_fields_are_keys_too(send: Send) -> None:
    assert send("PATCH", "/sobjects/Contact/Email/ann@acme.example", {"LastName": "Lee"}).status_code == 201
    assert send("PATCH", "/sobjects/Contact/Email/ann@acme.example", {"Title": "CTO"}).status_code == 200
