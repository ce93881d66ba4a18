"""Fields and objects without permission do not exist for a user; permission sets bring them into being."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import Send

Query = Callable[..., list[dict[str, Any]]]
FIELD = {"FullName": "", "Metadata": {"label": "New", "type": "Text", "length": 40}}


@pytest.fixture
def permission_set(send: Send, org: SalesforceOrg) -> str:
    """Assigned to the integration user."""
    name = f"Set_{org.count('PermissionSet')}"
    made: str = send("POST", "/sobjects/PermissionSet", {"Name": name, "Label": name}).json()["id"]
    user = org.user_id("integration@sandbox.example")
    assignment = {"PermissionSetId": made, "AssigneeId": user}
    assert send("POST", "/sobjects/PermissionSetAssignment", assignment).status_code == 201
    return made


def new_field(send: Send, full_name: str) -> None:
    assert send("POST", "/tooling/sobjects/CustomField", {**FIELD, "FullName": full_name}).status_code == 201


def fields_of(send: Send, sobject: str) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in send("GET", f"/sobjects/{sobject}/describe").json()["fields"]}


def test_a_new_field_is_invisible_until_it_is_granted(send: Send, permission_set: str) -> None:
    new_field(send, "Opportunity.Hidden__c")
    assert "Hidden__c" not in fields_of(send, "Opportunity")
    refused = send("GET", "/query", params={"q": "SELECT Hidden__c FROM Opportunity"})
    assert refused.json()[0]["errorCode"] == "INVALID_FIELD"
    assert "No such column 'Hidden__c' on entity 'Opportunity'" in refused.json()[0]["message"]
    deal = {"Name": "d", "StageName": "Prospecting", "CloseDate": "2026-12-31", "Hidden__c": "x"}
    answer = send("POST", "/sobjects/Opportunity", deal)
    assert (answer.json()[0]["errorCode"], answer.json()[0]["fields"]) == (
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        ["Hidden__c"],
    )

    grant = {
        "ParentId": permission_set,
        "SobjectType": "Opportunity",
        "Field": "Opportunity.Hidden__c",
        "PermissionsRead": True,
    }
    made = send("POST", "/sobjects/FieldPermissions", grant).json()["id"]
    assert fields_of(send, "Opportunity")["Hidden__c"]["updateable"] is False
    assert send("POST", "/sobjects/Opportunity", deal).json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert send("PATCH", f"/sobjects/FieldPermissions/{made}", {"PermissionsEdit": True}).status_code == 204
    assert send("POST", "/sobjects/Opportunity", deal).status_code == 201


def test_fields_of_activity_are_granted_there(send: Send, permission_set: str, query: Query) -> None:
    new_field(send, "Activity.Key__c")
    grant = {"ParentId": permission_set, "SobjectType": "Task", "Field": "Task.Key__c", "PermissionsRead": True}
    assert send("POST", "/sobjects/FieldPermissions", grant).status_code == 201
    assert query("SELECT Key__c FROM Task") == []
    assert "Key__c" not in fields_of(send, "Event")


def test_a_new_object_needs_object_permissions(send: Send, org: SalesforceOrg, permission_set: str) -> None:
    org.create_object("Secret__c", "Secret", "Secrets", visible=False)
    assert send("GET", "/sobjects/Secret__c/describe").status_code == 404
    refused = send("GET", "/query", params={"q": "SELECT Id FROM Secret__c"})
    assert refused.json()[0]["errorCode"] == "INVALID_TYPE"

    grant = {"ParentId": permission_set, "SobjectType": "Secret__c", "PermissionsRead": True}
    made = send("POST", "/sobjects/ObjectPermissions", grant).json()["id"]
    assert send("GET", "/query", params={"q": "SELECT Id FROM Secret__c"}).status_code == 200
    assert (
        send("POST", "/sobjects/Secret__c", {"Name": "x"}).json()[0]["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
    )
    send("PATCH", f"/sobjects/ObjectPermissions/{made}", {"PermissionsCreate": True, "PermissionsEdit": True})
    assert send("POST", "/sobjects/Secret__c", {"Name": "x"}).status_code == 201


def test_edit_needs_read_and_grants_are_not_given_twice(send: Send, permission_set: str) -> None:
    key = {"ParentId": permission_set, "SobjectType": "Account", "Field": "Account.Legacy_Id__c"}
    answer = send("POST", "/sobjects/FieldPermissions", {**key, "PermissionsEdit": True})
    assert answer.json()[0]["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"
    assert send("POST", "/sobjects/FieldPermissions", {**key, "PermissionsRead": True}).status_code == 201
    again = send("POST", "/sobjects/FieldPermissions", {**key, "PermissionsRead": True})
    assert again.json()[0]["errorCode"] == "DUPLICATE_VALUE"


@pytest.mark.parametrize("field", ["Account.Nothing__c", "Nothing__c.X__c", "Account.Id"])
def test_only_fields_that_take_permissions_can_be_granted(send: Send, permission_set: str, field: str) -> None:
    row = {"ParentId": permission_set, "SobjectType": field.partition(".")[0], "Field": field, "PermissionsRead": True}
    answer = send("POST", "/sobjects/FieldPermissions", row)
    assert answer.json()[0]["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


def test_a_standard_field_can_be_taken_away(send: Send, org: SalesforceOrg) -> None:
    org.hide_field("Account", "Sic")
    assert "Sic" not in fields_of(send, "Account")


def test_taking_the_assignment_away_takes_the_fields_away(send: Send, org: SalesforceOrg, permission_set: str) -> None:
    new_field(send, "Account.Lent__c")
    grant = {"ParentId": permission_set, "SobjectType": "Account", "Field": "Account.Lent__c", "PermissionsRead": True}
    send("POST", "/sobjects/FieldPermissions", grant)
    assert "Lent__c" in fields_of(send, "Account")
    [assignment] = org.rows("PermissionSetAssignment", "PermissionSetId = ?", [permission_set])
    assert send("DELETE", f"/sobjects/PermissionSetAssignment/{assignment['Id']}").status_code == 204
    assert "Lent__c" not in fields_of(send, "Account")
