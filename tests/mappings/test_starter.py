"""The mappings that ``crmsync init`` copies: complete, alike, and named by one rule."""

import difflib
import re
from pathlib import Path

import pytest

from crmsync.mappings import Mapping, Mode, load_mapping
from crmsync.mappings.labels import HELP
from crmsync.mappings.schema import FLAG_CODES
from crmsync.mappings.vocabulary import ENGINE_WRITES
from crmsync.records import KINDS, REFERENCES, field_types
from crmsync.rules.codes import FLAGS
from crmsync.rules.fields import WRITTEN
from crmsync.starter import starter_dir

SYSTEMS = ("salesforce", "hubspot")
STARTERS = {s: load_mapping(Path(starter_dir(), "mappings", f"{s}.yaml"), system=s) for s in SYSTEMS}
DEMOS = {s: load_mapping(Path(starter_dir(), "demo", "mappings", f"{s}.yaml"), system=s) for s in SYSTEMS}

EVERYWHERE = {"account.is_customer", "deal.closed_at"}
UNMAPPED = {"salesforce": {*EVERYWHERE, "stage.pipeline"}, "hubspot": EVERYWHERE}
EXCEPTIONS = {"partner.type": "partner_type", "partner.status": "partner_status"}


@pytest.fixture(params=[*STARTERS.values(), *DEMOS.values()], ids=[*SYSTEMS, *(f"demo {s}" for s in SYSTEMS)])
def starter(request: pytest.FixtureRequest) -> Mapping:
    mapping: Mapping = request.param
    return mapping


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_demo_differs_only_where_its_crm_does(system: str) -> None:
    texts = [
        Path(starter_dir(), place, f"{system}.yaml").read_text().splitlines() for place in ("mappings", "demo/mappings")
    ]
    matcher = difflib.SequenceMatcher(a=texts[0], b=texts[1], autojunk=False)
    changed = [line for op, a, b, _, _ in matcher.get_opcodes() if op != "equal" for line in texts[0][a:b]]
    own = ("# Which ", "Verbal Commit", "renewal", "products:", "lost_reason:", "company_number:", "New Customer")
    assert all(any(word in line for word in own) for line in changed), changed


def test_every_canonical_field_is_mapped(starter: Mapping) -> None:
    assert set(starter.kinds) == set(KINDS)
    missing = {f"{k}.{f}" for k in KINDS for f in field_types(k) if f != "id" and starter.field(k, f) is None}
    assert missing == UNMAPPED[starter.system]


def test_own_fields_are_named_by_the_rule(starter: Mapping) -> None:
    for kind in starter.kinds:
        for name, mapped in starter.kind_mappings[kind].fields.items():
            plain = EXCEPTIONS.get(f"{kind}.{name}", name)
            if starter.system == "hubspot" and mapped.remote_field.startswith("prm_"):
                assert mapped.remote_field == f"prm_{plain}"
            elif mapped.remote_field.startswith("PRM_"):
                stem = plain.removesuffix("_id") if (kind, name) in REFERENCES else plain
                words = "_".join(w.capitalize() for w in stem.split("_"))
                assert mapped.remote_field == f"PRM_{re.sub('Registration_Id$', 'Registration_ID', words)}__c"


def test_both_crms_are_written_alike() -> None:
    modes = [
        {(f.kind, f.field): f.mode for kind in mapping.kinds for f in mapping.written(kind)}
        for mapping in STARTERS.values()
    ]
    assert modes[0] == modes[1]
    assert modes[0]["deal", "partner_id"] is Mode.FILL_IF_EMPTY
    assert modes[0]["deal", "protection_end"] is Mode.ENGINE_OWNED


def test_everything_that_rules_decide_is_written(starter: Mapping) -> None:
    decided = {(kind, name) for kind, names in WRITTEN.items() for name in names}
    assert decided <= {(f.kind, f.field) for kind in starter.kinds for f in starter.written(kind)}


def test_the_engines_writes_are_those_of_the_rules() -> None:
    """Mappings may not import the rules, so they keep lists of their own."""
    stamped = {
        kind: {*names, "synced_at"} if "policy_version" in names else {*names} for kind, names in WRITTEN.items()
    }
    assert {kind: set(names) for kind, names in ENGINE_WRITES.items()} == stamped
    assert set(FLAGS) <= set(FLAG_CODES)


def test_no_person_owned_field_is_written(starter: Mapping) -> None:
    for name in ("stage", "amount", "owner_id", "account_id", "attribution_override"):
        assert starter.field("deal", name).mode is Mode.READ_ONLY  # type: ignore[union-attr]


def test_keys_of_what_is_created(starter: Mapping) -> None:
    assert starter.key_field("registration") in ("PRM_Number__c", "prm_number")
    assert starter.key_field("task") in ("PRM_Key__c", "prm_key")
    assert starter.key_field("deal") == ""
    assert starter.title_field("registration") == ("Name" if starter.system == "salesforce" else "")


def test_every_field_that_sellers_may_see_has_a_sentence_of_help(starter: Mapping) -> None:
    assert not [d.name for d in starter.schema().fields if not d.help.endswith(".")]
    assert all(name in field_types(kind) for kind, name in HELP)
