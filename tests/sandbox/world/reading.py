"""Reading a loaded CRM through the starter mappings, without HTTP: what a first sync would see."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from crmsync.mappings import Mapping, load_mapping
from crmsync.records import REFERENCES, Link, Record, kind_of
from crmsync.remote import RemoteLink, RemoteRecord
from crmsync.sandbox.hubspot.portal import HubSpotPortal
from crmsync.sandbox.salesforce.org import SalesforceOrg

CONFIG = Path(__file__).parents[3] / "config"
KINDS = ("account", "partner", "contact", "deal", "registration", "touch", "certification")
_TARGETS = {"deal_contact": "contact", "deal_partner": "partner"}


@dataclass
class Reading:
    """Canonical records with the CRM's ids; ``keys`` says which record of the world each id is."""

    mapping: Mapping
    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    records: dict[str, list[Record]] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    merged: dict[str, str] = field(default_factory=dict)

    def add(self, object_name: str, remote: RemoteRecord) -> None:
        result = self.mapping.read(object_name, remote)
        for record in result.records:
            self.records.setdefault(kind_of(record), []).append(record)
        self.links += result.links

    def key(self, kind: str, record_id: str) -> str:
        return self.keys[self.mapping.object_of(kind), record_id]

    def facts(self, kind: str) -> dict[str, dict[str, Any]]:
        """By the world's key, with every reference told by the world's key."""
        return {self.key(kind, record.id): self._told(kind, record) for record in self.records[kind]}

    def ties(self) -> set[tuple[str, str, str]]:
        return {
            (link.name, self.key("deal", link.from_id), self.key(_TARGETS[link.name], link.to_id))
            for link in self.links
        }

    def _told(self, kind: str, record: Record) -> dict[str, Any]:
        values = {f.name: getattr(record, f.name) for f in fields(record) if f.name not in ("id", "extra")}
        for name, value in values.items():
            if name == "original_partner_id":  # a record that is no more has no key to compare
                values[name] = value is not None
            elif (target := REFERENCES.get((kind, name))) and value:
                values[name] = self.key(target, value)
        return values


def read_salesforce(org: SalesforceOrg) -> Reading:
    reading = Reading(load_mapping(CONFIG / "demo" / "mappings" / "salesforce.yaml", system="salesforce"))
    for spec in reading.mapping.objects():
        for row in org.rows(spec.object):
            key = row["Email"] if spec.object == "User" else row.get("Legacy_Id__c")
            reading.keys[spec.object, row["Id"]] = key or row["Id"]
            if row.get("MasterRecordId"):
                reading.merged[row["Id"]] = row["MasterRecordId"]
            if not row.get("IsDeleted"):
                known = {name: _json(row.get(name), spec.object, name, org) for name in spec.fields}
                reading.add(spec.object, RemoteRecord(id=row["Id"], fields=known))
    return reading


def _json(value: Any, sobject: str, name: str, org: SalesforceOrg) -> Any:
    """SQLite keeps booleans as numbers."""
    field_type = org.schema.require(sobject).field(name)
    return bool(value) if field_type and field_type.type == "boolean" else value


def read_hubspot(portal: HubSpotPortal) -> Reading:
    reading = Reading(load_mapping(CONFIG / "demo" / "mappings" / "hubspot.yaml", system="hubspot"))
    for owner in portal.owners.page(archived=False, email=None, after=0, limit=1000):
        reading.keys["owners", owner["id"]] = owner["email"]
        reading.add("owners", RemoteRecord(id=owner["id"], fields=owner))
    for spec in reading.mapping.objects():
        if spec.object in ("owners", "pipelines", "tasks"):
            continue
        for row in portal.rows(spec.object):
            record_id = row["hs_object_id"]
            old_ids = [old for old in row.get("hs_merged_object_ids", "").split(";") if old]
            reading.merged |= dict.fromkeys(old_ids, record_id)
            reading.keys |= {(spec.object, known): row["legacy_id"] for known in (record_id, *old_ids)}
            links = tuple(
                RemoteLink(to_object=tie.to_object, to_id=to_id, labels=labels or ("",))
                for tie in spec.associations
                for to_id, labels in portal.associated(spec.object, record_id, tie.to_object).items()
            )
            known = {name: row.get(name) for name in spec.fields}
            reading.add(spec.object, RemoteRecord(id=record_id, fields=known, links=links))
    return reading
