from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from crmsync.mappings import mapping_json_schema
from crmsync.mappings.schema import FLAG_CODES
from crmsync.remote import FieldDef
from crmsync.starter import starter_dir
from tests.mappings.test_starter import STARTERS


def definition(system: str, object_name: str, name: str) -> FieldDef:
    (found,) = [d for d in STARTERS[system].schema().fields if (d.object, d.name) == (object_name, name)]
    return found


def test_only_own_fields_are_made() -> None:
    for system, own in (("salesforce", "PRM_"), ("hubspot", "prm_")):
        spec = STARTERS[system].schema()
        assert all(d.name.startswith(own) for d in spec.fields)
        assert not any(name.startswith(own) for _, name in spec.readable)
        assert len({(d.object, d.name) for d in spec.fields}) == len(spec.fields)


def test_objects_of_our_own_are_made() -> None:
    names = [(o.name, o.label, o.plural_label) for o in STARTERS["salesforce"].schema().objects]
    assert names[0] == ("PRM_Registration__c", "Registration", "Registrations")
    assert len(names) == len(STARTERS["hubspot"].schema().objects) == 3


@pytest.mark.parametrize(
    ("system", "object_name", "name", "type_", "length"),
    [
        ("salesforce", "Opportunity", "PRM_Protection_End__c", "date", None),
        ("salesforce", "Opportunity", "PRM_Partner__c", "reference", None),
        ("salesforce", "Opportunity", "PRM_Attribution_Reason__c", "text", 255),
        ("salesforce", "Opportunity", "PRM_Influencing_Partners__c", "long_text", 32_768),
        ("salesforce", "Opportunity", "PRM_Synced_At__c", "datetime", None),
        ("salesforce", "Opportunity", "PRM_Is_Tender__c", "bool", None),
        ("salesforce", "PRM_Registration__c", "PRM_Amount__c", "money", None),
        ("hubspot", "deals", "prm_partner_id", "text", 255),
        ("hubspot", "prm_registration", "prm_amount", "number", None),
        ("hubspot", "companies", "prm_partner_flags", "multipicklist", None),
    ],
)
def test_types_follow_the_canonical_type(
    system: str, object_name: str, name: str, type_: str, length: int | None
) -> None:
    found = definition(system, object_name, name)
    assert (found.type, found.length) == (type_, length)


def test_labels_options_references_and_uniqueness() -> None:
    end = definition("salesforce", "Opportunity", "PRM_Protection_End__c")
    assert end.label == "Protection End"
    assert definition("salesforce", "Opportunity", "PRM_Flags__c").options == FLAG_CODES
    status = definition("hubspot", "deals", "prm_protection_status")
    assert status.options == ("none", "pending", "active", "expiring", "expired", "suspended", "released")
    assert all(type(option) is str for option in status.options)
    assert definition("salesforce", "PRM_Registration__c", "PRM_Deal__c").references == "Opportunity"
    assert definition("hubspot", "prm_registration", "prm_number").unique
    assert definition("hubspot", "tasks", "prm_key").unique
    assert not definition("salesforce", "Task", "PRM_Key__c").unique


def test_other_fields_are_to_be_readable_and_labels_to_exist() -> None:
    salesforce, hubspot = STARTERS["salesforce"].schema(), STARTERS["hubspot"].schema()
    assert ("Opportunity", "StageName") in salesforce.readable
    assert ("OpportunityContactRole", "ContactId") in salesforce.readable
    assert ("deals", "pipeline") in hubspot.readable
    assert not [name for name, _ in hubspot.readable if name in ("owners", "pipelines")]
    assert salesforce.labels == ()
    assert hubspot.labels == (("deals", "companies", "Partner"),)


# ------------------------------------------------------------------ for editors


def errors(data: Any) -> list[str]:
    return [error.json_path for error in Draft7Validator(mapping_json_schema()).iter_errors(data)]


def test_the_schema_for_editors_is_sound_and_accepts_the_starters() -> None:
    Draft7Validator.check_schema(mapping_json_schema())
    for path in starter_dir().rglob("mappings/*.yaml"):
        assert errors(yaml.safe_load(path.read_text())) == []


def test_the_schema_for_editors_finds_what_the_loader_finds() -> None:
    data = yaml.safe_load(Path(starter_dir(), "mappings", "salesforce.yaml").read_text())
    data["objects"]["deal"]["fields"]["amuont"] = "Amount"
    data["objects"]["deal"]["fields"]["motion"]["values"]["Renewal"] = "renewel"
    data["objects"]["dael"] = {}
    assert sorted(errors(data)) == ["$.objects", "$.objects.deal.fields", "$.objects.deal.fields.motion"]
