from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.errors import ConfigError
from crmsync.mappings import Mode, load_mapping
from crmsync.mappings.load import build_mapping
from crmsync.records import FieldType
from crmsync.yamlpos import load_yaml_text
from tests.mappings.conftest import mapping, problems, text_of


def test_a_short_entry_is_a_field_that_is_only_read() -> None:
    name = mapping().field("deal", "name")
    assert name is not None
    assert (name.object, name.remote_field, name.mode, name.span.brief) == (
        "Opportunity",
        "Name",
        Mode.READ_ONLY,
        "m.yaml:9",
    )


def test_a_field_or_kind_that_is_not_mapped_is_none() -> None:
    assert mapping().field("deal", "amount") is None
    assert mapping().field("registration", "number") is None
    assert mapping().written("registration") == ()


def test_written_fields_are_those_with_a_writing_mode() -> None:
    loaded = mapping("flags: {field: F__c, mode: engine_owned}\nnext_action: {field: N__c, mode: suggest}")
    assert [f.field for f in loaded.written("deal")] == ["flags"]


def test_extra_fields_have_the_types_that_the_admin_gave() -> None:
    loaded = mapping("extra:\n  budget: {field: B__c, type: decimal}\n  code: C__c", at=4)
    assert loaded.extra_types("deal") == {"budget": FieldType("decimal"), "code": FieldType("text")}


def test_the_fingerprint_follows_the_meaning_not_the_layout() -> None:
    assert mapping().fingerprint == mapping("# a comment").fingerprint
    assert mapping().fingerprint != mapping("amount: Amount").fingerprint


@pytest.mark.parametrize(
    ("more", "code", "where", "message", "hint"),
    [
        ("amuont: Amount", "E232", "12:7", "unknown field 'amuont' of a deal", "'amount'"),
        ("id: Id", "E232", "12:7", "always the record's own id", "remove"),
        ("lead_source: {field: L, transform: lowr}", "E233", "12:42", "unknown transform 'lowr'", "'lower'"),
        ("lead_source: {field: L, transform: [trim, lowr]}", "E233", "12:49", "unknown transform", "'lower'"),
        (
            "motion: {field: T, values: {New: new_bussiness}}",
            "E234",
            "12:40",
            "not a value of 'motion'",
            "'new_business'",
        ),
        ("is_tender: {field: T, values: {Yes: ja}}", "E234", "12:43", "not a value of 'is_tender'", "bool"),
        ("motion: {constant: newbusiness}", "E234", "12:26", "not a value", "'new_business'"),
        ("amount: {field: A, default: none}", "E234", "12:35", "not a value", "decimal"),
        ("close_date: {field: C, mode: engine_owned}", "E237", "12:36", "never writes 'deal.close_date'", "read only"),
        ("amount: {mode: read_only}", "E238", "12:7", "found nothing to read", "field, association, constant"),
        ("amount: {field: A, constant: 1}", "E238", "12:7", "more than one source", "one of"),
        ("owner_id: {association: companies}", "E239", "12:18", "no associations", "AccountId"),
        ("partner_name: {field: [A, B], mode: engine_owned}", "E243", "12:43", "not one field", "one CRM field"),
        ("owner_id: {field: O, transform: lower}", "E244", "12:28", "holds a record id", "remove 'transform'"),
        ("amount: {field: A, separator: ;}", "E244", "12:26", "a separator is for lists", ""),
        ("amount: {field: A, on_null: keep}", "E244", "12:26", "'on_null' is for fields that crmsync writes", ""),
        ("amount: {field: A, on_user_edit: keep}", "E244", "12:26", "'on_user_edit' is for fields", "add a mode"),
        ("amount: {field: A, max: 9}", "E244", "12:26", "'max' is for text", ""),
        ("next_action: {field: A, cut: true}", "E244", "12:31", "'cut' needs free text and a 'max'", ""),
        ("flags: {field: F, mode: engine_onwed}", "E106", "12:31", "unknown value 'engine_onwed'", "'engine_owned'"),
        ("flags: {field: F, mod: read_only}", "E102", "12:25", "unknown key 'mod' in a field", "'mode'"),
        ("flags: 5", "E105", "12:14", "found the number 5, wanted a mapping", ""),
    ],
)
def test_a_mistake_in_a_field_is_told_at_its_place(more: str, code: str, where: str, message: str, hint: str) -> None:
    (found,) = problems(more)
    assert (found.code, f"{found.where}") == (code, f"m.yaml:{where}")
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("more", "at", "code", "message", "hint"),
    [
        (
            "contcat: {object: Contact, fields: {account_id: AccountId}}",
            2,
            "E231",
            "unknown kind 'contcat'",
            "'contact'",
        ),
        (
            "contact: {object: Contact, fields: {email: Email}}",
            2,
            "E236",
            "'contact.account_id' is not mapped",
            "account_id:",
        ),
        (
            "contact: {object: Contact, fields: {acount_id: AccountId}}",
            2,
            "E232",
            "unknown field 'acount_id'",
            "'account_id'",
        ),
        ("extra: {amount: A__c}", 4, "E242", "a field of every deal already", ""),
        ("extra: {My Code: A__c}", 4, "E242", "not a name that rules could use", ""),
        ("extra: {code: {field: A__c, mode: engine_owned}}", 4, "E237", "never writes an extra field", ""),
        ("extra: {code: {field: A__c, type: datum}}", 4, "E106", "unknown value 'datum'", "'date'"),
        ("where: {field: Type}", 4, "E238", "compares with nothing", "in: "),
        ("key: numbr", 4, "E240", "'numbr' is not a mapped field", ""),
        ("key: stage", 4, "E240", "must be one CRM field, as it is", ""),
        ("links: {deal_contacts: {object: R, from: A, to: B}}", 0, "E245", "unknown link", "'deal_contact'"),
        ("links: {deal_contact: {from: A, to: B}}", 0, "E239", "needs an object", "object:"),
    ],
)
def test_a_mistake_around_the_fields_is_told(more: str, at: int, code: str, message: str, hint: str) -> None:
    (found,) = problems(more, at=at)
    assert found.code == code
    assert message in found.message
    assert hint in found.hint


