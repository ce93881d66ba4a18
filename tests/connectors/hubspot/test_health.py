"""What doctor hears from HubSpot, each problem with the way out."""

from __future__ import annotations

from datetime import timedelta

from crmsync.connectors.hubspot.health import needed_scopes
from crmsync.remote import FieldDef, SchemaSpec
from crmsync.sandbox.credentials import HUBSPOT_CLIENT_ID, HUBSPOT_CLIENT_SECRET, HUBSPOT_REFRESH_TOKEN

SPEC = SchemaSpec(
    fields=(FieldDef("deals", "prm_x", "X", "text"), FieldDef("tasks", "prm_key", "Key", "text")),
    readable=(("contacts", "email"), ("prm_registration", "prm_number")),
    labels=(("deals", "companies", "Partner"),),
)


def by_name(checks) -> dict:
    return {check.name: check for check in checks}


def test_the_scopes_asked_for_are_the_least_that_do():
    assert needed_scopes(SPEC) == {
        "crm.objects.owners.read",
        "crm.objects.deals.read",
        "crm.objects.deals.write",
        "crm.schemas.deals.write",
        "crm.objects.contacts.read",
        "crm.objects.contacts.write",
        "crm.objects.companies.read",
        "crm.objects.custom.read",
        "crm.schemas.custom.read",
    }


def test_a_wrong_token_is_the_only_thing_said(connect):
    (check,) = connect(token="wrong").check(SPEC)
    assert (check.name, check.status) == ("sign-in", "problem")
    assert check.fix


READ = {"crm.objects.owners.read", "crm.objects.deals.read"}


def test_each_missing_scope_is_named_with_the_click_path(connect, portal):
    spec = SchemaSpec(readable=(("deals", "dealname"), ("contacts", "email")))
    checks = by_name(connect(token=portal.tokens.issue(READ)).check(spec))
    assert checks["scopes"].detail == "the token lacks crm.objects.contacts.read"
    assert checks["scopes"].fix.startswith("tick crm.objects.contacts.read in HubSpot > Settings")


def test_scopes_that_only_provision_needs_may_go_once_it_is_done(connect, portal):
    spec = SchemaSpec(fields=(FieldDef("deals", "prm_x", "X", "text"),))
    hubspot = connect(token=portal.tokens.issue(READ | {"crm.objects.deals.write"}))
    before = by_name(hubspot.check(spec))["scopes"]
    connect().provision(spec, apply=True)
    after = by_name(connect(token=hubspot._api.tokens.token).check(spec))["scopes"]
    assert (before.status, after.status) == ("problem", "ok")
    assert before.detail == "the token lacks crm.schemas.deals.write"


def test_oauth_is_checked_by_its_own_introspection(connect):
    hubspot = connect(
        client_id=HUBSPOT_CLIENT_ID, client_secret=HUBSPOT_CLIENT_SECRET, refresh_token=HUBSPOT_REFRESH_TOKEN
    )
    checks = by_name(hubspot.check(SchemaSpec(readable=(("deals", "dealname"),))))
    assert checks["scopes"].status == "ok"
    assert "oauth" in checks["sign-in"].detail


def test_a_clock_that_is_off_is_named(hubspot, box):
    box.clock.advance(timedelta(minutes=10).total_seconds())
    clock = by_name(hubspot.check(SchemaSpec()))["clock"]
    assert clock.status == "warning"
    assert "behind HubSpot" in clock.detail


def test_few_calls_left_are_a_warning(hubspot, portal):
    portal.limits.daily = 2
    assert by_name(hubspot.check(SchemaSpec()))["API calls"].status == "warning"


def test_an_object_that_is_missing_is_named(hubspot):
    check = by_name(hubspot.check(SPEC))["properties of prm_registration"]
    assert (check.status, check.fix) == ("problem", "crmsync provision")
