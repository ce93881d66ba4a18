from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from crmsync.connectors.salesforce.connector import SalesforceConnector
from crmsync.errors import Permanent
from crmsync.remote import FieldDef, ObjectDef, ObjectSpec, ProvisionStep, SchemaSpec, Write
from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.connectors.salesforce.conftest import Connect

REGISTRATION = "PRM_Registration__c"
SPEC = SchemaSpec(
    objects=(
        ObjectDef(REGISTRATION, "Registration", "Registrations"),
        ObjectDef("PRM_Touch__c", "Partner Touch & Co", "Partner Touches"),
    ),
    fields=(
        FieldDef(REGISTRATION, "PRM_Number__c", "Number", "text", length=40, unique=True, help="Quoted on orders"),
        FieldDef(REGISTRATION, "PRM_Partner__c", "Partner", "reference", references="Account"),
        FieldDef(REGISTRATION, "PRM_State__c", "State", "picklist", options=("draft", "under_review")),
        FieldDef(REGISTRATION, "PRM_Flags__c", "Flags", "multipicklist", options=("a", "b")),
        FieldDef(REGISTRATION, "PRM_Evidence__c", "Evidence", "long_text"),
        FieldDef(REGISTRATION, "PRM_Amount__c", "Amount", "money"),
        FieldDef("Opportunity", "PRM_Partner__c", "Partner", "reference", references="Account"),
        FieldDef("Opportunity", "PRM_Tender__c", "Tender", "bool"),
        FieldDef("Opportunity", "PRM_End__c", "Protected until", "date"),
        FieldDef("Opportunity", "PRM_Synced_At__c", "Synced at", "datetime"),
        FieldDef("Opportunity", "PRM_Count__c", "Count", "number"),
        FieldDef("Task", "PRM_Key__c", "Key", "text", length=80, unique=True),
    ),
    readable=(("Account", "Name"), ("Account", "Website")),
)


def changes(steps: Sequence[ProvisionStep]) -> list[str]:
    return [f"{step.action} {step.what}" for step in steps if step.is_change]


def test_an_empty_org_gets_everything_and_a_second_run_finds_nothing_to_do(connect: Connect) -> None:
    first = changes(connect().provision(SPEC, apply=True))
    assert "create object PRM_Touch__c" in first
    assert "create field Task.PRM_Key__c" in first
    assert "grant object Account" in first
    assert "grant permission set crmsync assigned to the integration user" in first
    again = connect().provision(SPEC, apply=True)
    assert changes(again) == []
    assert "exists field Opportunity.PRM_End__c" in [f"{step.action} {step.what}" for step in again]


def test_a_field_that_no_org_has_blocks_nothing_else(connect: Connect) -> None:
    spec = replace(SPEC, readable=(("Opportunity", "Own__c"), ("Opportunity", "NoStandard"), ("PRM_Touch__c", "Name")))
    steps = connect().provision(spec, apply=True)
    blocked = [step.what for step in steps if step.action == "blocked"]
    assert blocked == ["field Opportunity.Own__c", "field Opportunity.NoStandard"]
    assert "grant permission set crmsync assigned to the integration user" in changes(steps)


def test_a_look_says_the_same_and_changes_nothing(connect: Connect) -> None:
    looked = connect().provision(SPEC, apply=False)
    assert connect().describe(REGISTRATION) is None
    assert connect().provision(SPEC, apply=True) == looked


def test_what_was_made_is_of_the_type_wanted_and_can_be_written(connector: SalesforceConnector) -> None:
    connector.provision(SPEC, apply=True)
    info = connector.describe(REGISTRATION)
    assert info is not None
    number, state = info.fields["PRM_Number__c"], info.fields["PRM_State__c"]
    assert (number.type, number.length, number.unique, number.updateable) == ("text", 40, True, True)
    assert (state.type, state.options, state.restricted) == ("picklist", ("draft", "under_review"), False)
    assert info.fields["PRM_Partner__c"].references == ("Account",)
    types = {name: info.fields[f"PRM_{name}__c"].type for name in ("Flags", "Evidence", "Amount")}
    assert types == {"Flags": "multipicklist", "Evidence": "long_text", "Amount": "money"}


