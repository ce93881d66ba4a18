"""What the loaders leave in each CRM beyond the records themselves."""

from __future__ import annotations

import pytest

from crmsync.sandbox import credentials
from crmsync.sandbox.clock import SandboxClock
from crmsync.sandbox.hubspot.portal import HubSpotPortal
from crmsync.sandbox.salesforce.org import SalesforceOrg
from crmsync.sandbox.world import build_world, load_world
from tests.sandbox.world.conftest import NOW


def test_every_record_arrives(salesforce: SalesforceOrg, hubspot: HubSpotPortal):
    world = build_world("small", NOW)
    companies = len(world.accounts) + len(world.partners) - len(world.merges)
    expected = {
        ("Account", "companies"): companies,
        ("Contact", "contacts"): len(world.contacts),
        ("Opportunity", "deals"): len(world.deals),
        ("PRM_Registration__c", "prm_registration"): len(world.registrations),
        ("PRM_Touch__c", "prm_touch"): len(world.touches),
        ("PRM_Certification__c", "prm_certification"): len(world.certifications),
    }
    assert {names: (salesforce.count(names[0]), hubspot.count(names[1])) for names in expected} == {
        names: (number, number) for names, number in expected.items()
    }


def test_the_integration_user_sees_the_input_fields(salesforce: SalesforceOrg):
    access = salesforce.access(str(salesforce.user_id(credentials.SALESFORCE_USERNAME)))
    for name, field in (
        ("PRM_Registration__c", "PRM_Submitted_At__c"),
        ("Opportunity", "PRM_Registration_ID__c"),
        ("Account", "PRM_Partner_Type__c"),
        ("Opportunity", "Legacy_Id__c"),
    ):
        assert access.field(salesforce.schema.require(name), field) is not None, field


def test_the_number_is_the_key_of_a_registration(salesforce: SalesforceOrg, hubspot: HubSpotPortal):
    number = salesforce.schema.require("PRM_Registration__c").field("PRM_Number__c")
    assert number is not None
    assert number.describe["externalId"]
    assert number.describe["unique"]
    assert "prm_number" in hubspot.catalog.unique_names(hubspot.types.get("prm_registration").id)


def test_merged_records_are_gone_but_remembered(salesforce: SalesforceOrg, hubspot: HubSpotPortal):
    [loser] = salesforce.rows("Account", "Legacy_Id__c = 'SCN-41-X2'")
    [master] = salesforce.rows("Account", "Legacy_Id__c = 'SCN-41-X'")
    assert (loser["IsDeleted"], loser["MasterRecordId"]) == (1, master["Id"])
    survivors = {row["legacy_id"]: row for row in hubspot.rows("companies")}
    assert "SCN-41-X2" not in survivors
    assert survivors["SCN-41-X"]["hs_merged_object_ids"].count(";") == 1


def test_nothing_is_stamped_after_the_world_began(salesforce: SalesforceOrg):
    today = NOW.strftime("%Y-%m-%dT00:00:00")
    assert salesforce.rows("Opportunity", 'substr("SystemModstamp", 1, 19) > ?', (today,)) == []


def test_an_open_deal_with_a_stage_of_our_own_is_open(salesforce: SalesforceOrg):
    committed = salesforce.rows("Opportunity", "StageName = 'Verbal Commit'")
    assert committed
    assert {row["IsClosed"] for row in committed} == {0}


def test_a_blank_world_has_people_and_no_programme():
    org, portal = SalesforceOrg(":memory:", SandboxClock()), HubSpotPortal(":memory:", SandboxClock())
    load_world("blank", org, portal, NOW)
    assert (org.count("Account"), portal.count("companies")) == (0, 0)
    assert org.schema.get("PRM_Registration__c") is None
    assert portal.types.find("prm_registration") is None
    assert len(portal.owners.ids()) == len(build_world("blank", NOW).sellers) == 44
    org.close()
    portal.close()


def test_an_unknown_world_is_refused():
    with pytest.raises(KeyError):
        load_world("moon", None, None, NOW)
