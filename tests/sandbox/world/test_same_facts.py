"""One world, two CRMs: read through the starter mappings, both hold the same canonical records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from crmsync.sandbox.hubspot.portal import HubSpotPortal
from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.world.reading import KINDS, Reading, read_hubspot, read_salesforce

OWN = ("probability",)
"""What each CRM makes of a stage by itself."""


@pytest.fixture(scope="module")
def both(salesforce: SalesforceOrg, hubspot: HubSpotPortal) -> tuple[Reading, Reading]:
    return read_salesforce(salesforce), read_hubspot(hubspot)


@pytest.mark.parametrize("kind", KINDS)
def test_records_are_equal(both: tuple[Reading, Reading], kind: str):
    left, right = (reading.facts(kind) for reading in both)
    assert left.keys() == right.keys()
    assert len(left) > 10
    assert {key: found for key in left if (found := differences(left[key], right[key]))} == {}


def test_ties_are_equal(both: tuple[Reading, Reading]):
    """Salesforce keeps an opportunity partner in both directions; rows that lead back to the customer tie nobody."""
    left, right = (reading.ties() for reading in both)
    partners = both[0].facts("partner")
    assert {tie for tie in left if tie[0] != "deal_partner" or tie[2] in partners} == right
    assert {name for name, _, _ in right} == {"deal_contact", "deal_partner"}


def test_no_engine_field_is_there_yet(salesforce: SalesforceOrg, hubspot: HubSpotPortal):
    assert not salesforce.schema.require("Opportunity").has("PRM_Protection_End__c")
    assert "prm_protection_end" not in hubspot.catalog.of(hubspot.types.get("deals").id)


def differences(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (left[name], right[name]) for name in left if left[name] != right[name] and name not in OWN}
