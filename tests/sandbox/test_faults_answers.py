"""The CRM refuses: what clients see, and that they see it no more when it is over."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from hubspot import HubSpot
from hubspot.crm.deals.exceptions import ApiException
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceError

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN
from tests.sandbox.conftest import HUBSPOT_HEADERS

LOCKED = "UNABLE_TO_LOCK_ROW"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "down"}, 503, "SERVER_UNAVAILABLE"),
        ({"kind": "server_error"}, 500, "UNKNOWN_EXCEPTION"),
        ({"kind": "server_error", "status": 503}, 503, "SERVER_UNAVAILABLE"),
        ({"kind": "quota"}, 403, "REQUEST_LIMIT_EXCEEDED"),
        ({"kind": "rate_limit"}, 403, "REQUEST_LIMIT_EXCEEDED"),
        ({"kind": "missing_scope"}, 403, "API_CURRENTLY_DISABLED"),
        ({"kind": "lock"}, 400, LOCKED),
    ],
)
def test_simple_salesforce_is_refused(
    box: Sandbox, salesforce: Salesforce, fault: dict[str, Any], status: int, code: str
) -> None:
    box.faults.add(system="salesforce", **fault)
    with pytest.raises(SalesforceError) as refused:
        salesforce.query("SELECT Id FROM Account LIMIT 1")
    assert (refused.value.status, refused.value.content[0]["errorCode"]) == (status, code)
    assert salesforce.query("SELECT Id FROM Account LIMIT 1")["totalSize"] == 1


def test_simple_salesforce_signs_in_again_after_a_401(box: Sandbox, salesforce: Salesforce) -> None:
    box.faults.add(system="salesforce", kind="unauthorized")
    assert salesforce.query("SELECT Id FROM Account LIMIT 1")["totalSize"] == 1
    statuses = [status for _, _, status in box.salesforce.requests][-3:]
    assert statuses == [401, 200, 200]


@pytest.mark.parametrize(
    ("fault", "status", "part"),
    [
        ({"kind": "down"}, 503, "SERVICE_UNAVAILABLE"),
        ({"kind": "server_error"}, 500, "internal error"),
        ({"kind": "quota"}, 429, '"policyName":"DAILY"'),
        ({"kind": "rate_limit"}, 429, '"policyName":"TEN_SECONDLY_ROLLING"'),
        ({"kind": "search_limit"}, 429, "You have reached your secondly limit."),
        ({"kind": "unauthorized"}, 401, "INVALID_AUTHENTICATION"),
        ({"kind": "missing_scope"}, 403, "requiredGranularScopes"),
        ({"kind": "lock"}, 423, "LOCKED"),
        ({"kind": "html"}, 502, "<html>"),
    ],
)
def test_hubspot_api_client_is_refused(
    box: Sandbox, hubspot: HubSpot, fault: dict[str, Any], status: int, part: str
) -> None:
    box.faults.add(system="hubspot", **fault)
    with pytest.raises(ApiException) as refused:
        hubspot.crm.deals.basic_api.get_page(limit=1)
    assert refused.value.status == status
    assert part in refused.value.body
    assert len(hubspot.crm.deals.basic_api.get_page(limit=1).results) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("path", ["/crm/v3/owners", "/services/data"])
def test_every_server_error(box: Sandbox, http: requests.Session, path: str, status: int) -> None:
    box.faults.add(kind="server_error", status=status)
    answer = http.get(box.url + path, headers=HUBSPOT_HEADERS, timeout=5)
    assert answer.status_code == status
    assert ("html" in answer.headers["Content-Type"]) == (status in (502, 504))


def test_a_page_of_html_with_status_200(box: Sandbox, salesforce: Salesforce) -> None:
    box.faults.add(kind="html", status=200)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        salesforce.query("SELECT Id FROM Account LIMIT 1")
    assert salesforce.query("SELECT Id FROM Account LIMIT 1")["totalSize"] == 1


@pytest.mark.parametrize("wait", ["7", "0", "-1", "1000000000", "Wed, 21 Oct 2026 07:28:00 GMT", "soon", ""])
@pytest.mark.parametrize("kind", ["rate_limit", "search_limit", "quota", "down"])
def test_retry_after_says_what_it_is_told_to_say(box: Sandbox, http: requests.Session, kind: str, wait: str) -> None:
    box.faults.add(system="hubspot", kind=kind, retry_after=wait)
    answer = http.get(f"{box.url}/crm/v3/owners", headers=HUBSPOT_HEADERS, timeout=5)
    assert answer.headers.get("Retry-After", "") == wait


def test_an_error_may_come_after_the_commit(box: Sandbox, http: requests.Session) -> None:
    before = box.hubspot.count("companies")
    box.faults.add(kind="server_error", when="after")
    headers = {"Authorization": f"Bearer {HUBSPOT_TOKEN}"}
    body = {"properties": {"name": "Made all the same"}}
    assert http.post(f"{box.url}/crm/v3/objects/companies", json=body, headers=headers, timeout=5).status_code == 500
    assert box.hubspot.count("companies") == before + 1
