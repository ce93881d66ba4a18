"""What a mapping needs is made once, said exactly, and blocked clearly where HubSpot does not allow it."""

from __future__ import annotations

import pytest

from crmsync.remote import FieldDef, ObjectDef, SchemaSpec

REGISTRATION = ObjectDef("prm_registration", "Registration", "Registrations")
NUMBER = FieldDef("prm_registration", "prm_number", "Number", "text", unique=True)
STATE = FieldDef("prm_registration", "prm_state", "State", "picklist", options=("draft", "submitted"))
FLAGS = FieldDef("deals", "prm_flags", "Flags", "multipicklist", options=("stale",))
EVERYTHING = SchemaSpec(
    objects=(REGISTRATION,), fields=(NUMBER, STATE, FLAGS), labels=(("deals", "companies", "Partner"),)
)


def said(steps) -> list[tuple[str, str]]:
    return sorted((step.action, step.what) for step in steps)


def test_the_whole_schema_is_foretold_made_and_then_there(hubspot, portal):
    foretold = hubspot.provision(EVERYTHING, apply=False)
    assert portal.write_count() == 0
    made = hubspot.provision(EVERYTHING, apply=True)
    assert said(made) == said(foretold)
    assert ("create", "custom object prm_registration") in said(made)
    assert ("create", "prm_registration.prm_number") in said(made)
    again = hubspot.provision(EVERYTHING, apply=True)
    assert {step.action for step in again} == {"exists"}


def test_what_was_made_can_be_used(hubspot):
    hubspot.provision(EVERYTHING, apply=True)
    info = hubspot.describe("prm_registration")
    assert info.custom
    assert info.fields["prm_number"].unique
    assert info.fields["prm_state"].options == ("draft", "submitted")
    assert hubspot.describe("deals").fields["prm_flags"].type == "multipicklist"


@pytest.mark.parametrize(
    ("type_", "shape"),
    [
        ("text", "text"),
        ("long_text", "long_text"),
        ("number", "number"),
        ("money", "number"),
        ("bool", "bool"),
        ("date", "date"),
        ("datetime", "datetime"),
        ("reference", "text"),
        ("phone", "phone"),
    ],
)
def test_every_type_has_its_hubspot_form(hubspot, type_, shape):
    field = FieldDef("deals", "prm_x", "X", type_)
    (_, step) = hubspot.provision(SchemaSpec(fields=(field,)), apply=True)
    assert step.action == "create"
    assert hubspot.describe("deals").fields["prm_x"].type == shape


def test_missing_options_are_added_and_the_account_s_own_are_kept(hubspot, portal):
    own = [{"value": "vip", "label": "Very important", "displayOrder": 0, "hidden": False}]
    portal.create_property("deals", "prm_flags", "enumeration", "checkbox", "Flags", options=own)
    (step,) = hubspot.provision(SchemaSpec(fields=(FLAGS,)), apply=True)
    assert (step.action, step.detail) == ("update", "options added: stale")
    options = portal.catalog.of("0-3")["prm_flags"]["options"]
    assert [(o["value"], o["label"]) for o in options] == [("vip", "Very important"), ("stale", "Stale")]


@pytest.mark.parametrize(
    ("field", "present", "reason"),
    [
        (FieldDef("deals", "prm_x", "X", "date"), {"type": "string"}, "is string/text, wanted date/date"),
        (FieldDef("deals", "prm_x", "X", "text", unique=True), {"type": "string"}, "must hold unique values"),
    ],
)
def test_a_property_of_another_shape_is_left_alone(hubspot, portal, field, present, reason):
    portal.create_property("deals", "prm_x", **present)
    (step,) = hubspot.provision(SchemaSpec(fields=(field,)), apply=True)
    assert step.action == "blocked"
    assert reason in step.detail


def test_without_enterprise_the_way_out_is_said_and_the_rest_is_made(hubspot, fail):
    fail("missing_scope", match="/schemas", method="POST")
    steps = {step.what: step for step in hubspot.provision(EVERYTHING, apply=True)}
    blocked = steps["custom object prm_registration"]
    assert blocked.action == "blocked"
    assert "need HubSpot Enterprise" in blocked.detail
    assert "deals in a pipeline of their own" in blocked.detail
    assert steps["2 properties of prm_registration"].action == "blocked"
    assert steps["deals.prm_flags"].action == "create"


def test_a_missing_scope_blocks_with_its_name(hubspot, fail):
    fail("missing_scope", match="/properties/deals/batch/create")
    step = {s.what: s for s in hubspot.provision(SchemaSpec(fields=(FLAGS,)), apply=True)}["deals.prm_flags"]
    assert step.action == "blocked"
    assert "crm.objects.deals.write" in step.detail


def test_a_field_that_is_only_read_is_named_when_missing_and_never_made(hubspot, portal):
    spec = SchemaSpec(readable=(("deals", "dealname"), ("deals", "legacy_id")))
    (step,) = hubspot.provision(spec, apply=True)
    assert (step.action, step.what) == ("blocked", "deals.legacy_id")
