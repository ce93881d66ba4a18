"""Who gets in, how far, and how often."""

from __future__ import annotations

import pytest
import requests

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN
from crmsync.sandbox.hubspot import HubSpotPortal
from tests.sandbox.hubspot.conftest import Send

GRANT = {
    "grant_type": "refresh_token",
    "client_id": HUBSPOT_CLIENT_ID,
    "client_secret": HUBSPOT_CLIENT_SECRET,
    "refresh_token": HUBSPOT_REFRESH_TOKEN,
}


def _token(box: Sandbox, path: str = "/oauth/v1/token", **changed: str) -> requests.Response:
    return requests.post(box.url + path, data=GRANT | changed, timeout=10)


@pytest.mark.parametrize("header", ["Bearer nobody", "nobody", ""])
def test_a_wrong_token(send: Send, header: str) -> None:
    answer = send("GET", "/crm/v3/owners/", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["category"]) == (401, "INVALID_AUTHENTICATION")
    assert answer.json()["correlationId"] == answer.headers["X-HubSpot-Correlation-Id"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/crm/v3/objects/deals", "crm.objects.deals.read"),
        ("POST", "/crm/v3/objects/deals", "crm.objects.deals.write"),
        ("POST", "/crm/v3/objects/tasks", "crm.objects.contacts.write"),
        ("POST", "/crm/v3/properties/deals", "crm.schemas.deals.write"),
        ("POST", "/crm-object-schemas/v3/schemas", "crm.schemas.custom.write"),
        ("GET", "/crm/v3/owners/", "crm.objects.owners.read"),
        ("POST", "/crm/v4/associations/deals/companies/batch/create", "crm.objects.companies.write"),
    ],
)
def test_a_token_without_the_scope_is_told_which(
    send: Send, portal: HubSpotPortal, method: str, path: str, scope: str
) -> None:
    bare = {"Authorization": f"Bearer {portal.tokens.issue(['oauth'])}"}
    answer = send(method, path, {}, headers=bare)
    assert (answer.status_code, answer.json()["category"]) == (403, "MISSING_SCOPES")
    assert scope in answer.json()["errors"][0]["context"]["requiredGranularScopes"]
    enough = {"Authorization": f"Bearer {portal.tokens.issue([scope])}"}
    assert send(method, path, {}, headers=enough).status_code != 403


def test_an_oauth_token_lives_thirty_minutes(box: Sandbox, send: Send) -> None:
    body = _token(box).json()
    assert (body["token_type"], body["expires_in"], body["refresh_token"]) == ("bearer", 1800, HUBSPOT_REFRESH_TOKEN)
    mine = {"Authorization": f"Bearer {body['access_token']}"}
    answer = send("GET", "/crm/v3/objects/deals", headers=mine)
    assert answer.status_code == 200
    assert "X-HubSpot-RateLimit-Daily" not in answer.headers
    box.clock.advance(1_801)
    assert send("GET", "/crm/v3/objects/deals", headers=mine).status_code == 401


def test_newer_token_endpoints_tell_hub_and_scopes(box: Sandbox) -> None:
    for path in ("/oauth/v3/token", "/oauth/2026-03/token"):
        assert {"hub_id", "scopes"} <= _token(box, path).json().keys()


def test_a_wrong_refresh_token(box: Sandbox) -> None:
    answer = _token(box, refresh_token="gone")
    assert answer.status_code == 400
    assert (answer.json()["status"], answer.json()["error"]) == ("BAD_REFRESH_TOKEN", "invalid_grant")


def test_the_burst_limit_frees_itself(box: Sandbox, send: Send) -> None:
    box.clock.freeze()
    box.hubspot.limits.enforce = True
    box.hubspot.limits.maximum["burst"] = 3
    answers = [send("GET", "/crm/v3/owners/") for _ in range(4)]
    assert [one.headers["X-HubSpot-RateLimit-Remaining"] for one in answers] == ["2", "1", "0", "0"]
    assert (answers[3].status_code, answers[3].json()["policyName"]) == (429, "TEN_SECONDLY_ROLLING")
    box.clock.advance(10)
    assert send("GET", "/crm/v3/owners/").status_code == 200


def test_the_daily_limit_ends_with_the_day(box: Sandbox, send: Send) -> None:
    box.hubspot.limits.enforce = True
    box.hubspot.limits.daily = box.hubspot.limits.used_today
    answer = send("GET", "/crm/v3/owners/")
    assert (answer.status_code, answer.json()["policyName"]) == (429, "DAILY")
    box.clock.advance(86_400)
    box.hubspot.limits.daily = 10
    assert send("GET", "/crm/v3/owners/").headers["X-HubSpot-RateLimit-Daily-Remaining"] == "9"


def test_hammered_records_are_locked(box: Sandbox, send: Send, portal: HubSpotPortal) -> None:
    box.clock.freeze()
    deal = portal.insert_rows("deals", [{}])[0]
    portal.limits.lock_after = 1
    answers = [send("PATCH", f"/crm/v3/objects/deals/{deal}", {"properties": {"amount": n}}) for n in (1, 2)]
    assert [one.status_code for one in answers] == [200, 423]


def test_usage(send: Send) -> None:
    usage = send("GET", "/account-info/v3/api-usage/daily/private-apps").json()["results"][0]
    assert (usage["currentUsage"], usage["usageLimit"]) == (1, 1_000_000)


def test_both_families_of_paths(send: Send, portal: HubSpotPortal) -> None:
    deal = portal.insert_rows("deals", [{"dealname": "Pump"}])[0]
    pairs = (
        ("/crm/v3/objects/deals", "/crm/objects/{}/0-3"),
        (f"/crm/v3/objects/deal/{deal}", "/crm/objects/{}/deals/" + deal),
        ("/crm/v3/properties/deals", "/crm/properties/{}/deals"),
        ("/crm/v3/pipelines/deals", "/crm/pipelines/{}/deals"),
        ("/crm/v3/owners/", "/crm/owners/{}"),
        ("/crm/v4/associations/deals/contacts/labels", "/crm/associations/{}/deals/contacts/labels"),
        (
            f"/crm/v4/objects/deals/{deal}/associations/contacts",
            "/crm/objects/{}/deals/" + deal + "/associations/contacts",
        ),
        ("/crm-object-schemas/v3/schemas", "/crm-object-schemas/{}/schemas"),
        ("/account-info/v3/details", "/account-info/{}/details"),
    )
    for numbered, dated in pairs:
        expected = send("GET", numbered)
        assert expected.status_code == 200
        for version in ("2026-03", "2026-09"):
            assert send("GET", dated.format(version)).json() == expected.json()


def test_from_2026_09_on_required_properties_are_demanded(send: Send, portal: HubSpotPortal) -> None:
    portal.behaviour.required["deals"] = ("dealname", "closedate")
    body = {"properties": {"dealname": "Pump"}}
    assert send("POST", "/crm/objects/2026-03/deals", body).status_code == 201
    refused = send("POST", "/crm/objects/2026-09/deals", body)
    assert (refused.status_code, refused.json()["category"]) == (400, "VALIDATION_ERROR")
    assert "closedate" in refused.json()["message"]


def test_an_unknown_path_is_a_json_404(send: Send) -> None:
    assert send("GET", "/crm/v3/nothing/here").json()["category"] == "OBJECT_NOT_FOUND"
