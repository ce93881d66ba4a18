"""Loading a policy: every mistake is named with its place and the likely intent."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import crmsync.mappings.schema
from crmsync.diagnostics import Diagnostic
from crmsync.errors import ConfigError
from crmsync.records import FieldType, Stage
from crmsync.rules import FLAGS, Policy, load_policy, load_policy_text, policy_json_schema
from crmsync.rules.policy import PolicyModel
from crmsync.yamlpos import load_yaml

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "config" / "policies" / "baseline.yaml"


def load(text: str, **extra: Any) -> Policy:
    return load_policy_text(dedent(text).lstrip(), "policy.yaml", extra)


def problem(text: str) -> Diagnostic:
    """The only problem of that file."""
    with pytest.raises(ConfigError) as caught:
        load(text)
    (found,) = caught.value.diagnostics
    return found


def test_the_starter_policy_loads() -> None:
    policy = load_policy(STARTER)
    assert policy.model.attribution.lock_days == 14
    assert policy.rule("registration", "length", "value").span.source_line == "  length: {value: 90, unit: days}"


def test_the_starter_policy_names_every_section() -> None:
    left_out = {"scope", "calendars", "incumbency", "reasons", "effective_from"}
    assert set(load_yaml(STARTER).data) == set(PolicyModel.model_fields) - left_out


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        (
            "version: 1\nregistraton: {}",
            "2:1",
            "unknown key 'registraton' in the policy",
            "did you mean 'registration'?",
        ),
        ("version: 1\nuniqueness: {scop: account}", "2:14", "unknown key 'scop'", "did you mean 'scope'?"),
        ("version: 1\nuniqueness: {scope: acount}", "2:21", "unknown value 'acount'", "did you mean 'account'?"),
        (
            "version: 1\ntie_order: [registered, incumbant]",
            "2:25",
            "unknown value 'incumbant'",
            "did you mean 'incumbent'?",
        ),
        ("version: 1\nstale_deals: {by_stage: {propsal: 3}}", "2:26", "'propsal'", "did you mean 'proposal'?"),
        (
            "version: 1\nregistration: {required: [acount_name]}",
            "2:27",
            "'acount_name'",
            "did you mean 'account_name'?",
        ),
        ("version: 1\nregistration: {length: {value: 0}}", "2:32", "found the number 0, wanted more than 0", ""),
        ("version: 1\nregistration: {length: 90}", "2:24", "found the number 90, wanted a mapping", ""),
        ("version: 1\ntasks: {DUP_DEALS: {}}", "2:9", "unknown code 'DUP_DEALS'", "did you mean 'DUP_DEAL'?"),
        ("version: 1\nreasons: {DIRCT: x}", "2:11", "unknown reason code 'DIRCT'", "did you mean 'DIRECT'?"),
        ("version: 1\ntimezone: PST", "2:11", "'PST' is no place", "America/Los_Angeles"),
        ("version: 1\ntimezone: CET", "2:11", "'CET' is no place", "IANA"),
        ("version: 1\ntimezone: Europe/Berln", "2:11", "unknown time zone", "did you mean 'Europe/Berlin'?"),
        (
            "version: 1\napproval: {sla: {unit: business_days, calendar: us}}",
            "2:49",
            "unknown calendar 'us'",
            "calendars",
        ),
        ("version: 1\ncalendars: {us: {country: USX}}", "2:27", "unknown country 'USX'", ""),
        ("version: 1\ncalendars: {us: {country: US, subdivision: NYC}}", "2:44", "unknown subdivision", "'NY'"),
        ("version: 1\nfx: {rates: {April: {EUR: 1.1}}}", "2:14", "wanted a month", "2026-01"),
        ("timezone: UTC", "1:1", "the key 'version' is missing", "version"),
        ("version: 1\nscope: {deals: {when: amount > 'x'}}", "2:23", "cannot compare", ""),
        ("version: 1\nscope: {deals: {when: attribution == 'direct'}}", "2:23", "decided by crmsync", ""),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, place: str, message: str, hint: str) -> None:
    found = problem(text)
    assert str(found.span) == f"policy.yaml:{place}"
    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("when", "place"),
    [
        ("when: amuont > 1", "4:11"),
        ("when: 'amuont > 1'", "4:12"),
        ('when: "is_tender and amuont > 1"', "4:26"),
        ("when: >-\n      is_tender\n      and amuont > 1", "6:11"),
        ("when: |\n      is_tender and\n        amuont > 1", "6:9"),
        ("when: 'name == \"it''s\" and amuont > 1'", "4:32"),
    ],
)
def test_a_condition_points_into_the_line_whatever_its_style(when: str, place: str) -> None:
    found = problem(f"version: 1\nvalidations:\n  - name: v\n    {when}\n    require: [amount]\n")
    assert found.message == "unknown field 'amuont' in a condition on a deal"
    assert str(found.span) == f"policy.yaml:{place}"
    assert found.span
    assert found.span.source_line[found.span.column - 1 : found.span.end_column - 1] == "amuont"


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load(
            """
            version: 1
            validations:
              - {name: a, when: stge == "proposal", require: [lost_reson]}
              - {name: a, when: partner.type == "reseler", require: [lost_reason]}
            """
        )
    codes = [found.code for found in caught.value.diagnostics]
    assert codes == ["E210", "E210", "E222", "E213"]


def test_fields_that_the_mapping_adds_can_be_asked_for() -> None:
    text = "version: 1\nvalidations: [{name: v, when: account.employees > 5, require: [campaign]}]"
    policy = load(text, account={"employees": FieldType("int")}, deal={"campaign": FieldType("text")})
    assert policy.expression("validations", 0, "when")


def test_rules_are_named_and_stand_where_they_are_written() -> None:
    policy = load("version: 1\nvalidations:\n  - {name: late, when: is_tender, require: [amount]}\n")
    assert policy.rule("validations", 0).name == "validations.late"
    assert policy.rule("validations", 0).span.brief == "policy.yaml:3"
    assert policy.rule("extension", "length", "value").name == "extension.length.value"


def test_the_fingerprint_follows_the_meaning() -> None:
    one, same, other = load("version: 1"), load("# why\nversion: '1'\n"), load("version: 1\ntimezone: Asia/Tokyo")
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_numbers_make_versions_too() -> None:
    assert load("version: 2026.1").version == "2026.1"


def test_the_json_schema_knows_keys_and_values() -> None:
    schema = policy_json_schema()
    assert set(schema["properties"]) == set(PolicyModel.model_fields)
    assert schema["additionalProperties"] is False
    assert set(schema["definitions"]["Stage"]["enum"]) == set(Stage)


def test_every_flag_can_be_shown_by_the_crm() -> None:
    assert set(FLAGS) <= set(crmsync.mappings.schema.FLAG_CODES)


def test_what_puts_registrations_on_hold_cannot_be_silenced() -> None:
    with pytest.raises(ConfigError) as caught:
        load_policy_text("version: 1\nfindings: {TENDER: off, CONFLICT_INCUMBENT: off}")
    (problem,) = caught.value.diagnostics
    assert problem.message == "CONFLICT_INCUMBENT puts registrations on hold and cannot be off"
    assert (problem.span.line, problem.span.column) == (2, 45)
