"""What the org does by itself: stages, products, tasks, partners, deletes, merges."""

from __future__ import annotations

from typing import Any

import pytest
from simple_salesforce import Salesforce, SalesforceMalformedRequest

from crmsync.sandbox.salesforce.org import SalesforceOrg

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-08-15", "Amount": 1000}


def row(org: SalesforceOrg, sobject: str, record_id: str) -> dict[str, Any]:
    found = org.row(sobject, record_id)
    assert found is not None
    return found


@pytest.fixture
def account(org: SalesforceOrg) -> str:
    return org.create("Account", {"Name": "Acme"})


@pytest.mark.parametrize(
    ("stage", "probability", "category", "closed", "won"),
    [
        ("Prospecting", 10, "Pipeline", False, False),
        ("Negotiation/Review", 90, "Pipeline", False, False),
        ("Closed Won", 100, "Closed", True, True),
        ("Closed Lost", 0, "Omitted", True, False),
    ],
)
def test_the_stage_drives_what_follows_from_it(
    sf: Salesforce, stage: str, probability: int, category: str, closed: bool, won: bool
) -> None:
    made = sf.Opportunity.create({**DEAL, "StageName": "Qualification"})["id"]
    sf.Opportunity.update(made, {"StageName": stage})
    deal = sf.Opportunity.get(made)
    assert (deal["Probability"], deal["ForecastCategoryName"]) == (probability, category)
    assert (deal["IsClosed"], deal["IsWon"], deal["ExpectedRevenue"]) == (closed, won, 10 * probability)
    assert (deal["FiscalYear"], deal["FiscalQuarter"], deal["Fiscal"]) == (2026, 3, "2026 3")


def test_a_given_probability_stays_until_the_stage_moves(sf: Salesforce) -> None:
    made = sf.Opportunity.create({**DEAL, "Probability": 33})["id"]
    sf.Opportunity.update(made, {"StageName": "Prospecting", "NextStep": "call"})
    assert sf.Opportunity.get(made)["Probability"] == 33
    sf.Opportunity.update(made, {"StageName": "Needs Analysis"})
    assert sf.Opportunity.get(made)["Probability"] == 20


