from dataclasses import replace
from typing import Any

import pytest

from crmsync.diagnostics import Diagnostic
from crmsync.mappings import check_live
from crmsync.remote import FieldInfo, ObjectInfo
from tests.mappings.conftest import mapping

STAGES = FieldInfo("StageName", "Stage", "picklist", options=("New", "Open", "Later", "Won"))
FIELDS: dict[str, FieldInfo] = {
    "Name": FieldInfo("Name", "Name", "text", length=120),
    "AccountId": FieldInfo("AccountId", "Account", "reference"),
    "StageName": STAGES,
    "Type": FieldInfo("Type", "Type", "picklist", options=("Reseller", "Customer")),
    "Amount": FieldInfo("Amount", "Amount", "money"),
    "CampaignId": FieldInfo("CampaignId", "Campaign", "reference", references=("Campaign",)),
    "CloseDate": FieldInfo("CloseDate", "Close Date", "date"),
    "Seen__c": FieldInfo("Seen__c", "Seen", "datetime"),
    "Tender__c": FieldInfo("Tender__c", "Tender", "bool"),
    "Next__c": FieldInfo("Next__c", "Next", "text", length=80),
    "Locked__c": FieldInfo("Locked__c", "Locked", "text", length=255, updateable=False),
    "PRM_Flags__c": FieldInfo("PRM_Flags__c", "Flags", "multipicklist", options=("TENDER",), restricted=True),
    "PRM_State__c": FieldInfo("PRM_State__c", "State", "picklist", options=("none", "active"), restricted=True),
}


def check(more: str = "", *, at: int = 6, **changed: FieldInfo | None) -> list[Diagnostic]:
    fields = {name: info for name, info in {**FIELDS, **changed}.items() if info}
    known = {name: ObjectInfo(name, name, fields) for name in ("Account", "Opportunity", "Task")}
    return check_live(mapping(more, at=at), known.get)


def test_a_mapping_that_fits_has_nothing_to_say() -> None:
    assert check() == []


@pytest.mark.parametrize(
    ("more", "code", "where", "message", "hint"),
    [
        ("amount: Amuont", "E251", "12:15", "Opportunity has no field 'Amuont'", "'Amount'"),
        ("currency: CurrencyIsoCode", "E251", "12:17", "no field 'CurrencyIsoCode'", "{constant: USD}"),
        ("amount: {field: Amuont}", "E251", "12:23", "no field 'Amuont'", "'Amount'"),
        ("lead_source: {field: [Name, Nmae]}", "E251", "12:35", "no field 'Nmae'", "'Name'"),
        ("partner_name: PRM_Partner_Name__c", "E251", "12:21", "no field 'PRM_Partner_Name__c'", "crmsync provision"),
        ("close_date: Tender__c", "E252", "12:19", "'Tender__c' is a bool field, 'deal.close_date' wants date", ""),
        ("amount: CloseDate", "E252", "12:15", "wants decimal", ""),
        ("owner_id: Tender__c", "E252", "12:17", "wants reference", ""),
        ("partner_id: CampaignId", "E252", "12:19", "'CampaignId' refers to Campaign, 'deal.partner_id' wants Acc", ""),
        (
            "motion: {field: Type, values: {Resellr: renewal, '*': renewal}}",
            "E253",
            "12:38",
            "no value 'Resellr'",
            "'Reseller'",
        ),
        ("flags: {field: PRM_Flags__c, mode: engine_owned}", "E253", "12:22", "lacks values", "crmsync provision"),
        ("next_action: {field: Locked__c, mode: engine_owned}", "E254", "12:45", "may not be edited", "edit access"),
        ("next_action: {field: Next__c, max: 100, mode: engine_owned}", "E255", "12:28", "holds 80", "max: 80"),
        ("protection_start: {field: Seen__c, mode: engine_owned}", "E252", "12:33", "is a datetime field", ""),
    ],
)
def test_what_the_crm_does_not_bear_out_is_told(more: str, code: str, where: str, message: str, hint: str) -> None:
    (found,) = check(more)
    assert (found.code, found.where, found.severity) == (code, f"m.yaml:{where}", "error")
    assert message in found.message
    assert hint in found.hint
    assert found.hint