def test_a_registration_needs_a_key() -> None:
    fields = "{number: N__c, partner_id: P__c, state: S__c}"
    (found,) = problems(f"registration: {{object: R__c, fields: {fields}}}", at=2)
    assert (found.code, found.hint) == ("E240", "add 'key: number'")


def test_two_fields_may_not_write_one_crm_field() -> None:
    (found,) = problems("flags: {field: F, mode: engine_owned}\nnext_action: {field: F, mode: fill_if_empty}")
    assert (found.code, found.where) == ("E235", "m.yaml:13:7")
    assert "written by 'deal.flags'" in found.message


def test_nothing_else_may_be_in_the_field_of_the_fingerprint() -> None:
    (found,) = problems("  next_action: N__c\nfingerprint: N__c", at=4)
    assert (found.code, found.where) == ("E235", "m.yaml:12:7")


def test_an_object_has_one_fingerprint_whatever_kinds_live_in_it() -> None:
    twice = "contact: {object: Opportunity, fingerprint: A__c, fields: {account_id: AccountId}}"
    (found,) = problems(f"{twice}\ntouch: {{object: Opportunity, fingerprint: B__c, "
                        "fields: {partner_id: P, occurred_at: O}}", at=2)  # fmt: skip
    assert (found.code, "two fingerprints" in found.message) == ("E235", True)
    mapped = mapping("fingerprint: A__c", at=4)
    assert mapped.fingerprint_field("Opportunity") == "A__c"
    assert mapped.fingerprint_field("Account") == ""


def test_hubspot_links_must_fit_the_objects() -> None:
    (found,) = problems("links: {deal_partner: {from: deals, to: contacts}}", system="hubspot", at=0)
    assert (found.code, found.hint) == ("E245", "did you mean 'companies'?")
    (found,) = problems("links: {deal_partner: {object: X, from: deals, to: companies}}", system="hubspot", at=0)
    assert found.code == "E239"


def test_kinds_that_the_rules_need_must_be_there() -> None:
    text = "version: 1\nsystem: salesforce\nobjects:\n  acount: {object: Account, fields: {name: Name}}\n"
    with pytest.raises(ConfigError) as caught:
        build_mapping(load_yaml_text(text, "m.yaml"), system="salesforce")
    assert [(d.code, d.message) for d in caught.value.diagnostics] == [
        ("E236", "the kind 'deal' is not mapped, the rules need it"),
        ("E236", "the kind 'partner' is not mapped, the rules need it"),
        ("E231", "unknown kind 'acount'"),
    ]


def test_the_mapping_of_the_other_crm_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text_of())
    with pytest.raises(ConfigError, match="the mapping is for salesforce, the connection is hubspot"):
        load_mapping(path, system="hubspot")


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_file_gives_diagnostics_never_a_traceback(data: st.DataObject) -> None:
    text = Path("config/mappings/salesforce.yaml").read_text()
    lines = text.splitlines(keepends=True)
    start = data.draw(st.integers(9, len(lines) - 1))
    damage = data.draw(st.sampled_from(["drop", "indent", "cut", "swap"]))
    line = lines[start]
    lines[start] = {"drop": "", "indent": "  " + line, "cut": line[: len(line) // 2] + "\n", "swap": line.swapcase()}[
        damage
    ]
    try:
        build_mapping(load_yaml_text("".join(lines), "m.yaml"), system="salesforce")
    except ConfigError as error:
        found = error.diagnostics
    else:
        found = ()
    assert all(d.span and d.hint for d in found)
