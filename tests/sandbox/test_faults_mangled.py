"""Answers spoiled in transit or by malice, and batches that one record spoils."""

from __future__ import annotations

import re

import pytest
import requests
from hubspot import HubSpot
from hubspot.crm.companies.exceptions import ApiException
from simple_salesforce import Salesforce

from crmsync.sandbox import Sandbox
from tests.sandbox.conftest import HUBSPOT_HEADERS

COMPANIES = "/crm/v3/objects/companies"


def get(box: Sandbox, http: requests.Session, path: str = COMPANIES) -> requests.Response:
    return http.get(box.url + path, headers=HUBSPOT_HEADERS, timeout=5, allow_redirects=False)


def test_a_packed_body_is_cut(box: Sandbox, http: requests.Session) -> None:
    box.faults.add(kind="garble")
    with pytest.raises((requests.exceptions.ContentDecodingError, ValueError)):
        get(box, http).json()
    assert get(box, http).json()["results"]


def test_a_body_is_longer_than_it_need_be(box: Sandbox, http: requests.Session) -> None:
    box.faults.add(kind="huge", size=100_000)
    answer = get(box, http)
    assert len(answer.content) > 100_000
    assert answer.json()["results"]


def test_a_small_body_unpacks_to_a_large_one(box: Sandbox, http: requests.Session) -> None:
    box.faults.add(kind="bomb", size=1_000_000)
    answer = get(box, http)
    assert int(answer.headers["Content-Length"]) < 10_000 < len(answer.content) == 1_000_000


def test_brackets_in_brackets(box: Sandbox, http: requests.Session) -> None:
    box.faults.add(kind="deep", size=5_000)
    assert get(box, http).content == b"[" * 5_000 + b"]" * 5_000


@pytest.mark.parametrize("kind", ["huge", "bomb", "deep"])
def test_a_size_is_wanted(box: Sandbox, kind: str) -> None:
    with pytest.raises(ValueError, match="a size above 0"):
        box.faults.add(kind=kind)


def test_an_answer_leads_elsewhere(box: Sandbox, http: requests.Session) -> None:
    box.faults.add(kind="redirect", value="http://elsewhere.example/")
    answer = get(box, http)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://elsewhere.example/")


def test_the_next_page_is_on_another_host(box: Sandbox, http: requests.Session, salesforce: Salesforce) -> None:
    box.faults.add(kind="lure", value="http://elsewhere.example", times=2)
    assert get(box, http).json()["paging"]["next"]["link"].startswith("http://elsewhere.example/")
    page = salesforce.query("SELECT Id FROM Account LIMIT 1")
    assert (page["done"], page["nextRecordsUrl"]) == (False, "http://elsewhere.example/next")


def test_some_rows_are_left_out(box: Sandbox, salesforce: Salesforce) -> None:
    box.faults.add(kind="fewer", share=0.5)
    page = salesforce.query("SELECT Id FROM Account LIMIT 8")
    assert (len(page["records"]), page["totalSize"]) == (4, 8)


def test_a_record_spoils_every_batch_that_holds_it(box: Sandbox, hubspot: HubSpot) -> None:
    good, bad = [row["hs_object_id"] for row in box.hubspot.rows("companies")][:2]
    box.faults.add(kind="poison", system="hubspot", value=bad, times=None)
    update = hubspot.crm.companies.batch_api.update
    with pytest.raises(ApiException, match=re.escape("400")):
        update({"inputs": [{"id": one, "properties": {"city": "Bern"}} for one in (good, bad)]})
    assert box.hubspot.get("companies", good).get("city") != "Bern"
    update({"inputs": [{"id": good, "properties": {"city": "Bern"}}]})
    assert box.hubspot.get("companies", good)["city"] == "Bern"
