"""Error bodies as HubSpot was recorded to send them."""

from __future__ import annotations

import json

import pytest

from crmsync.connectors.hubspot.api import read_error
from crmsync.connectors.hubspot.problems import parse_problem

INVALID = [{"isValid": False, "message": "…", "error": "PROPERTY_DOESNT_EXIST", "name": "last000name"}]


def body(**fields: object) -> bytes:
    return json.dumps({"status": "error", **fields}).encode()


@pytest.mark.parametrize(
    "fields",
    [
        {"context": {"requiredGranularScopes": ["crm.schemas.custom.write"]}},
        {"errors": [{"context": {"requiredGranularScopes": ["crm.schemas.custom.write"]}}]},
    ],
    ids=["at the top", "in the first detail"],
)
def test_missing_scopes_are_named_wherever_they_stand(fields):
    error = read_error(403, {}, body(category="MISSING_SCOPES", message="One or more…", **fields))
    assert (error.code, error.missing_scopes) == ("MISSING_SCOPES", ("crm.schemas.custom.write",))
    assert "tick crm.schemas.custom.write in HubSpot > Settings" in error.hint


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}, "TEN_SECONDLY_ROLLING"),
        ({"category": "RATE_LIMITS", "message": "You have reached your secondly limit."}, "SECONDLY"),
        ({"errorType": "RATE_LIMIT", "policyName": "DAILY", "message": "You have reached your daily limit."}, "DAILY"),
        ({"message": "You have reached your ten_secondly_rolling limit."}, "TEN_SECONDLY_ROLLING"),
    ],
)
def test_the_forms_of_429_name_their_limit(fields, code):
    assert read_error(429, {}, body(**fields)).code == code


def test_a_structured_property_error_wins_over_the_text():
    details = [{"code": "INVALID_OPTION", "context": {"propertyName": ["dealtype"]}}]
    problem = parse_problem(body(message=f"Property values were not valid: {json.dumps(INVALID)}", errors=details))
    assert problem.summary == "dealtype: INVALID_OPTION"


def test_older_answers_have_the_property_error_in_their_text_only():
    problem = parse_problem(body(message=f"Property values were not valid: {json.dumps(INVALID)}"))
    assert (problem.code, problem.summary) == ("PROPERTY_DOESNT_EXIST", "last000name: PROPERTY_DOESNT_EXIST")


@pytest.mark.parametrize(
    ("data", "summary"),
    [
        (b"<html>Resource not found</html>", "the answer is not JSON"),
        (b'{"message":"validation error","errors":["The request body may not be null"]}', "validation error"),
        (b'{"errors":["The request body may not be null"]}', "The request body may not be null"),
        (b"[]", "the answer is not JSON"),
        (b"{}", ""),
    ],
)
def test_every_part_of_a_body_may_be_missing(data, summary):
    assert parse_problem(data).summary == summary


def test_record_values_do_not_pass_into_messages():
    text = "Contact 'Dana Scully' with e-mail dana@fbi.example already exists"
    assert parse_problem(body(message=text)).summary == "Contact '…' with e-mail '…' already exists"


def test_a_refused_refresh_token_has_the_code_of_the_oauth_endpoint():
    data = json.dumps({"status": "BAD_REFRESH_TOKEN", "message": "bad", "error": "invalid_grant"}).encode()
    assert read_error(400, {}, data).code == "BAD_REFRESH_TOKEN"
