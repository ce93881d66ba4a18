"""Both CRMs, given the same world, end with the same partner facts, field by field."""

from __future__ import annotations

from typing import Any

from crmsync.records import kind_of
from crmsync.sync.cycle import sync
from crmsync.sync.session import Session
from tests.sync.conftest import SYSTEMS, Bench

REFERENCES = {"partner_id": "partner", "original_partner_id": "partner", "account_id": "account", "deal_id": "deal"}
"""Record ids differ between CRMs; what they point to does not."""

NOT_COMPARED = ("synced_at",)


def with_legacy_ids(bench: Bench) -> None:
    """Map the world's own keys, the way an admin maps any field of theirs."""
    extra = {"salesforce": "Legacy_Id__c", "hubspot": "legacy_id"}
    for system, field in extra.items():
        for kind in ("account", "deal", "registration", "partner"):
            path = f"mappings/{system}.yaml"
            marker = f"\n  {kind}:"
            line = f"\n      legacy_id: {{field: {field}, type: text}}"
            if kind == "account":  # the starter has extra fields of accounts
                bench.edit_yaml(path, "\n      phone: {field: ", f"{line}\n      phone: {{field: ")
            else:
                bench.edit_yaml(path, marker, f"{marker}\n    extra:{line}")


def facts(session: Session) -> dict[tuple[str, str], dict[str, Any]]:
    """What the CRM says of deals, registrations, partners and accounts: read in full, by legacy id."""
    sync(session, full=True)
    records = {}
    for kind in ("account", "partner", "deal", "registration"):
        name = session.mapping.object_of(kind)
        for row in session.store.rows(name):
            for record in session.mapping.read(name, row).records:
                if kind_of(record) == kind:
                    records[kind, record.id] = record
    keys = {subject: record.extra.get("legacy_id") for subject, record in records.items()}
    found = {}
    for (kind, record_id), record in records.items():
        said = {}
        for field in session.mapping.written(kind):
            value = getattr(record, field.field, None)
            if field.field in NOT_COMPARED:
                continue
            target = REFERENCES.get(field.field)
            said[field.field] = named(session, keys, target, value) if target and value else value
        found[kind, keys[kind, record_id]] = said
    return found


def named(session: Session, keys: dict[tuple[str, str], Any], kind: str, record_id: str) -> Any:
    """The legacy id behind a reference; one to a merged record leads to the survivor."""
    survivor = session.store.resolve(session.mapping.object_of(kind), record_id)
    return keys[kind, survivor]


def test_both_crms_end_with_the_same_partner_facts(bench: Bench) -> None:
    with_legacy_ids(bench)
    told = {}
    for system in SYSTEMS:
        now = bench.box.clock.now()
        with bench.session(system, now) as session:
            sync(session)
            told[system] = facts(session)
    assert told["salesforce"].keys() == told["hubspot"].keys()
    differing = {
        key: {
            name: (value, told["hubspot"][key].get(name))
            for name, value in said.items()
            if told["hubspot"][key].get(name) != value
        }
        for key, said in told["salesforce"].items()
    }
    assert {key: fields for key, fields in differing.items() if fields} == {}
    assert sum(1 for said in told["salesforce"].values() if said.get("attribution") == "sourced") > 5
