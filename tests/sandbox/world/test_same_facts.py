"""One world, two CRMs: read through the starter mappings, both hold the same canonical records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from crmsync.mappings import load_mapping
from crmsync.records import REFERENCES, kind_of
from crmsync.remote import RemoteLink, RemoteRecord
from crmsync.sandbox.hubspot.portal import HubSpotPortal
from crmsync.sandbox.salesforce.org import SalesforceOrg

MAPPINGS = Path(__file__).parents[3] / "config" / "mappings"
KINDS = ("account", "partner", "contact", "deal", "registration", "touch", "certification")

Keys = dict[tuple[str, str], str]
"""(object, record id) to the world's key."""
Facts = dict[tuple[str, str], dict[str, Any]]
Ties = set[tuple[str, str, str]]


@pytest.fixture(scope="module")
def both(salesforce: SalesforceOrg, hubspot: HubSpotPortal) -> tuple[tuple[Facts, Ties], tuple[Facts, Ties]]:
    return from_salesforce(salesforce), from_hubspot(hubspot)


@pytest.mark.parametrize("kind", KINDS)
def test_records_are_equal(both, kind: str):
    left, right = ({key: fact for (k, key), fact in facts.items() if k == kind} for facts, _ in both)
    assert left.keys() == right.keys()
    assert len(left) > 10
    assert {key: differences(left[key], right[key]) for key in left if left[key] != right[key]} == {}


def test_ties_are_equal(both):
    """Salesforce keeps an opportunity partner in both directions; rows that lead back to the customer tie nobody."""
    (facts, left), (_, right) = both
    assert {tie for tie in left if tie[0] != "deal_partner" or ("partner", tie[2]) in facts} == right
    assert {name for name, _, _ in right} == {"deal_contact", "deal_partner"}


def test_no_engine_field_is_there_yet(salesforce: SalesforceOrg, hubspot: HubSpotPortal):
    assert not salesforce.schema.require("Opportunity").has("PRM_Protection_End__c")
    assert "prm_protection_end" not in hubspot.catalog.of(hubspot.types.get("deals").id)


def differences(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (left[name], right[name]) for name in left if left[name] != right[name]}


def from_salesforce(org: SalesforceOrg) -> tuple[Facts, Ties]:
    mapping = load_mapping(MAPPINGS / "salesforce.yaml", system="salesforce")
    keys: Keys = {("User", row["Id"]): row["Email"] for row in org.rows("User")}
    found = []
    for spec in mapping.objects():
        for row in org.rows(spec.object):
            keys.setdefault((spec.object, row["Id"]), row.get("Legacy_Id__c") or row["Id"])
            if not row.get("IsDeleted"):
                known = {name: row.get(name) for name in spec.fields}
                found.append((spec.object, RemoteRecord(id=row["Id"], fields=known)))
    return facts_of(mapping, found, keys)


def from_hubspot(portal: HubSpotPortal) -> tuple[Facts, Ties]:
    mapping = load_mapping(MAPPINGS / "hubspot.yaml", system="hubspot")
    owners = portal.owners.page(archived=False, email=None, after=0, limit=1000)
    keys: Keys = {("owners", owner["id"]): owner["email"] for owner in owners}
    found = []
    for spec in mapping.objects():
        if spec.object in ("owners", "pipelines", "tasks"):
            continue
        for row in portal.rows(spec.object):
            record_id = row["hs_object_id"]
            old_ids = [old for old in row.get("hs_merged_object_ids", "").split(";") if old]
            keys.update({(spec.object, known): row["legacy_id"] for known in (record_id, *old_ids)})
            links = tuple(
                RemoteLink(to_object=tie.to_object, to_id=to_id, labels=labels or ("",))
                for tie in spec.associations
                for to_id, labels in portal.associated(spec.object, record_id, tie.to_object).items()
            )
            known = {name: row.get(name) for name in spec.fields}
            found.append((spec.object, RemoteRecord(id=record_id, fields=known, links=links)))
    return facts_of(mapping, found, keys)


def facts_of(mapping: Any, found: list[tuple[str, RemoteRecord]], keys: Keys) -> tuple[Facts, Ties]:
    facts: Facts = {}
    ties: Ties = set()
    for object_name, remote in found:
        result = mapping.read(object_name, remote)
        for record in result.records:
            kind = kind_of(record)
            values = {f.name: getattr(record, f.name) for f in fields(record) if f.name not in ("id", "extra")}
            for name in values:
                if name == "original_partner_id":  # a record that is no more has no key to compare
                    values[name] = values[name] is not None
                elif (target := REFERENCES.get((kind, name))) and values[name]:
                    values[name] = keys[mapping.object_of(target), values[name]]
            facts[kind, keys[object_name, record.id]] = values
        ties |= {(link.name, *ends(mapping, link, keys)) for link in result.links}
    return facts, ties


def ends(mapping: Any, link: Any, keys: Keys) -> tuple[str, str]:
    target = {"deal_contact": "contact", "deal_partner": "partner"}[link.name]
    return keys[mapping.object_of("deal"), link.from_id], keys[mapping.object_of(target), link.to_id]