def test_read_only_fields_are_refused(sf: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_FIELD_FOR_INSERT_UPDATE"):
        sf.Opportunity.create({**DEAL, "IsWon": True})


def test_the_amount_is_ignored_where_products_make_it(sf: Salesforce) -> None:
    made = sf.Opportunity.create(DEAL)["id"]
    sf.OpportunityLineItem.create({"OpportunityId": made, "Quantity": 2, "TotalPrice": 300})
    assert sf.Opportunity.get(made)["Amount"] == 300
    sf.Opportunity.update(made, {"Amount": 5})
    deal = sf.Opportunity.get(made)
    assert (deal["Amount"], deal["HasOpportunityLineItem"], deal["ExpectedRevenue"]) == (300, True, 30)


def test_names_of_people_are_put_together(sf: Salesforce) -> None:
    made = sf.Contact.create({"FirstName": "Ann", "LastName": "Lee"})["id"]
    assert sf.Contact.get(made)["Name"] == "Ann Lee"
    sf.Contact.update(made, {"LastName": "Loo"})
    assert sf.Contact.get(made)["Name"] == "Ann Loo"


def test_a_task_knows_its_account_and_moves_the_last_activity(sf: Salesforce, org: SalesforceOrg, account: str) -> None:
    deal = org.create("Opportunity", {**DEAL, "AccountId": account})
    task = sf.Task.create({"Subject": "Call", "WhatId": deal, "ActivityDate": "2026-05-05"})["id"]
    made = sf.Task.get(task)
    assert (made["Status"], made["Priority"], made["IsClosed"], made["AccountId"]) == (
        "Not Started",
        "Normal",
        False,
        account,
    )
    assert row(org, "Opportunity", deal)["LastActivityDate"] is None
    sf.Task.update(task, {"Status": "Completed"})
    assert row(org, "Opportunity", deal)["LastActivityDate"] == "2026-05-05"
    assert row(org, "Account", account)["LastActivityDate"] == "2026-05-05"


def test_a_partner_of_a_deal_shows_in_both_directions(sf: Salesforce, org: SalesforceOrg, account: str) -> None:
    partner = org.create("Account", {"Name": "Partner"})
    deal = org.create("Opportunity", {**DEAL, "AccountId": account})
    first = sf.Partner.create({"OpportunityId": deal, "AccountToId": partner, "Role": "Dealer", "IsPrimary": True})[
        "id"
    ]
    forward, reverse = org.rows("OpportunityPartner", "OpportunityId = ? ORDER BY Id", [deal])
    assert (forward["AccountToId"], forward["Role"], reverse["AccountToId"], reverse["Role"]) == (
        partner,
        "Dealer",
        account,
        "Distributor",
    )
    assert (forward["ReversePartnerId"], reverse["ReversePartnerId"]) == (reverse["Id"], forward["Id"])
    sides = org.rows("AccountPartner", "OpportunityId = ?", [deal])
    assert {(one["AccountFromId"], one["AccountToId"]) for one in sides} == {
        (account, partner), (partner, account),
    }  # fmt: skip
    other = org.create("Account", {"Name": "Other"})
    sf.Partner.create({"OpportunityId": deal, "AccountToId": other, "IsPrimary": True})
    primaries = [
        one["AccountToId"] for one in org.rows("OpportunityPartner", "OpportunityId = ? AND IsPrimary = 1", [deal])
    ]
    assert primaries == [other]
    sf.Partner.delete(first)
    assert partner not in {one["AccountToId"] for one in org.rows("OpportunityPartner", "OpportunityId = ?", [deal])}


def test_partners_cannot_be_updated(sf: Salesforce, org: SalesforceOrg, account: str) -> None:
    deal = org.create("Opportunity", {**DEAL, "AccountId": account})
    made = sf.OpportunityPartner.create({"OpportunityId": deal, "AccountToId": account, "Role": "Agency"})["id"]
    with pytest.raises(SalesforceMalformedRequest, match="does not support update"):
        sf.OpportunityPartner.update(made, {"Role": "Dealer"})
    with pytest.raises(SalesforceMalformedRequest, match="FIELD_INTEGRITY_EXCEPTION"):
        sf.Partner.create({"AccountToId": account})


def test_a_contact_role_keeps_its_deal(sf: Salesforce, org: SalesforceOrg, account: str) -> None:
    deal = org.create("Opportunity", {**DEAL, "AccountId": account})
    contact = org.create("Contact", {"LastName": "Lee", "AccountId": account})
    role = sf.OpportunityContactRole.create({"OpportunityId": deal, "ContactId": contact, "Role": "Decision Maker"})[
        "id"
    ]
    sf.OpportunityContactRole.update(role, {"Role": "Other"})
    with pytest.raises(SalesforceMalformedRequest, match="OpportunityId"):
        sf.OpportunityContactRole.update(role, {"OpportunityId": deal})
    sf.OpportunityContactRole.delete(role)
    assert org.row("OpportunityContactRole", role) is None
    role = sf.OpportunityContactRole.create({"OpportunityId": deal, "ContactId": contact})["id"]
    sf.Opportunity.delete(deal)
    assert row(org, "OpportunityContactRole", role)["IsDeleted"] == 1


def test_the_contact_of_a_new_deal_gets_the_primary_role(sf: Salesforce, org: SalesforceOrg) -> None:
    contact = org.create("Contact", {"LastName": "Lee"})
    deal = sf.Opportunity.create({**DEAL, "ContactId": contact})["id"]
    [role] = org.rows("OpportunityContactRole", "OpportunityId = ?", [deal])
    assert (role["ContactId"], role["IsPrimary"]) == (contact, 1)


def test_deleting_an_account_takes_its_contacts_and_frees_the_rest(org: SalesforceOrg, account: str) -> None:
    contact = org.create("Contact", {"LastName": "Lee", "AccountId": account})
    claim = org.create("Claim__c", {"Name": "c", "Account__c": account})
    child = org.create("Account", {"Name": "Child", "ParentId": account})
    org.delete("Account", account)
    assert row(org, "Account", account)["IsDeleted"] == row(org, "Contact", contact)["IsDeleted"] == 1
    assert row(org, "Claim__c", claim)["Account__c"] is None
    assert row(org, "Account", child)["ParentId"] is None


def test_a_merge_moves_everything_to_the_master(sf: Salesforce, org: SalesforceOrg, account: str) -> None:
    loser = org.create("Account", {"Name": "Acme Inc"})
    contact = org.create("Contact", {"LastName": "Lee", "AccountId": loser})
    deal = org.create("Opportunity", {**DEAL, "AccountId": loser})
    claim = org.create("Claim__c", {"Name": "c", "Account__c": loser})
    org.merge("Account", account, [loser])
    assert row(org, "Contact", contact)["AccountId"] == row(org, "Opportunity", deal)["AccountId"] == account
    assert row(org, "Claim__c", claim)["Account__c"] == account
    text = f"SELECT IsDeleted, MasterRecordId FROM Account WHERE Id = '{loser}'"
    [gone] = sf.query(text, include_deleted=True)["records"]
    assert (gone["IsDeleted"], gone["MasterRecordId"]) == (True, account)


def test_a_formula_follows_its_parent_and_its_record_keeps_its_stamp(org: SalesforceOrg, sf: Salesforce) -> None:
    org.create_field("Opportunity", "Sector__c", "Text", formula="Account.Industry")
    first, second = (org.create("Account", {"Name": name, "Industry": name}) for name in ("Energy", "Media"))
    deal = org.create("Opportunity", {**DEAL, "AccountId": first})
    before = row(org, "Opportunity", deal)
    assert before["Sector__c"] == "Energy"
    org.edit("Account", first, {"Industry": "Banking"})
    after = row(org, "Opportunity", deal)
    assert (after["Sector__c"], after["SystemModstamp"]) == ("Banking", before["SystemModstamp"])
    org.edit("Opportunity", deal, {"AccountId": second})
    assert row(org, "Opportunity", deal)["Sector__c"] == "Media"
    with pytest.raises(SalesforceMalformedRequest):
        sf.Opportunity.update(deal, {"Sector__c": "mine"})
    fields = {field["name"]: field for field in sf.Opportunity.describe()["fields"]}
    assert (fields["Sector__c"]["calculated"], fields["Sector__c"]["updateable"]) == (True, False)
