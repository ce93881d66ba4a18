"""Custom fields through the Tooling API."""

from __future__ import annotations

from typing import Any

import pytest
from simple_salesforce import Salesforce

from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import Send

Metadata = dict[str, Any]
VALUES = {
    "value": [{"fullName": "a", "label": "A", "default": False}, {"fullName": "b", "label": "B", "default": True}]
}


def create(send: Send, full_name: str, **metadata: Any) -> Any:
    return send(
        "POST", "/tooling/sobjects/CustomField", {"FullName": full_name, "Metadata": {"label": "New", **metadata}}
    )


def described(org: SalesforceOrg, sobject: str, name: str) -> dict[str, Any]:
    found = org.schema.require(sobject).field(name)
    assert found is not None
    return found.describe


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"type": "Text", "length": 40}, {"type": "string", "length": 40, "soapType": "xsd:string"}),
        ({"type": "LongTextArea", "length": 32768, "visibleLines": 3}, {"type": "textarea", "filterable": False}),
        ({"type": "Number", "precision": 18, "scale": 2}, {"type": "double", "precision": 18, "scale": 2}),
        ({"type": "Currency", "precision": 18, "scale": 2}, {"type": "currency"}),
        ({"type": "Checkbox", "defaultValue": "true"}, {"type": "boolean", "defaultValue": True, "nillable": False}),
        ({"type": "Date"}, {"type": "date"}),
        ({"type": "DateTime"}, {"type": "datetime", "soapType": "xsd:dateTime"}),
        ({"type": "Email"}, {"type": "email", "length": 80}),
        ({"type": "Url"}, {"type": "url"}),
        (
            {"type": "Picklist", "valueSet": {"restricted": True, "valueSetDefinition": VALUES}},
            {"type": "picklist", "restrictedPicklist": True},
        ),
        (
            {"type": "Lookup", "referenceTo": "Account", "relationshipName": "Xs"},
            {"type": "reference", "referenceTo": ["Account"]},
        ),
    ],
)
def test_types(send: Send, org: SalesforceOrg, metadata: Metadata, expected: dict[str, Any]) -> None:
    name = f"F_{metadata['type']}__c"
    answer = create(send, f"Claim__c.{name}", **metadata)
    assert answer.status_code == 201, answer.text
    assert answer.json()["id"].startswith("00N")
    found = described(org, "Claim__c", name)
    assert {key: found[key] for key in expected} == expected
    assert (found["custom"], found["label"]) == (True, "New")


@pytest.mark.parametrize(
    ("full_name", "metadata", "code"),
    [
        ("Claim__c.Bad__c", {"type": "Long Text Area"}, "JSON_PARSER_ERROR"),
        ("Claim__c.Bad__c", {"type": "Text"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Claim__c.Bad__c", {"type": "Text", "length": 300}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("Claim__c.Bad__c", {"type": "Checkbox", "unique": True}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Claim__c.Bad__c", {"type": "Lookup", "referenceTo": "Nothing__c"}, "INVALID_CROSS_REFERENCE_KEY"),
        ("Claim__c.Bad", {"type": "Date"}, "INVALID_FIELD"),
        ("Nothing__c.Bad__c", {"type": "Date"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("Task.Bad__c", {"type": "Date"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("Activity.Bad__c", {"type": "Text", "length": 9, "externalId": True}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Claim__c.Number__c", {"type": "Text", "length": 9}, "DUPLICATE_DEVELOPER_NAME"),
    ],
)  # fmt: skip
def test_refusals(send: Send, full_name: str, metadata: Metadata, code: str) -> None:
    answer = create(send, full_name, **metadata)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_fields_of_activity_appear_on_tasks_and_events(send: Send, org: SalesforceOrg) -> None:
    assert create(send, "Activity.Key__c", type="Text", length=80).status_code == 201
    assert described(org, "Task", "Key__c") == described(org, "Event", "Key__c")


def test_a_field_is_found_and_changed(send: Send, sf: Salesforce, org: SalesforceOrg) -> None:
    made = create(send, "Claim__c.Find_Me__c", type="Text", length=20).json()["id"]
    soql = (
        "SELECT Id, DeveloperName, TableEnumOrId FROM CustomField "
        "WHERE EntityDefinition.QualifiedApiName = 'Claim__c' AND DeveloperName = 'Find_Me'"
    )
    [found] = sf.toolingexecute(f"query?q={soql.replace(' ', '+')}")["records"]
    assert (found["Id"], found["TableEnumOrId"]) == (made, "Claim__c")
    whole = send("GET", f"/tooling/sobjects/CustomField/{made}").json()
    assert (whole["FullName"], whole["Metadata"]["length"]) == ("Claim__c.Find_Me__c", 20)
    change = {"Metadata": {**whole["Metadata"], "label": "Found", "length": 30, "inlineHelpText": "Help"}}
    assert send("PATCH", f"/tooling/sobjects/CustomField/{made}", change).status_code == 204
    now = described(org, "Claim__c", "Find_Me__c")
    assert (now["label"], now["length"], now["inlineHelpText"]) == ("Found", 30, "Help")
    other_type = {"Metadata": {"type": "Date", "label": "x"}}
    assert send("PATCH", f"/tooling/sobjects/CustomField/{made}", other_type).status_code == 400


def test_picklist_values_are_added(send: Send, org: SalesforceOrg) -> None:
    value_set = {"restricted": True, "valueSetDefinition": VALUES}
    made = create(send, "Claim__c.Grow__c", type="Picklist", valueSet=value_set).json()["id"]
    more = {"value": [*VALUES["value"], {"fullName": "c", "label": "C"}]}
    change = {
        "Metadata": {"type": "Picklist", "label": "New", "valueSet": {"restricted": True, "valueSetDefinition": more}}
    }
    assert send("PATCH", f"/tooling/sobjects/CustomField/{made}", change).status_code == 204
    assert [item["value"] for item in described(org, "Claim__c", "Grow__c")["picklistValues"]] == ["a", "b", "c"]


def test_objects_can_be_looked_up_but_not_made_here(send: Send) -> None:
    answer = send("POST", "/tooling/sobjects/CustomObject", {"FullName": "X__c"})
    assert answer.json()[0]["errorCode"] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    found = send(
        "GET",
        "/tooling/query",
        params={"q": "SELECT Id, DeveloperName FROM CustomObject WHERE DeveloperName LIKE 'Cla%'"},
    )
    assert found.json()["records"][0]["DeveloperName"] == "Claim"
    entity = send(
        "GET",
        "/tooling/query",
        params={"q": "SELECT KeyPrefix FROM EntityDefinition WHERE QualifiedApiName IN ('Account')"},
    )
    assert entity.json()["records"][0]["KeyPrefix"] == "001"


@pytest.mark.parametrize(
    "text", ["SELECT Id FROM Nothing", "SELECT Nope FROM CustomField", "SELECT Id FROM CustomField WHERE"]
)
def test_tooling_queries_fail_like_others(send: Send, text: str) -> None:
    assert send("GET", "/tooling/query", params={"q": text}).status_code == 400


def test_only_those_who_may_customise_create_fields(send: Send, org: SalesforceOrg) -> None:
    with org.store.transaction():
        org.store.connection.execute(
            "UPDATE PermissionSet SET PermissionsCustomizeApplication = 0 WHERE IsOwnedByProfile = 1"
        )
    answer = create(send, "Claim__c.Never__c", type="Date")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INSUFFICIENT_ACCESS_OR_READONLY")
