"""Single records: what is accepted, what is refused and in which words."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from simple_salesforce import Salesforce, SalesforceMalformedRequest, SalesforceResourceNotFound

from crmsync.sandbox import Sandbox
from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import Send

NOT_WRITABLE = (
    "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is "
    "read/write for your profile or permission set."
)
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}


def test_create_answers_201_with_the_place_of_the_record(send: Send) -> None:
    answer = send("POST", "/sobjects/Account", {"Name": "Acme"})
    body = answer.json()
    assert answer.status_code == 201
    assert body == {"id": body["id"], "success": True, "errors": []}
    assert answer.headers["Location"] == f"/services/data/v60.0/sobjects/Account/{body['id']}"
    assert len(body["id"]) == 18


def test_a_record_reads_back_with_every_visible_field(sf: Salesforce) -> None:
    account = sf.Account.create({"Name": " Acme ", "BillingCity": "Paris", "NumberOfEmployees": "12"})["id"]
    row = sf.Account.get(account)
    assert row["attributes"] == {"type": "Account", "url": f"/services/data/v59.0/sobjects/Account/{account}"}
    assert (row["Name"], row["NumberOfEmployees"], row["IsDeleted"]) == ("Acme", 12, False)
    assert row["BillingAddress"]["city"] == "Paris"
    assert row["CreatedDate"].endswith(".000+0000")
    assert row["CurrencyIsoCode"] == "USD"


def test_get_may_ask_for_some_fields(send: Send) -> None:
    account = send("POST", "/sobjects/Account", {"Name": "Acme"}).json()["id"]
    row = send("GET", f"/sobjects/Account/{account}?fields=Name,industry").json()
    assert list(row) == ["attributes", "Name", "Industry", "Id"]


def test_update_and_delete_answer_204_without_a_body(send: Send) -> None:
    account = send("POST", "/sobjects/Account", {"Name": "Acme"}).json()["id"]
    for method, body in (("PATCH", {"Name": "Acme 2"}), ("DELETE", None)):
        answer = send(method, f"/sobjects/Account/{account}", body)
        assert (answer.status_code, answer.content) == (204, b"")
        assert "Content-Type" not in answer.headers


def test_patch_may_be_tunnelled_through_post(send: Send) -> None:
    account = send("POST", "/sobjects/Account", {"Name": "Acme"}).json()["id"]
    assert send("POST", f"/sobjects/Account/{account}?_HttpMethod=PATCH", {"Name": "New"}).status_code == 204


@pytest.mark.parametrize(
    ("sobject", "data", "code", "message", "fields"),
    [
        ("Account", {}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ["Name"]),
        ("Opportunity", {"Name": "x"}, "REQUIRED_FIELD_MISSING",
         "Required fields are missing: [StageName, CloseDate]", ["StageName", "CloseDate"]),
        ("Account", {"Name": "x", "Nope__c": 1}, "INVALID_FIELD",
         "No such column 'Nope__c' on sobject of type Account", None),
        ("Account", {"Name": "x", "Id": "001Bx0000000001"}, "INVALID_FIELD",
         "The Id field should not be specified in the sobject data.", ["Id"]),
        ("Account", {"Name": "x", "CreatedDate": "2020-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE",
         NOT_WRITABLE.format("CreatedDate"), ["CreatedDate"]),
        ("Account", {"Name": "x" * 256}, "STRING_TOO_LONG",
         f"Account Name: data value too large: {'x' * 256} (max length=255)", ["Name"]),
        ("Contact", {"LastName": "x", "Email": "nonsense"}, "INVALID_EMAIL_ADDRESS",
         "Email: invalid email address: nonsense", ["Email"]),
        ("Opportunity", {**DEAL, "ForecastCategoryName": "Maybe"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
         "Forecast Category: bad value for restricted picklist field: Maybe", ["ForecastCategoryName"]),
        ("Contact", {"LastName": "x", "AccountId": "003Bx0000000001"}, "MALFORMED_ID",
         "Account ID: id value of incorrect type: 003Bx0000000001IAA", ["AccountId"]),
        ("Contact", {"LastName": "x", "AccountId": "001Bx00000000zz"}, "INVALID_CROSS_REFERENCE_KEY",
         "invalid cross reference id", []),
    ],
)  # fmt: skip
def test_refusals(
    send: Send, sobject: str, data: dict[str, Any], code: str, message: str, fields: list[str] | None
) -> None:
    answer = send("POST", f"/sobjects/{sobject}", data)
    expected: dict[str, Any] = {"message": message, "errorCode": code}
    if fields is not None:
        expected["fields"] = fields
    assert (answer.status_code, answer.json()) == (400, [expected])


@pytest.mark.parametrize(
    "data",
    [
        {"Amount": "many"},
        {"CloseDate": "31.12.2026"},
        {"CloseDate": "2026-02-30"},
        {"IsPrivate": "perhaps"},
        {"Name": ["x"]},
    ],
)
def test_json_of_the_wrong_type_cannot_be_read(send: Send, data: dict[str, Any]) -> None:
    answer = send("POST", "/sobjects/Opportunity", {**DEAL, **data})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_a_body_that_is_no_json_is_refused(send: Send) -> None:
    answer = send("POST", "/sobjects/Account", data="{no json", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_a_stage_that_nobody_defined_is_accepted(sf: Salesforce) -> None:
    deal = sf.Opportunity.create({**DEAL, "StageName": "Daydreaming"})["id"]
    assert sf.Opportunity.get(deal)["StageName"] == "Daydreaming"


def test_required_fields_cannot_be_cleared_others_can(sf: Salesforce) -> None:
    deal = sf.Opportunity.create({**DEAL, "Amount": 10, "NextStep": "call"})["id"]
    sf.Opportunity.update(deal, {"Amount": None, "NextStep": ""})
    row = sf.Opportunity.get(deal)
    assert (row["Amount"], row["NextStep"], row["ExpectedRevenue"]) == (None, None, None)
    with pytest.raises(SalesforceMalformedRequest, match="REQUIRED_FIELD_MISSING"):
        sf.Opportunity.update(deal, {"CloseDate": None})


def test_unknown_deleted_and_foreign_ids_are_told_apart(send: Send) -> None:
    account = send("POST", "/sobjects/Account", {"Name": "Gone"}).json()["id"]
    send("DELETE", f"/sobjects/Account/{account}")
    unknown = "/sobjects/Account/001Bx00000000zz"
    deleted = f"/sobjects/Account/{account}"

    def answers(method: str, path: str) -> tuple[int, str]:
        answer = send(method, path, {} if method == "PATCH" else None)
        return answer.status_code, answer.json()[0]["errorCode"]

    assert answers("GET", unknown) == (404, "NOT_FOUND")
    assert answers("PATCH", unknown) == answers("DELETE", unknown) == (404, "INVALID_CROSS_REFERENCE_KEY")
    assert answers("DELETE", deleted) == answers("PATCH", deleted) == (404, "ENTITY_IS_DELETED")
    assert answers("GET", f"/sobjects/Contact/{account}") == (400, "MALFORMED_ID")
    assert answers("GET", "/sobjects/Nothing/001Bx0000000001") == (404, "NOT_FOUND")


def test_a_method_that_is_not_there_is_405_with_the_others(send: Send) -> None:
    answer = send("PATCH", "/limits", {})
    assert answer.status_code == 405
    assert answer.json() == [
        {"message": "HTTP Method 'PATCH' not allowed. Allowed are GET,HEAD", "errorCode": "METHOD_NOT_ALLOWED"}
    ]


def test_if_unmodified_since_guards_against_a_lost_update(box: Sandbox, send: Send) -> None:
    box.clock.set(datetime(2026, 5, 1, 12, 0, tzinfo=UTC))
    account = send("POST", "/sobjects/Account", {"Name": "Acme"}).json()["id"]
    read_at = format_datetime(box.clock.now(), usegmt=True)
    box.clock.advance(1)
    path, guard = f"/sobjects/Account/{account}", {"If-Unmodified-Since": read_at}
    assert send("PATCH", path, {"Industry": "Energy"}, headers=guard).status_code == 204
    assert send("PATCH", path, {"Industry": "Banking"}, headers=guard).status_code == 412
    assert send("GET", f"{path}?fields=Industry").json()["Industry"] == "Energy"
    assert (
        send("GET", path, headers={"If-Modified-Since": format_datetime(box.clock.now(), usegmt=True)}).status_code
        == 304
    )
    box.clock.reset()


def test_stamps_are_whole_seconds_and_name_the_acting_user(box: Sandbox, send: Send, org: SalesforceOrg) -> None:
    box.clock.set(datetime(2026, 5, 1, 12, 0, 0, 900_000, tzinfo=UTC))
    account = send("POST", "/sobjects/Account", {"Name": "Acme"}).json()["id"]
    box.clock.advance(60)
    org.edit("Account", account, {"Name": "Acme Ltd"})
    row = org.row("Account", account) or {}
    assert row["CreatedDate"] == "2026-05-01T12:00:00.000+0000"
    assert row["SystemModstamp"] == row["LastModifiedDate"] == "2026-05-01T12:01:00.000+0000"
    assert row["CreatedById"] != row["LastModifiedById"]
    box.clock.reset()


def test_the_client_raises_its_own_errors(sf: Salesforce) -> None:
    with pytest.raises(SalesforceResourceNotFound):
        sf.Account.get("001Bx00000000zz")


def test_related_records_may_be_named_by_external_id(sf: Salesforce) -> None:
    account = sf.Account.create({"Name": "Acme", "Legacy_Id__c": "rel-1"})["id"]
    contact = sf.Contact.create({"LastName": "Doe", "Account": {"Legacy_Id__c": "rel-1"}})["id"]
    assert sf.Contact.get(contact)["AccountId"] == account
    with pytest.raises(SalesforceMalformedRequest, match="Foreign key external ID: rel-2 not found"):
        sf.Contact.create({"LastName": "Doe", "Account": {"Legacy_Id__c": "rel-2"}})


def test_every_write_is_in_the_audit(sf: Salesforce, org: SalesforceOrg) -> None:
    org.reset_requests()
    account = sf.Account.create({"Name": "Acme"})["id"]
    sf.Account.update(account, {"Name": "Acme 2"})
    org.edit("Account", account, {"Name": "Acme 3"})
    entries = [
        (entry.op, entry.field, entry.old, entry.new, entry.over_http) for entry in org.audit if entry.id == account
    ]
    assert entries == [
        ("create", "Name", None, "Acme", True),
        ("update", "Name", "Acme", "Acme 2", True),
        ("update", "Name", "Acme 2", "Acme 3", False),
    ]
    assert org.write_count() == 2
