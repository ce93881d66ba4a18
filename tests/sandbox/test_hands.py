"""People at work in both CRMs, in one vocabulary, under their own names; and the record of what they did."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from crmsync.sandbox import Sandbox
from crmsync.sandbox.hands import VERBS, HandsError
from crmsync.sandbox.history import merged, read_history
from tests.sandbox.conftest import ACCOUNT, DEAL

SELLER = "Darcel Schlecht"
PARTNER = "Meridian Technologies"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def rows(box: Sandbox, kind: str, done: dict[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The record of both CRMs after something was done to it."""
    sobject, object_type = {
        "deal": ("Opportunity", "deals"),
        "account": ("Account", "companies"),
        "registration": ("PRM_Registration__c", "prm_registration"),
        "touch": ("PRM_Touch__c", "prm_touch"),
    }[kind]
    return box.salesforce.row(sobject, done["salesforce"]) or {}, box.hubspot.get(object_type, done["hubspot"])


def test_a_seller_edits_a_deal_in_both_crms(box: Sandbox) -> None:
    done = box.hands.edit("deal", DEAL, {"amount": 4321, "lead_source": "Web", "close_date": "2026-12-24"}, SELLER)
    here, there = rows(box, "deal", done)
    assert (here["Amount"], here["LeadSource"], here["CloseDate"]) == (4321, "Web", "2026-12-24")
    assert (there["amount"], there["prm_lead_source"], there["closedate"][:10]) == ("4321", "Web", "2026-12-24")
    assert here["LastModifiedById"] == box.salesforce.rows("User", '"Name" = ?', (SELLER,))[0]["Id"]


def test_a_field_of_the_crms_own_and_one_by_the_naming_rule(box: Sandbox) -> None:
    box.hands.edit("deal", DEAL, {"NextStep": "Call"}, system="salesforce")
    done = box.hands.edit("deal", DEAL, {"partner_role": "referral", "partner_id": PARTNER})
    here, there = rows(box, "deal", done)
    assert (here["NextStep"], here["PRM_Partner_Role__c"], there["prm_partner_role"]) == (
        "Call",
        "referral",
        "referral",
    )
    partner = box.salesforce.rows("Account", '"Id" = ?', (here["PRM_Partner__c"],))[0]
    assert partner["Name"] == box.hubspot.get("companies", there["prm_partner_id"])["name"] == PARTNER


def test_a_deal_moves_and_is_closed(box: Sandbox) -> None:
    here, there = rows(box, "deal", box.hands.move(DEAL, "negotiation", SELLER))
    assert (here["StageName"], there["dealstage"]) == ("Negotiation/Review", "decisionmakerboughtin")
    box.clock.set(NOON)
    here, there = rows(box, "deal", box.hands.close(DEAL, "lost", "Price", user=SELLER))
    assert (here["StageName"], here["IsClosed"], here["Loss_Reason__c"]) == ("Closed Lost", 1, "Price")
    assert (there["dealstage"], there["closed_lost_reason"]) == ("closedlost", "Price")
    assert (here["CloseDate"], there["closedate"][:10]) == ("2026-03-02", "2026-03-02")


def test_a_record_gets_another_owner(box: Sandbox) -> None:
    here, there = rows(box, "deal", box.hands.own("deal", DEAL, "Anna Snelling"))
    assert here["OwnerId"] == box.salesforce.rows("User", "\"Name\" = 'Anna Snelling'")[0]["Id"]
    assert (box.hubspot.owners.find(there["hubspot_owner_id"]) or {})["lastName"] == "Snelling"


def test_accounts_are_merged(box: Sandbox) -> None:
    first, second = (box.hands.add("account", {"name": name, "domain": f"{name}.example"}) for name in ("one", "two"))
    done = box.hands.merge("account", "one", ["two"])
    gone = box.salesforce.row("Account", second["salesforce"]) or {}
    assert (gone["IsDeleted"], gone["MasterRecordId"]) == (1, first["salesforce"])
    assert {box.hubspot.get("companies", one["hubspot"])["hs_object_id"] for one in (first, second)} == {
        done["hubspot"]
    }


def test_a_registration_from_filing_to_decision(box: Sandbox) -> None:
    box.clock.set(NOON)
    fields = {"account_id": ACCOUNT, "amount": 900, "products": ["GTX Pro", "MG Special"], "motion": "new_business"}
    here, there = rows(box, "registration", box.hands.register(PARTNER, fields))
    number = here["PRM_Number__c"]
    assert number == there["prm_number"]
    assert (here["PRM_State__c"], here["PRM_Submitted_At__c"]) == ("submitted", "2026-03-02T12:00:00.000+0000")
    assert (here["PRM_Products__c"], there["prm_products"]) == ("GTX Pro;MG Special", "GTX Pro;MG Special")
    here, there = rows(box, "registration", box.hands.return_(number, "Which site?", "Ines Duarte"))
    assert (here["PRM_State__c"], there["prm_decision_reason"]) == ("returned", "Which site?")
    here, there = rows(box, "registration", box.hands.approve(number, "Ines Duarte"))
    assert (here["PRM_State__c"], here["PRM_Decided_By__c"]) == ("approved", "Ines Duarte")
    assert there["prm_approved_at"] == "2026-03-02T12:00:00Z"
    here, _ = rows(box, "registration", box.hands.reject(number, "Too small"))
    assert (here["PRM_State__c"], here["PRM_Closure_Code__c"]) == ("rejected", "rejected")


