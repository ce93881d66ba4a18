"""The CRM is not as it was: fields, values, tokens, clocks and indexes, until they are mended."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from hubspot import HubSpot
from hubspot.crm.deals.exceptions import ApiException
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceError, SalesforceMalformedRequest

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import (
    HUBSPOT_CLIENT_ID,
    HUBSPOT_CLIENT_SECRET,
    HUBSPOT_REFRESH_TOKEN,
    SALESFORCE_CLIENT_ID,
    SALESFORCE_CLIENT_SECRET,
)
from tests.sandbox.conftest import DEAL, HUBSPOT_HEADERS


def described(salesforce: Salesforce, sobject: str) -> dict[str, Any]:
    return {field["name"]: field for field in salesforce.restful(f"sobjects/{sobject}/describe")["fields"]}


def get(box: Sandbox, http: requests.Session, path: str, **more: Any) -> requests.Response:
    return http.get(box.url + path, headers=HUBSPOT_HEADERS, timeout=5, **more)


# -------------------------------------------------------------------- fields and values


@pytest.mark.parametrize(
    ("kind", "field", "name"),
    [
        ("hide_field", "products", "Product_Family__c"),
        ("hide_field", "amount", "Amount"),
        ("remove_field", "products", "Product_Family__c"),
        ("remove_field", "partner_id", "PRM_Partner__c"),
    ],
)
def test_a_field_is_gone_from_salesforce(
    box: Sandbox, salesforce: Salesforce, opportunity: str, kind: str, field: str, name: str
) -> None:
    query = f"SELECT Id, {name} FROM Opportunity WHERE Id = '{opportunity}'"
    before, order = salesforce.query(query)["records"], list(described(salesforce, "Opportunity"))
    fault = box.faults.add(system="salesforce", kind=kind, object="deal", field=field)
    with pytest.raises(SalesforceMalformedRequest, match="No such column"):
        salesforce.query(query)
    assert name not in described(salesforce, "Opportunity")
    with pytest.raises(SalesforceError) as refused:
        salesforce.Opportunity.update(opportunity, {name: None})
    assert refused.value.content[0]["errorCode"] in ("INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE")
    box.faults.remove(fault)
    assert salesforce.query(query)["records"] == before
    assert list(described(salesforce, "Opportunity")) == order


@pytest.mark.parametrize("kind", ["hide_field", "remove_field"])
def test_a_property_is_gone_from_hubspot(box: Sandbox, hubspot: HubSpot, hubspot_deal: str, kind: str) -> None:
    api = hubspot.crm.deals.basic_api
    before = api.get_by_id(hubspot_deal, properties=["product_family"]).properties["product_family"]
    fault = box.faults.add(system="hubspot", kind=kind, object="deal", field="products")
    assert "product_family" not in {one.name for one in hubspot.crm.properties.core_api.get_all("deals").results}
    assert "product_family" not in api.get_by_id(hubspot_deal, properties=["product_family"]).properties
    with pytest.raises(ApiException, match="does not exist"):
        api.update(hubspot_deal, {"properties": {"product_family": "GTX Pro"}})
    box.faults.remove(fault)
    assert api.get_by_id(hubspot_deal, properties=["product_family"]).properties["product_family"] == before
    assert "product_family" in {one.name for one in hubspot.crm.properties.core_api.get_all("deals").results}


def test_a_value_is_gone_from_a_salesforce_picklist(box: Sandbox, salesforce: Salesforce, opportunity: str) -> None:
    change = {"Product_Family__c": "GTK 500"}
    fault = box.faults.add(system="salesforce", kind="remove_option", object="deal", field="products", value="GTK 500")
    shown = described(salesforce, "Opportunity")["Product_Family__c"]["picklistValues"]
    assert "GTK 500" not in [option["value"] for option in shown]
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"):
        salesforce.Opportunity.update(opportunity, change)
    box.faults.remove(fault)
    assert salesforce.Opportunity.update(opportunity, change) == 204


def test_a_stage_is_gone_from_salesforce(box: Sandbox, salesforce: Salesforce) -> None:
    active = "SELECT MasterLabel FROM OpportunityStage WHERE IsActive = true"
    before = salesforce.query(active)["totalSize"]
    fault = box.faults.add(system="salesforce", kind="remove_option", object="deal", field="stage", value="proposal")
    assert salesforce.query(active)["totalSize"] == before - 1
    box.faults.remove(fault)
    assert salesforce.query(active)["totalSize"] == before


def test_an_option_is_gone_from_a_hubspot_property(box: Sandbox, hubspot: HubSpot, hubspot_deal: str) -> None:
    change, api = {"properties": {"product_family": "GTK 500"}}, hubspot.crm.deals.basic_api
    fault = box.faults.add(system="hubspot", kind="remove_option", object="deal", field="products", value="GTK 500")
    with pytest.raises(ApiException, match="INVALID_OPTION"):
        api.update(hubspot_deal, change)
    box.faults.remove(fault)
    assert api.update(hubspot_deal, change).properties["product_family"] == "GTK 500"


def test_a_state_may_begin_at_a_chosen_request_and_last_for_some(box: Sandbox, http: requests.Session) -> None:
    path = "/crm/v3/properties/deals/product_family"
    fault = box.faults.add(kind="remove_field", system="hubspot", object="deal", field="products", at=3, times=2)
    statuses = [get(box, http, path).status_code for _ in range(5)]
    assert statuses == [200, 200, 404, 404, 200]
    assert fault not in box.faults.armed()


def test_a_state_that_cannot_begin_any_more_leaves_the_request_alone(
    box: Sandbox, http: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    given = {"kind": "remove_option", "system": "hubspot", "object": "deal", "field": "products", "value": "GTK 500"}
    box.faults.add(**given, at=2)
    box.faults.add(**given)
    with caplog.at_level(logging.WARNING):
        assert [get(box, http, "/crm/v3/owners").status_code for _ in range(3)] == [200] * 3
    assert "could not begin" in caplog.text
    assert [fault.at for fault in box.faults.armed()] == [1]


def permissions(box: Sandbox) -> list[Any]:
    return sorted(box.salesforce.rows("FieldPermissions"), key=lambda row: str(row["Id"]))


def test_states_are_mended_when_the_sandbox_stops(tmp_path: Any) -> None:
    with Sandbox(tmp_path, world="small") as box:
        rows = permissions(box)
        box.faults.add(kind="hide_field", object="deal", field="products", system="salesforce")
        box.faults.add(kind="remove_field", object="deal", field="products", system="hubspot")
    with Sandbox(tmp_path, world="small") as box:
        assert permissions(box) == rows
        assert box.hubspot.catalog.find("0-3", "product_family")


# -------------------------------------------------------------------- sign-in


def token(box: Sandbox, http: requests.Session) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": SALESFORCE_CLIENT_ID,
        "client_secret": SALESFORCE_CLIENT_SECRET,
    }
    return str(http.post(f"{box.url}/services/oauth2/token", data=form, timeout=5).json()["access_token"])


def test_a_salesforce_session_ends_in_mid_run(box: Sandbox, http: requests.Session) -> None:
    headers = {"Authorization": f"Bearer {token(box, http)}"}
    box.faults.add(system="salesforce", kind="sign_out", at=2)
    url = f"{box.url}/services/data/v60.0/limits"
    assert [http.get(url, headers=headers, timeout=5).status_code for _ in range(3)] == [200, 401, 401]
    headers = {"Authorization": f"Bearer {token(box, http)}"}
    assert http.get(url, headers=headers, timeout=5).status_code == 200


def test_simple_salesforce_goes_on_after_its_session_ended(box: Sandbox, salesforce: Salesforce) -> None:
    box.faults.add(system="salesforce", kind="sign_out")
    assert salesforce.query("SELECT Id FROM Account LIMIT 1")["totalSize"] == 1


def test_a_hubspot_token_is_revoked_until_it_is_mended(box: Sandbox, hubspot: HubSpot) -> None:
    fault = box.faults.add(system="hubspot", kind="sign_out")
    for _ in range(2):
        with pytest.raises(ApiException, match="INVALID_AUTHENTICATION"):
            hubspot.crm.deals.basic_api.get_page(limit=1)
    box.faults.remove(fault)
    assert hubspot.crm.deals.basic_api.get_page(limit=1).results


def test_a_revoked_oauth_token_can_be_refreshed(box: Sandbox, http: requests.Session) -> None:
    form = {"grant_type": "refresh_token", "client_id": HUBSPOT_CLIENT_ID, "client_secret": HUBSPOT_CLIENT_SECRET,
            "refresh_token": HUBSPOT_REFRESH_TOKEN}  # fmt: skip
    url, statuses = f"{box.url}/crm/v3/owners", []
    box.faults.add(system="hubspot", kind="sign_out")
    for _ in range(2):
        fresh = http.post(f"{box.url}/oauth/v1/token", data=form, timeout=5).json()["access_token"]
        statuses.append(http.get(url, headers={"Authorization": f"Bearer {fresh}"}, timeout=5).status_code)
    assert statuses == [401, 200]


# -------------------------------------------------------------------- time


def search(hubspot: HubSpot, name: str) -> int:
    body = {"filterGroups": [{"filters": [{"propertyName": "dealname", "operator": "EQ", "value": name}]}]}
    return int(hubspot.crm.deals.search_api.do_search(body).total)


def test_searches_lag_behind(box: Sandbox, hubspot: HubSpot, hubspot_deal: str) -> None:
    box.clock.freeze()
    box.faults.add(kind="index_lag", seconds=10)
    hubspot.crm.deals.basic_api.update(hubspot_deal, {"properties": {"dealname": "Lagging"}})
    assert search(hubspot, "Lagging") == 0
    box.clock.advance(11)
    assert search(hubspot, "Lagging") == 1


def test_the_index_catches_up_when_it_is_mended(box: Sandbox, hubspot: HubSpot, hubspot_deal: str) -> None:
    fault = box.faults.add(kind="index_lag", seconds=600)
    hubspot.crm.deals.basic_api.update(hubspot_deal, {"properties": {"dealname": "Caught up"}})
    box.faults.remove(fault)
    assert search(hubspot, "Caught up") == 1


def test_rows_become_visible_late_with_old_stamps(box: Sandbox, salesforce: Salesforce) -> None:
    box.clock.set(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    box.faults.add(kind="late_rows", seconds=120)
    box.hands.add("account", {"name": "Slow import"}, system="salesforce")
    query = "SELECT Id, SystemModstamp FROM Account WHERE Name = 'Slow import'"
    box.clock.advance(100)
    assert salesforce.query(query)["totalSize"] == 0
    own = salesforce.Account.create({"Name": "Own write"})["id"]
    assert salesforce.Account.get(own)["Name"] == "Own write"
    box.clock.advance(30)
    [record] = salesforce.query(query)["records"]
    assert record["SystemModstamp"] == "2026-03-02T09:00:00.000+0000"


def test_what_is_late_shows_at_once_when_it_is_mended(box: Sandbox, salesforce: Salesforce) -> None:
    fault = box.faults.add(kind="late_rows", seconds=3600)
    box.hands.edit("deal", DEAL, {"name": "Renamed late"}, system="salesforce")
    query = "SELECT Id FROM Opportunity WHERE Name = 'Renamed late'"
    assert salesforce.query(query)["totalSize"] == 0
    box.faults.remove(fault)
    assert salesforce.query(query)["totalSize"] == 1


@pytest.mark.parametrize("seconds", [-300, 86_400])
def test_a_clock_that_is_off(box: Sandbox, http: requests.Session, salesforce: Salesforce, seconds: int) -> None:
    box.clock.set(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    fault = box.faults.add(kind="clock_skew", seconds=seconds)
    answer = get(box, http, "/crm/v3/owners")
    date = parsedate_to_datetime(answer.headers["Date"])
    assert (date - datetime(2026, 3, 2, 9, 0, tzinfo=UTC)).total_seconds() == seconds
    made = salesforce.Account.get(salesforce.Account.create({"Name": "Skewed"})["id"])
    assert datetime.fromisoformat(made["CreatedDate"]) == date
    box.faults.remove(fault)
    assert parsedate_to_datetime(get(box, http, "/crm/v3/owners").headers["Date"]).hour == 9
