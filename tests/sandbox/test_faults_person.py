"""Between two requests of a client somebody edits, deletes or merges what it is working on."""

from __future__ import annotations

import logging

import pytest
from hubspot import HubSpot
from hubspot.crm.deals.exceptions import NotFoundException
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceResourceNotFound

from crmsync.sandbox import Sandbox
from tests.sandbox.conftest import DEAL


def test_a_person_edits_between_two_requests(box: Sandbox, salesforce: Salesforce, opportunity: str) -> None:
    act = {"verb": "edit", "kind": "deal", "record": DEAL, "fields": {"name": "Edited"}, "as": "Darcel Schlecht"}
    box.faults.add(system="salesforce", kind="person", at=2, act=act)
    names = [salesforce.Opportunity.get(opportunity)["Name"] for _ in range(2)]
    assert names[0] != names[1] == "Edited"


def test_a_person_edits_and_the_answer_is_lost_too(box: Sandbox, hubspot: HubSpot, hubspot_deal: str) -> None:
    box.faults.add(kind="person", act={"verb": "move", "deal": DEAL, "stage": "proposal"}, system="hubspot")
    box.faults.add(kind="down", system="hubspot")
    with pytest.raises(Exception, match="503"):
        hubspot.crm.deals.basic_api.get_page(limit=1)
    assert hubspot.crm.deals.basic_api.get_by_id(hubspot_deal).properties["dealstage"] == "presentationscheduled"


def test_a_record_is_deleted_before_it_is_written(
    box: Sandbox, salesforce: Salesforce, hubspot: HubSpot, opportunity: str, hubspot_deal: str
) -> None:
    delete = {"verb": "delete", "kind": "deal", "record": DEAL}
    box.faults.add(kind="person", method="PATCH", act=delete)
    with pytest.raises(SalesforceResourceNotFound, match="ENTITY_IS_DELETED"):
        salesforce.Opportunity.update(opportunity, {"Name": "x"})
    with pytest.raises(NotFoundException):
        hubspot.crm.deals.basic_api.update(hubspot_deal, {"properties": {"dealname": "x"}})
    box.hands.restore("deal", DEAL)
    assert salesforce.Opportunity.update(opportunity, {"Name": "x"}) == 204


def test_records_are_merged_between_two_requests(box: Sandbox, salesforce: Salesforce) -> None:
    ids = [salesforce.Account.create({"Name": f"Twin {n}"})["id"] for n in range(2)]
    box.faults.add(kind="person", act={"verb": "merge", "kind": "account", "record": ids[0], "losers": [ids[1]]})
    query = f"SELECT Id, MasterRecordId FROM Account WHERE Id = '{ids[1]}'"
    assert salesforce.query(query, include_deleted=True)["records"][0]["MasterRecordId"] == ids[0]


def test_a_person_who_cannot_act_leaves_the_request_alone(
    box: Sandbox, salesforce: Salesforce, caplog: pytest.LogCaptureFixture
) -> None:
    box.faults.add(kind="person", act={"verb": "delete", "kind": "deal", "record": "never made"})
    with caplog.at_level(logging.WARNING):
        assert salesforce.query("SELECT Id FROM Account LIMIT 1")["totalSize"] == 1
    assert "never made" in caplog.text
