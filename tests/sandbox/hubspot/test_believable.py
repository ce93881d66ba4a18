"""What a client of the real HubSpot learns to expect, one by one: merging, forgetting, history, limits, refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crmsync.sandbox import Sandbox
from crmsync.sandbox.hubspot import HubSpotPortal
from tests.sandbox.hubspot.conftest import Send

OBJECTS = "/crm/v3/objects"


def _merge(send: Send, kind: str, primary: str, loser: str) -> str:
    answer = send("POST", f"{OBJECTS}/{kind}/merge", {"primaryObjectId": primary, "objectIdToMerge": loser})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


@pytest.mark.parametrize("kind", ["contacts", "companies", "deals", "tickets"])
def test_a_merge_makes_a_third_record(send: Send, portal: HubSpotPortal, kind: str) -> None:
    a, b = portal.insert_rows(kind, [{}, {}])
    third = _merge(send, kind, a, b)
    assert third not in {a, b}
    asked = "?properties=hs_merged_object_ids"
    for old in (a, b):
        shown = send("GET", f"{OBJECTS}/{kind}/{old}{asked}").json()
        assert (shown["id"], shown["properties"]["hs_merged_object_ids"]) == (third, f"{a};{b}")
    assert portal.count(kind) == 1


def test_merges_chain(send: Send, portal: HubSpotPortal) -> None:
    a, b, c = portal.insert_rows("companies", [{"name": name} for name in "abc"])
    last = _merge(send, "companies", _merge(send, "companies", a, b), c)
    for old in (a, b, c):
        assert send("GET", f"{OBJECTS}/companies/{old}").json()["id"] == last


def test_an_old_id_can_be_patched_but_not_in_a_batch(send: Send, portal: HubSpotPortal) -> None:
    a, b = portal.insert_rows("companies", [{"name": "A"}, {"name": "B"}])
    third = _merge(send, "companies", a, b)
    assert send("PATCH", f"{OBJECTS}/companies/{b}", {"properties": {"name": "C"}}).json()["id"] == third
    answer = send("POST", f"{OBJECTS}/companies/batch/update", {"inputs": [{"id": b, "properties": {"name": "D"}}]})
    assert (answer.status_code, answer.json()["errors"][0]["context"]) == (207, {"ids": [b]})


@pytest.mark.parametrize("pair", [("own", "own"), ("own", "404404"), ("404404", "own"), ("x", "own"), ("", "")])
def test_merges_that_cannot_be(send: Send, portal: HubSpotPortal, pair: tuple[str, str]) -> None:
    own = portal.insert_rows("companies", [{"name": "A"}])[0]
    ids = [own if one == "own" else one for one in pair]
    body = {"primaryObjectId": ids[0], "objectIdToMerge": ids[1]}
    assert send("POST", f"{OBJECTS}/companies/merge", body).status_code in {400, 404}
    assert portal.count("companies") == 1


def test_the_recycle_bin_is_read_by_page_and_by_id(send: Send, portal: HubSpotPortal) -> None:
    ids = portal.insert_rows("deals", [{"dealname": str(n)} for n in range(5)])
    send("POST", f"{OBJECTS}/deals/batch/archive", {"inputs": [{"id": one} for one in reversed(ids[1:])]})
    first = send("GET", f"{OBJECTS}/deals?archived=true&limit=3").json()
    assert [one["id"] for one in first["results"]] == ids[1:4]
    after = first["paging"]["next"]["after"]
    assert [one["id"] for one in send("GET", f"{OBJECTS}/deals?archived=true&after={after}").json()["results"]] == ids[
        4:
    ]
    read = send("POST", f"{OBJECTS}/deals/batch/read?archived=true", {"inputs": [{"id": ids[1]}]}).json()["results"]
    assert (read[0]["archived"], read[0]["id"]) == (True, ids[1])


def test_a_restored_record_is_modified(box: Sandbox, send: Send, portal: HubSpotPortal) -> None:
    deal = portal.insert_rows("deals", [{"createdate": "2026-01-01"}])[0]
    portal.archive("deals", deal)
    portal.restore("deals", deal)
    shown = send("GET", f"{OBJECTS}/deals/{deal}").json()
    assert (shown["archived"], "archivedAt" in shown) == (False, False)
    assert shown["updatedAt"] > "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("body", [{"objectId": "id"}, {"objectId": "a@example.com", "idProperty": "email"}])
def test_privacy_deletion_leaves_nothing(send: Send, portal: HubSpotPortal, body: dict[str, str]) -> None:
    contact = portal.insert_rows("contacts", [{"email": "a@example.com"}])[0]
    portal.edit("contacts", contact, {"firstname": "Anna"})
    body = {**body, "objectId": contact} if body["objectId"] == "id" else body
    assert send("POST", f"{OBJECTS}/contacts/gdpr-delete", body).status_code == 204
    assert send("GET", f"{OBJECTS}/contacts/{contact}").status_code == 404
    assert send("GET", f"{OBJECTS}/contacts?archived=true").json()["results"] == []
    assert portal.audit == []
    assert send("POST", f"{OBJECTS}/contacts/gdpr-delete", body).status_code == 204


def test_history_in_lists_and_batches(send: Send, portal: HubSpotPortal) -> None:
    deal = portal.insert_rows("deals", [{"amount": "1"}])[0]
    send("PATCH", f"{OBJECTS}/deals/{deal}", {"properties": {"amount": "2"}})
    send("PATCH", f"{OBJECTS}/deals/{deal}", {"properties": {"amount": ""}})
    (listed,) = send("GET", f"{OBJECTS}/deals?propertiesWithHistory=amount").json()["results"]
    body = {"inputs": [{"id": deal}], "properties": [], "propertiesWithHistory": ["amount"]}
    (read,) = send("POST", f"{OBJECTS}/deals/batch/read", body).json()["results"]
    assert listed["propertiesWithHistory"] == read["propertiesWithHistory"]
    assert [one["value"] for one in read["propertiesWithHistory"]["amount"]] == ["", "2", "1"]
    assert send("GET", f"{OBJECTS}/deals?propertiesWithHistory=amount&limit=51").status_code == 400


def _spend_burst(portal: HubSpotPortal) -> None:
    portal.limits.maximum["burst"] = 0


def _spend_searches(portal: HubSpotPortal) -> None:
    portal.limits.maximum["search"] = 0


def _spend_the_day(portal: HubSpotPortal) -> None:
    portal.limits.daily = 0


@pytest.mark.parametrize(
    ("spend", "path", "body", "header"),
    [
        (_spend_burst, f"{OBJECTS}/deals/batch/read",
         {"status": "error", "message": "You have reached your ten_secondly_rolling limit.", "errorType": "RATE_LIMIT",
          "policyName": "TEN_SECONDLY_ROLLING"}, "X-HubSpot-RateLimit-Max"),
        (_spend_searches, f"{OBJECTS}/deals/search",
         {"status": "error", "message": "You have reached your secondly limit.", "category": "RATE_LIMITS"},
         "X-HubSpot-RateLimit-Daily"),
        (_spend_the_day, f"{OBJECTS}/deals/batch/read",
         {"status": "error", "message": "You have reached your daily limit.", "errorType": "RATE_LIMIT",
          "policyName": "DAILY"}, "X-HubSpot-RateLimit-Daily-Remaining"),
    ],
    ids=["ten seconds", "search", "day"],
)  # fmt: skip
def test_three_limiters_refuse_in_three_ways(
    send: Send,
    portal: HubSpotPortal,
    spend: Callable[[HubSpotPortal], None],
    path: str,
    body: dict[str, Any],
    header: str,
) -> None:
    portal.limits.enforce = True
    spend(portal)
    answer = send("POST", path, {"inputs": []})
    told = answer.json()
    assert answer.status_code == 429
    assert {name: told.get(name) for name in body} == body
    assert ("category" in told) == ("category" in body)
    assert ("errorType" in told) == ("errorType" in body)
    assert header in answer.headers
    assert "Retry-After" not in answer.headers


def test_searches_have_a_limiter_of_their_own(box: Sandbox, send: Send, portal: HubSpotPortal) -> None:
    box.clock.freeze()
    portal.limits.enforce = True
    portal.limits.maximum["burst"] = 1
    assert [send("POST", f"{OBJECTS}/deals/search", {}).status_code for _ in range(6)] == [200] * 5 + [429]
    assert [send("GET", f"{OBJECTS}/deals").status_code for _ in range(2)] == [200, 429]
    labels = "/crm/v4/associations/deals/companies/labels"
    assert send("GET", labels).status_code == 200
    box.clock.advance(1)
    assert send("POST", f"{OBJECTS}/deals/search", {}).status_code == 200


def test_a_locked_record_is_free_after_two_seconds(box: Sandbox, send: Send, portal: HubSpotPortal) -> None:
    box.clock.freeze()
    deal = portal.insert_rows("deals", [{}])[0]
    portal.limits.lock_after = 2
    path = f"{OBJECTS}/deals/{deal}"
    statuses = [send("PATCH", path, {"properties": {"amount": n}}).status_code for n in range(3)]
    box.clock.advance(2.1)
    assert [*statuses, send("PATCH", path, {"properties": {"amount": 9}}).status_code] == [200, 200, 423, 200]


def test_nobody_is_told_a_version(send: Send, portal: HubSpotPortal) -> None:
    """There is no optimistic concurrency: a condition in the request is not looked at."""
    deal = portal.insert_rows("deals", [{}])[0]
    answer = send("PATCH", f"{OBJECTS}/deals/{deal}", {"properties": {"amount": "1"}}, headers={"If-Match": '"x"'})
    assert (answer.status_code, "ETag" in answer.headers) == (200, False)


def test_ids_are_texts_but_whole_numbers_in_associations(send: Send, portal: HubSpotPortal) -> None:
    deal, company = portal.insert_rows("deals", [{}])[0], portal.insert_rows("companies", [{}])[0]
    portal.associate("deals", deal, "companies", company)
    assert send("GET", f"{OBJECTS}/deals").json()["results"][0]["id"] == deal
    links = send("GET", f"/crm/v4/objects/deals/{deal}/associations/companies").json()["results"]
    assert links[0]["toObjectId"] == int(company)


@pytest.mark.parametrize(
    "path", ["/crm/v3/imports/", "/crm/v3/exports/export/async", "/crm/v3/lists/", "/webhooks/v3/1"]
)
def test_what_is_not_modelled_is_a_json_404(send: Send, path: str) -> None:
    answer = send("POST", path, {})
    assert (answer.status_code, answer.json()["category"]) == (404, "OBJECT_NOT_FOUND")
