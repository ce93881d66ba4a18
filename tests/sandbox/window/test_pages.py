"""What a person sees in a browser, read over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import requests

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN
from tests.sandbox.window.conftest import FACTS, Look, deal_of

SYSTEMS = ("salesforce", "hubspot")


def test_the_door_leads_to_the_overview_of_both_crms(box: Sandbox, look: Look) -> None:
    assert requests.get(f"{box.url}/", timeout=10).url == f"{box.url}/_sandbox/window/"
    page = look()
    assert f"{box.salesforce.count('Opportunity')} Opportunities" in page.text()
    assert f"{box.hubspot.count('deals')} Deals" in page.text()


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("kind", ["deal", "account", "contact", "partner", "registration"])
def test_every_list_leads_to_its_records(look: Look, system: str, kind: str) -> None:
    records = [link for link in look(f"{system}/{kind}").links if f"/{system}/{kind}/" in link]
    assert records
    look(records[0].removeprefix("/_sandbox/window/"))


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_pages_of_a_list_hold_every_record_once(box: Sandbox, look: Look, system: str) -> None:
    seen: list[str] = []
    path = f"{system}/contact?page=1"
    while path:
        page = look(path)
        seen += [link for link in page.links if f"/{system}/contact/" in link]
        following = [given["href"] for given in page.attributes("a") if given.get("rel") == "next"]
        path = str(following[0]).removeprefix("/_sandbox/window/") if following else ""
    assert len(seen) == len(set(seen)) == box.salesforce.count("Contact")


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_search_looks_for_the_text_as_it_is(look: Look, system: str) -> None:
    assert "Lienz Elektro – GTX Pro" in look(f"{system}/deal", q="lienz elek").text()
    assert "No name contains “100%_<b>”" in look(f"{system}/deal", q="100%_<b>").text()


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_deal_tells_its_seller_about_the_partner(box: Sandbox, look: Look, system: str) -> None:
    box.clock.set(datetime(2026, 1, 31, 12, tzinfo=UTC))
    page = look(f"{system}/deal/{deal_of(box, system)}")
    box.clock.reset()
    assert "Lienz Elektro" in page.text("details")
    assert FACTS["attribution_reason"] in page.text("attribution")
    assert {given.get("title") for given in page.attributes("span")} >= {"CERT_LAPSED", "CONFLICT_PARTNER"}
    assert "ends in 60 days 01 Jan 2026 01 Apr 2026" in page.text("protection")
    assert {"width": "33", "height": "8", "class": "passed"} in page.attributes("rect")
    assert "Remind the partner <today>." in page.text("partner")
    assert "Stefan Weiß" in page.text("people")
    assert "Fjord Distribution" in page.text("people")
    assert "SCN-52-R1" in page.text("registrations")


@pytest.mark.parametrize(("system", "author"), [("salesforce", "System Admin"), ("hubspot", "Anna Snelling")])
def test_the_history_says_who_changed_what(box: Sandbox, look: Look, system: str, author: str) -> None:
    history = look(f"{system}/deal/{deal_of(box, system)}").text("history")
    assert author in history
    assert "Remind the partner <today>." in history


@pytest.mark.parametrize(("system", "other"), [SYSTEMS, SYSTEMS[::-1]])
def test_a_deal_is_one_click_from_the_same_deal_in_the_other_crm(
    box: Sandbox, look: Look, system: str, other: str
) -> None:
    page = look(f"{system}/deal/{deal_of(box, system)}")
    assert f"/_sandbox/window/{other}/deal/{deal_of(box, other)}" in page.links


@pytest.mark.parametrize("system", SYSTEMS)
def test_flagged_deals_can_be_picked_out(box: Sandbox, look: Look, system: str) -> None:
    links = [link for link in look(f"{system}/deal", flagged=1).links if f"/{system}/deal/" in link]
    assert links == [f"/_sandbox/window/{system}/deal/{deal_of(box, system)}"]


def test_the_request_log_says_what_came_in_and_who_sent_it(box: Sandbox, look: Look) -> None:
    headers = {"Authorization": f"Bearer {HUBSPOT_TOKEN}"}
    requests.get(f"{box.url}/crm/v3/objects/deals?limit=3", headers=headers, timeout=10)
    requests.get(f"{box.url}/services/data/v62.0/limits", timeout=10)
    assert "GET /crm/v3/objects/deals ?limit=3 200" in look("requests", system="hubspot").text()
    assert "Private app" in look("requests", q="limit=3").text()
    failed = look("requests", status="failed").text()
    assert "/services/data/v62.0/limits 401" in failed
    assert "limit=3" not in failed


def test_looking_is_no_request_to_a_crm(box: Sandbox, look: Look) -> None:
    before = len(box.salesforce.requests), len(box.hubspot.requests), len(box.traffic.seen)
    look(), look("salesforce/deal"), look("changes"), look("changes", system="hubspot")
    assert (len(box.salesforce.requests), len(box.hubspot.requests), len(box.traffic.seen)) == before


@pytest.mark.parametrize(
    "path", ["nothing", "oracle/deal", "salesforce/lead", "salesforce/deal/006", "hubspot/deal/x", "hubspot/deal/1"]
)
def test_what_is_not_there_gets_a_page_that_leads_back(look: Look, path: str) -> None:
    assert "/_sandbox/window/" in look(path, expect=404).links


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999"])
def test_an_odd_page_number_does_no_harm(look: Look, page: str) -> None:
    look("hubspot/deal", page=page)


def test_a_blank_world_has_pages_too() -> None:
    with Sandbox(world="blank") as box:
        for path in ("", "salesforce/registration", "hubspot/registration", "hubspot/partner", "requests", "changes"):
            assert requests.get(f"{box.url}/_sandbox/window/{path}", timeout=10).status_code == 200
