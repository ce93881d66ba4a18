"""Error bodies as real orgs sent them; each names where it was recorded or quoted."""

from __future__ import annotations

import json

import pytest

from crmsync.connectors.salesforce.dialect import read_error, read_limits, without_values


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        # recorded: tablexi/restforce-db, DELETE of a row that is already deleted
        (404, [{"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}], "ENTITY_IS_DELETED"),
        # restforce/restforce fixtures: expired_session_response.json, refresh_error_response.json
        (401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}], "INVALID_SESSION_ID"),
        (400, {"error": "invalid_grant", "error_description": "expired access/refresh token"}, "invalid_grant"),
        (403, [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
         "REQUEST_LIMIT_EXCEEDED"),
        (403, [{"message": "ConcurrentPerOrgLongTxn Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
         "REQUEST_LIMIT_EXCEEDED:CONCURRENT"),
        (500, {}, ""),
        (500, [], ""),
        (500, None, ""),
    ],
)  # fmt: skip
def test_codes_of_both_error_shapes(status: int, body: object, code: str) -> None:
    assert read_error(status, {}, json.dumps(body).encode()).code == code


@pytest.mark.parametrize("data", [b"", b"<html>420</html>", b"\xff\xfe", b"[1]", b'"text"'])
def test_an_error_body_need_not_be_json(data: bytes) -> None:
    assert read_error(420, {}, data).code == ""


@pytest.mark.parametrize(
    ("code", "message", "kept"),
    [
        ("STRING_TOO_LONG", "Account Name: data value too large: Canary Ltd (max length=255)",
         "Account Name: data value too large: … (max length=255)"),
        ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Stage: bad value for restricted picklist field: canary",
         "Stage: bad value for restricted picklist field: …"),
        ("INVALID_EMAIL_ADDRESS", "Email: invalid email address: canary@x", "Email: invalid email address: …"),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Set the close date first", "Set the close date first"),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Ask canary@acme.example first", "Ask … first"),
    ],
)  # fmt: skip
def test_messages_keep_their_sense_and_lose_record_values(code: str, message: str, kept: str) -> None:
    assert without_values(code, message) == kept


def test_the_drawing_of_a_query_error_is_dropped() -> None:
    message = (
        "\nSELECT Nope FROM Account\n       ^\nERROR at Row:1:Column:8\nNo such column 'Nope' on entity 'Account'."
    )
    assert without_values("INVALID_FIELD", message) == "No such column 'Nope' on entity 'Account'."


@pytest.mark.parametrize(
    ("header", "limits"),
    [
        ("api-usage=533/15000", (15000, 14467)),  # recorded: tablexi/restforce-db
        ("api-usage=25/5000; per-app-api-usage=17/250(appName=sample)", (5000, 4975)),
        ("api-usage=5001/5000", (5000, 0)),
        ("", None),
        ("nonsense", None),
    ],
)
def test_the_usage_header(header: str, limits: tuple[int, int] | None) -> None:
    assert read_limits({"Sforce-Limit-Info": header}) == limits
