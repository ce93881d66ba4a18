"""The connection fails: late, cut, short or slow, and nobody else is kept waiting."""

from __future__ import annotations

import time

import pytest
import requests
from hubspot import HubSpot
from simple_salesforce import Salesforce
from urllib3.exceptions import HTTPError

from crmsync.sandbox import Sandbox
from tests.sandbox.conftest import HUBSPOT_HEADERS

COMPANIES = "/crm/v3/objects/companies"


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_simple_salesforce_loses_its_connection(box: Sandbox, salesforce: Salesforce, when: str, made: int) -> None:
    before = box.salesforce.count("Account")
    box.faults.add(system="salesforce", kind="drop", method="POST", match="/sobjects/Account", when=when)
    with pytest.raises(requests.ConnectionError):
        salesforce.Account.create({"Name": "Cut off"})
    assert box.salesforce.count("Account") == before + made
    assert salesforce.Account.create({"Name": "Connected"})["success"]


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_hubspot_api_client_loses_its_connection(box: Sandbox, hubspot: HubSpot, when: str, made: int) -> None:
    before = box.hubspot.count("companies")
    box.faults.add(system="hubspot", kind="drop", method="POST", when=when)
    with pytest.raises((HTTPError, OSError)):
        hubspot.crm.companies.basic_api.create({"properties": {"name": "Cut off"}})
    assert box.hubspot.count("companies") == before + made


def test_a_body_that_stops_short(box: Sandbox, http: requests.Session) -> None:
    box.faults.add(kind="truncate")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        http.get(box.url + COMPANIES, headers=HUBSPOT_HEADERS, timeout=5)
    assert http.get(box.url + COMPANIES, headers=HUBSPOT_HEADERS, timeout=5).json()["results"]


def test_a_body_cut_at_a_chosen_byte(box: Sandbox, salesforce: Salesforce) -> None:
    box.faults.add(kind="truncate", size=10)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="10 bytes read"):
        salesforce.query("SELECT Id FROM Account")
    assert salesforce.query("SELECT Id FROM Account LIMIT 1")["done"]


@pytest.mark.parametrize(("when", "seconds"), [("before", 0.3), ("after", 60)])
def test_a_late_answer_of_a_crm_that_acts_all_the_same(
    box: Sandbox, http: requests.Session, when: str, seconds: float
) -> None:
    before = box.hubspot.count("companies")
    box.faults.add(kind="latency", seconds=seconds, when=when)
    with pytest.raises(requests.ReadTimeout):
        http.post(box.url + COMPANIES, json={"properties": {"name": "x"}}, headers=HUBSPOT_HEADERS, timeout=0.1)
    for _ in range(100):
        if box.hubspot.count("companies") > before:
            return
        time.sleep(0.05)
    raise AssertionError("nothing was written")


def test_a_body_that_drips(box: Sandbox, http: requests.Session) -> None:
    box.faults.add(kind="drip", size=50, seconds=0.001)
    url = f"{box.url}{COMPANIES}?limit=1"
    slow = http.get(url, headers=HUBSPOT_HEADERS, timeout=5)
    assert slow.json() == http.get(url, headers=HUBSPOT_HEADERS, timeout=5).json()


def test_others_are_served_while_one_waits(box: Sandbox, http: requests.Session) -> None:
    box.faults.add(kind="latency", seconds=30, match="/crm/v3/owners")
    start = time.monotonic()
    with requests.Session() as waiting:
        with pytest.raises(requests.ReadTimeout):
            waiting.get(f"{box.url}/crm/v3/owners", headers=HUBSPOT_HEADERS, timeout=0.05)
        assert http.get(box.url + COMPANIES, headers=HUBSPOT_HEADERS, timeout=5).status_code == 200
    assert time.monotonic() - start < 20


@pytest.mark.parametrize("kind", ["latency", "drip"])
def test_a_sandbox_that_stops_waits_for_no_slow_answer(kind: str) -> None:
    with Sandbox(world="blank") as box, requests.Session() as session:
        box.faults.add(kind=kind, seconds=600)
        with pytest.raises((requests.ReadTimeout, requests.ConnectionError)):
            session.get(f"{box.url}/crm/v3/owners", headers=HUBSPOT_HEADERS, timeout=0.1)