def test_a_provisioned_registration_can_be_written_and_pulled(connector: SalesforceConnector) -> None:
    connector.provision(SPEC, apply=True)
    fields = {"Name": "R-1", "PRM_State__c": "draft", "PRM_Flags__c": "a;b", "PRM_Amount__c": 12.5}
    (made,) = connector.push([Write("w", "upsert", REGISTRATION, fields, key_field="PRM_Number__c", key="R-1")])
    (page,) = connector.pull(ObjectSpec(REGISTRATION, tuple(fields)), None)
    assert [(record.id, dict(record.fields)) for record in page.records] == [(made.id, fields)]


def test_a_task_can_be_about_a_provisioned_registration(connector: SalesforceConnector) -> None:
    connector.provision(SPEC, apply=True)
    (made,) = connector.push([Write("w", "upsert", REGISTRATION, {}, key_field="PRM_Number__c", key="R-1")])
    task = {"Subject": "Decide", "WhatId": made.id}
    (outcome,) = connector.push([Write("t", "upsert", "Task", task, key_field="PRM_Key__c", key="t-1")])
    assert (outcome.status, outcome.message) == ("ok", "")


def test_fields_that_exist_unseen_are_granted_and_not_created(connect: Connect, org: SalesforceOrg) -> None:
    org.create_field("Opportunity", "PRM_End__c", "Date", "Protected until", visible=False)
    spec = SchemaSpec(fields=(FieldDef("Opportunity", "PRM_End__c", "Protected until", "date"),))
    assert changes(connect().provision(spec, apply=True)) == [
        "create permission set crmsync",
        "grant object Opportunity",
        "grant field Opportunity.PRM_End__c",
        "grant permission set crmsync assigned to the integration user",
    ]
    info = connect().describe("Opportunity")
    assert info is not None
    assert info.fields["PRM_End__c"].updateable


def test_a_field_that_only_needs_reading_gets_no_more(connect: Connect, org: SalesforceOrg) -> None:
    org.create_field("Account", "Rating_Note__c", "Text", "Note", length=20, visible=False)
    spec = SchemaSpec(readable=(("Account", "Rating_Note__c"),))
    connect().provision(spec, apply=True)
    info = connect().describe("Account")
    assert info is not None
    assert not info.fields["Rating_Note__c"].updateable
    assert changes(connect().provision(spec, apply=True)) == []


def test_missing_values_are_added_and_the_others_kept(connector: SalesforceConnector, org: SalesforceOrg) -> None:
    org.create_field("Opportunity", "PRM_State__c", "Picklist", "State", options=["draft", "theirs"])
    spec = SchemaSpec(fields=(FieldDef("Opportunity", "PRM_State__c", "State", "picklist", options=("draft", "ours")),))
    steps = connector.provision(spec, apply=True)
    assert ProvisionStep("update", "field Opportunity.PRM_State__c", "add the values ours") in steps
    info = connector.describe("Opportunity")
    assert info is not None
    assert info.fields["PRM_State__c"].options == ("draft", "theirs", "ours")


def test_a_field_of_another_type_blocks_and_is_left_alone(connector: SalesforceConnector, org: SalesforceOrg) -> None:
    org.create_field("Opportunity", "PRM_End__c", "Text", "Protected until", length=20)
    spec = SchemaSpec(fields=(FieldDef("Opportunity", "PRM_End__c", "Protected until", "date"),))
    first, *_ = connector.provision(spec, apply=True)
    assert (first.action, first.is_change) == ("blocked", False)
    assert first.detail == "it exists as text, wanted is date; map another field"


def test_values_of_a_standard_field_are_for_a_person_to_add(connector: SalesforceConnector) -> None:
    spec = SchemaSpec(
        fields=(FieldDef("Opportunity", "LeadSource", "Source", "picklist", options=("Partner Portal",)),)
    )
    first, *_ = connector.provision(spec, apply=True)
    assert (first.action, first.detail) == ("blocked", "add the values Partner Portal in Setup, Object Manager")


def test_what_salesforce_refuses_names_the_field(connector: SalesforceConnector) -> None:
    spec = SchemaSpec(fields=(FieldDef("Account", "PRM_Ref__c", "Ref", "reference", references="Nothing__c"),))
    with pytest.raises(Permanent, match=r"did not create 'Account\.PRM_Ref__c'"):
        connector.provision(spec, apply=True)
