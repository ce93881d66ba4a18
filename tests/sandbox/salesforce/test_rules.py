"""Duplicate rules and validation rules, as an admin lays them down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import Send

ALLOW = {"Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=true"}


@pytest.fixture(autouse=True)
def _no_rules_afterwards(org: SalesforceOrg) -> Iterator[None]:
    yield
    org.rules.drop_duplicate_rules()
    org.rules.validations.clear()


@pytest.fixture
def known(org: SalesforceOrg) -> str:
    """A contact whose address is taken."""
    org.store.connection.execute('DELETE FROM "Contact"')
    return org.insert_rows("Contact", [{"LastName": "Known", "Email": "known@acme.example"}])[0]


def contact(**more: Any) -> dict[str, Any]:
    return {"LastName": "New", "Email": "known@acme.example", **more}


def test_an_alert_names_what_is_alike(send: Send, org: SalesforceOrg, known: str) -> None:
    org.add_duplicate_rule("Contacts_DR", "Contact", ["Email"])
    answer = send("POST", "/sobjects/Contact", contact())
    assert answer.status_code == 400
    [error] = answer.json()
    assert error["errorCode"] == "DUPLICATES_DETECTED"
    result = error["duplicateResut"]  # the vendor's spelling
    assert (result["allowSave"], result["duplicateRule"]) == (True, "Contacts_DR")
    [match] = result["matchResults"]
    assert match["matchRecords"][0]["record"]["Id"] == known


def test_an_alert_can_be_overridden(send: Send, org: SalesforceOrg, known: str) -> None:
    org.add_duplicate_rule("Contacts_DR", "Contact", ["Email"])
    assert send("POST", "/sobjects/Contact", contact(), headers=ALLOW).status_code == 201
    request = {"method": "POST", "url": "/services/data/v60.0/sobjects/Contact", "referenceId": "a", "body": contact()}
    parts = [request, {**request, "referenceId": "b", "httpHeaders": ALLOW}]
    body = send("POST", "/composite", {"compositeRequest": parts}).json()
    assert [part["httpStatusCode"] for part in body["compositeResponse"]] == [400, 201]


def test_a_block_cannot_be_overridden(send: Send, org: SalesforceOrg, known: str) -> None:
    org.add_duplicate_rule("Contacts_DR", "Contact", ["Email"], action="block", message="Taken.")
    [error] = send("POST", "/sobjects/Contact", contact(), headers=ALLOW).json()
    assert (error["message"], error["duplicateResut"]["allowSave"]) == ("Taken.", False)


def test_collections_show_the_plain_error(send: Send, org: SalesforceOrg, known: str) -> None:
    org.add_duplicate_rule("Contacts_DR", "Contact", ["Email"])
    records = [{"attributes": {"type": "Contact"}, **contact()}]
    [item] = send("POST", "/composite/sobjects", {"records": records}).json()
    assert item["errors"][0].keys() == {"statusCode", "message", "fields"}
    assert item["errors"][0]["statusCode"] == "DUPLICATES_DETECTED"


def test_nothing_alike_or_nothing_given_passes(send: Send, org: SalesforceOrg, known: str) -> None:
    org.add_duplicate_rule("Contacts_DR", "Contact", ["Email", "LastName"])
    assert send("POST", "/sobjects/Contact", contact()).status_code == 201
    assert send("POST", "/sobjects/Contact", {"LastName": "Known"}).status_code == 201
    assert send("PATCH", f"/sobjects/Contact/{known}", {"Phone": "1"}).status_code == 204


def test_a_validation_rule_speaks_in_the_admins_words(send: Send, org: SalesforceOrg) -> None:
    org.add_validation_rule(
        "Opportunity", lambda row: (row["Amount"] or 0) < 0, "Amounts are positive.", field="Amount"
    )
    deal = {"Name": "d", "StageName": "Prospecting", "CloseDate": "2026-12-01", "Amount": -1}
    refused = send("POST", "/sobjects/Opportunity", deal)
    assert refused.json() == [
        {"message": "Amounts are positive.", "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "fields": ["Amount"]}
    ]
    assert send("POST", "/sobjects/Opportunity", {**deal, "Amount": 1}).status_code == 201