def test_a_touch_is_logged(box: Sandbox) -> None:
    here, there = rows(box, "touch", box.hands.touch(DEAL, PARTNER, "demo"))
    assert (here["PRM_Type__c"], there["prm_type"]) == ("demo", "demo")
    assert (box.salesforce.row("Opportunity", here["PRM_Deal__c"]) or {})["Legacy_Id__c"] == DEAL


def test_a_deal_is_added_to_an_account(box: Sandbox) -> None:
    fields = {"name": "By hand", "account_id": ACCOUNT, "stage": "qualified", "close_date": "2026-12-01"}
    done = box.hands.add("deal", fields, SELLER)
    here, _ = rows(box, "deal", done)
    assert (box.salesforce.row("Account", here["AccountId"]) or {})["Legacy_Id__c"] == ACCOUNT
    assert list(box.hubspot.associated("deals", done["hubspot"], "companies").values()) == [("Primary",)]


def test_a_record_is_deleted_and_restored(box: Sandbox) -> None:
    box.hands.delete("deal", DEAL, SELLER)
    with pytest.raises(HandsError, match="no deal"):
        box.hands.move(DEAL, "proposal")
    assert set(box.hands.restore("deal", DEAL, SELLER)) == {"salesforce", "hubspot"}
    assert set(box.hands.move(DEAL, "proposal")) == {"salesforce", "hubspot"}


def test_an_id_belongs_to_one_crm(box: Sandbox, opportunity: str, hubspot_deal: str) -> None:
    assert set(box.hands.move(opportunity, "proposal")) == {"salesforce"}
    assert set(box.hands.move(opportunity[:15], "proposal")) == {"salesforce"}
    assert set(box.hands.move(hubspot_deal, "proposal")) == {"hubspot"}


@pytest.mark.parametrize(
    ("verb", "given", "said"),
    [
        ("juggle", {}, "nobody can 'juggle'"),
        ("move", {"deal": DEAL}, "move needs stage"),
        ("move", {"deal": DEAL, "stage": "proposal", "colour": "red"}, "takes no colour"),
        ("move", {"deal": 7, "stage": "proposal"}, "deal must be text"),
        ("move", {"deal": "never made", "stage": "proposal"}, "no deal 'never made' in salesforce or hubspot"),
        ("move", {"deal": DEAL, "stage": "proposal", "as": "Nobody"}, "no active user 'Nobody'"),
        ("move", {"deal": DEAL, "stage": "proposal", "system": "siebel"}, "system must be"),
        ("move", {"deal": DEAL, "stage": "no such stage", "system": "hubspot"}, "HubSpot refuses"),
        ("close", {"deal": DEAL, "outcome": "tied"}, "won or lost"),
        ("edit", {"kind": "lorry", "record": "x", "fields": {}}, "no object 'lorry'"),
        ("edit", {"kind": "deal", "record": DEAL, "fields": []}, "fields must be an object"),
        ("edit", {"kind": "deal", "record": DEAL, "fields": {"amont": "1"}}, "did you mean 'amount'?"),
        ("edit", {"kind": "deal", "record": DEAL, "fields": {"amount": "much"}}, "must be a number"),
        ("edit", {"kind": "deal", "record": DEAL, "fields": {"partner_id": "Nobody"}}, "no partner 'Nobody'"),
        ("edit", {"kind": "deal", "record": DEAL, "fields": {"currency": "XXX"}, "system": "salesforce"}, "refuses"),
        ("merge", {"kind": "account", "record": ACCOUNT, "losers": ["never made"]}, "no account 'never made'"),
        ("restore", {"kind": "deal", "record": DEAL}, "in the recycle bin"),
    ],
)
def test_what_cannot_be_done_is_said(box: Sandbox, verb: str, given: dict[str, Any], said: str) -> None:
    before = len(box.salesforce.audit), len(box.hubspot.audit)
    with pytest.raises(HandsError) as refused:
        box.hands.perform(verb, given)
    assert said in str(refused.value)
    assert (len(box.salesforce.audit), len(box.hubspot.audit)) == before


def test_over_http(box: Sandbox, http: requests.Session) -> None:
    url = f"{box.url}/_sandbox/hands"
    assert [verb["name"] for verb in http.get(url, timeout=5).json()] == list(VERBS)
    body = {"deal": DEAL, "stage": "committed", "as": SELLER}
    assert set(http.post(f"{url}/move", json=body, timeout=5).json()) == {"salesforce", "hubspot"}
    for bad in (b"{", b"[]", b'{"deal": "x"}'):
        answer = http.post(f"{url}/move", data=bad, timeout=5)
        assert (answer.status_code, set(answer.json())) == (400, {"error"})


def test_who_changed_what_is_on_record(box: Sandbox, http: requests.Session) -> None:
    box.clock.set(NOON)
    box.hands.edit("deal", DEAL, {"name": "On record"}, SELLER)
    box.hands.edit("account", ACCOUNT, {"name": "Another"})
    found = http.get(f"{box.url}/_sandbox/audit", params={"record": "On record", "limit": 1}, timeout=5).json()
    for system, field in (("salesforce", "Name"), ("hubspot", "dealname")):
        [entry] = found[system]
        assert (entry["user"], entry["field"], entry["new"]) == (SELLER, field, "On record")
        assert (entry["op"], entry["over_http"], entry["at"][:16]) == ("update", False, "2026-03-02T12:00")
    last = merged(read_history(box, limit=1))
    assert {entry["user"] for entry in last} == {"System Admin"}
    assert http.get(f"{box.url}/_sandbox/audit?limit=x", timeout=5).status_code == 400


def test_an_inactive_or_unknown_record_name_has_no_history(box: Sandbox) -> None:
    assert read_history(box, record="never made") == {"salesforce": [], "hubspot": []}
