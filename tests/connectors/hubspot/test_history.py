"""Who changed a property: its own history, fifty records a call."""

from __future__ import annotations

from collections.abc import Callable

from crmsync.connectors.hubspot.connector import HubSpotConnector
from crmsync.sandbox.hubspot.portal import HubSpotPortal


def seller(portal: HubSpotPortal) -> str:
    """User id of Eva Klein, who owns nothing yet."""
    portal.owners.create("eva@example.com", "Eva", "Klein", 0)
    (owner,) = portal.owners.page(archived=False, email="eva@example.com", after=0, limit=1)
    return str(owner["userId"])


def test_a_persons_change_has_a_name_and_a_time(hubspot: HubSpotConnector, portal: HubSpotPortal) -> None:
    deal = portal.create("deals", {"dealname": "one"})
    portal.edit("deals", deal, {"dealname": "two"}, seller(portal))
    newest, oldest = hubspot.edits("deals", [deal], ["dealname"])[deal, "dealname"]
    assert (newest.value, newest.by, newest.source) == ("two", "Eva Klein", "CRM_UI")
    assert oldest.value == "one"
    assert newest.at is not None


def test_somebody_who_is_no_owner_keeps_the_number(hubspot: HubSpotConnector, portal: HubSpotPortal) -> None:
    deal = portal.create("deals", {"dealname": "one"})
    portal.edit("deals", deal, {"dealname": "two"}, "4711")
    assert hubspot.edits("deals", [deal], ["dealname"])[deal, "dealname"][0].by == "user 4711"


def test_without_the_scope_for_owners_people_keep_their_numbers(
    hubspot: HubSpotConnector, portal: HubSpotPortal, fail: Callable[..., None]
) -> None:
    user = seller(portal)
    deal = portal.create("deals", {"dealname": "one"}, user)
    fail("missing_scope", match="/owners")
    assert hubspot.edits("deals", [deal], ["dealname"])[deal, "dealname"][0].by == f"user {user}"


def test_fifty_records_a_call(hubspot: HubSpotConnector, portal: HubSpotPortal) -> None:
    ids = [portal.create("deals", {"dealname": f"d{number}"}, "4711") for number in range(101)]
    portal.reset_requests()
    assert len(hubspot.edits("deals", ids, ["dealname"])) == 101
    assert [path for _, path, *_ in portal.requests].count("/crm/v3/objects/deals/batch/read") == 3


def test_a_value_that_was_blanked_is_blank(hubspot: HubSpotConnector, portal: HubSpotPortal) -> None:
    deal = portal.create("deals", {"dealname": "one", "description": "x"})
    portal.edit("deals", deal, {"description": ""})
    assert hubspot.edits("deals", [deal], ["description"])[deal, "description"][0].value is None


def test_a_record_that_is_gone_is_left_out(hubspot: HubSpotConnector) -> None:
    assert hubspot.edits("deals", ["1"], ["dealname"]) == {}