def test_a_value_map_can_read_a_yes_no_field_as_an_enum() -> None:
    assert check("motion: {field: Tender__c, values: {true: renewal, false: expansion}}") == []


def test_crm_values_without_a_row_are_a_warning() -> None:
    (found,) = check(StageName=replace(STAGES, options=(*STAGES.options, "Ghosted", "Lost")))
    assert (found.severity, found.code) == ("warning", "W920")
    assert found.message == "'StageName' has values that 'deal.stage' cannot read: Ghosted, Lost"
    assert "'Ghosted: …' with one of registered, qualified" in found.hint


def test_a_field_that_the_crm_calculates_is_a_warning() -> None:
    (found,) = check("amount: Amount", Amount=replace(FIELDS["Amount"], calculated=True))
    assert (found.severity, found.code, found.where) == ("warning", "W921", "m.yaml:12:15")
    assert "without the record's modified date" in found.message


def test_a_row_for_a_value_that_the_crm_lost_is_an_error_at_the_row() -> None:
    (found,) = check(StageName=replace(STAGES, options=("New", "Open", "Won")))
    assert (found.code, found.where) == ("E253", "m.yaml:11:76")


def test_an_enum_needs_its_values_in_a_restricted_picklist() -> None:
    (found,) = check("protection_status: {field: PRM_State__c, mode: engine_owned}")
    assert "lacks values that crmsync writes: pending, expiring, expired, suspended, released" in found.message


@pytest.mark.parametrize(
    ("more", "at", "code", "message", "hint"),
    [
        (
            "contact: {object: Contacts, fields: {account_id: AccountId}}",
            2,
            "E250",
            "no object 'Contacts'",
            "'Contact'",
        ),
        (
            "registration: {object: PRM_Registration__c, key: number, fields: {number: N, partner_id: P, state: S}}",
            2,
            "E250",
            "no object 'PRM_Registration__c'",
            "crmsync provision",
        ),
        ("where: {field: Tpye, in: [Reseller]}", 4, "E251", "no field 'Tpye'", "'Type'"),
        ("where: {field: Type, in: [Reselller]}", 4, "E253", "no value 'Reselller'", "'Reseller'"),
        ("links: {deal_contact: {object: Role, from: A, to: B}}", 0, "E250", "no object 'Role'", ""),
        ("links: {deal_contact: {object: Task, from: AccountId, to: Nme}}", 0, "E251", "no field 'Nme'", "'Name'"),
    ],
)
def test_objects_conditions_and_links_are_checked(more: str, at: int, code: str, message: str, hint: str) -> None:
    (found,) = check(more, at=at)
    assert found.code == code
    assert message in found.message
    assert hint in found.hint


def test_tasks_are_checked() -> None:
    entry: dict[str, Any] = {"object": "Task", "key": "PRM_Key__c", "subject": "Name", "body": "Next__c"}
    entry |= {"due": "CloseDate", "owner": "AccountId", "constants": {"PRM_State__c": "activ", "Nix": "x"}}
    found = check(f"tasks: {entry}", at=0)
    assert sorted(d.message for d in found) == [
        "'PRM_State__c' has no value 'activ'",
        "Task has no field 'Nix' that the signed-in user may read",
        "Task has no field 'PRM_Key__c' that the signed-in user may read",
    ]


@pytest.mark.parametrize(
    ("name", "code"), [("Nothing__c", "E251"), ("Seen__c", "E252"), ("Locked__c", "E254"), ("Next__c", "E255")]
)
def test_a_fingerprint_needs_a_text_field_that_may_be_edited(name: str, code: str) -> None:
    (found,) = check(f"fingerprint: {name}", at=4)
    assert (found.code, found.where) == (code, "m.yaml:12:18")


def test_a_fingerprint_of_enough_length_is_right() -> None:
    assert check("fingerprint: Print__c", at=4, Print__c=FieldInfo("Print__c", "Print", "text", length=255)) == []
