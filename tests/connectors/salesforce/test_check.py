from __future__ import annotations

from datetime import UTC, datetime

from crmsync.connectors.salesforce.connector import SalesforceConnector
from crmsync.remote import HealthCheck
from crmsync.sandbox import Sandbox
from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.connectors.salesforce.conftest import Connect
from tests.connectors.salesforce.test_provision import SPEC
from tests.connectors.scripted import unused_url


def by_name(connector: SalesforceConnector) -> dict[str, HealthCheck]:
    return {check.name: check for check in connector.check(SPEC)}


def test_a_provisioned_org_is_well(connector: SalesforceConnector) -> None:
    connector.provision(SPEC, apply=True)
    checks = by_name(connector)
    assert {check.status for check in checks.values()} == {"ok"}
    assert "integration@sandbox.example" in checks["sign-in"].detail
    assert checks["fields of Task"].detail == "all 1 can be used"


def test_missing_fields_are_named_with_the_command_that_mends_it(connector: SalesforceConnector) -> None:
    checks = by_name(connector)
    assert checks["fields of PRM_Registration__c"].status == "problem"
    assert checks["fields of Task"].detail == "missing or not visible: PRM_Key__c"
    assert checks["fields of Task"].fix == "crmsync provision"
    assert checks["fields of Account"].status == "ok"


def test_a_refused_sign_in_is_the_only_line(connect: Connect) -> None:
    (check,) = connect(secrets={"client_secret": "wrong"}).check(SPEC)
    assert (check.name, check.status) == ("sign-in", "problem")
    assert "client_secret" in check.fix


def test_an_org_that_is_down_is_the_only_line(connect: Connect) -> None:
    (check,) = connect(url=unused_url()).check(SPEC)
    assert "did not answer" in check.detail


def test_a_missing_api_permission_is_said(connector: SalesforceConnector, box: Sandbox) -> None:
    box.faults.add(system="salesforce", kind="missing_scope", times=None, match="/services/data")
    assert "API Enabled" in by_name(connector)["API calls"].fix


def test_a_spent_quota_is_said_and_not_spent_further(connector: SalesforceConnector, org: SalesforceOrg) -> None:
    org.api_calls = 90_000
    checks = by_name(connector)
    assert list(checks) == ["sign-in", "API calls"]
    assert (checks["API calls"].status, checks["API calls"].detail) == ("problem", "9,999 of 100,000 left today")


def test_a_full_quota_is_said(connector: SalesforceConnector, org: SalesforceOrg) -> None:
    org.api_calls = org.api_limit
    assert "used up" in by_name(connector)["API calls"].detail


def test_a_clock_that_is_wrong_is_said(connector: SalesforceConnector, box: Sandbox) -> None:
    box.clock.set(datetime(2020, 1, 1, tzinfo=UTC))
    assert by_name(connector)["clock"].status == "warning"
