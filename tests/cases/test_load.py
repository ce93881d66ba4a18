"""What a scenario file may say, and what is told where it is wrong."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from crmsync.errors import ConfigError, UsageError
from crmsync.records import FieldType
from tests.cases.conftest import RECORDS, STARTER, Load, problems

CASE = """\
- case: one
  policy: {policy}
  given:
    deal: {deal}
  now: 2026-03-05
  expect: {expect}
"""


def case(policy: str = "{}", deal: str = "{D1: {}}", expect: str = "{}") -> str:
    return CASE.format(policy=policy, deal=deal, expect=expect)


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        (case().replace("case:", "cas:"), "1:3", "unknown key 'cas' in a case", "did you mean 'case'?"),
        (case(deal="{D1: {stagee: x}}"), "4:17", "unknown key 'stagee' in a deal", "did you mean 'stage'?"),
        (case(deal="{D1: {stage: proposl}}"), "4:24", "unknown value 'proposl'", "did you mean 'proposal'?"),
        (case(deal="{D1: {created_at: 7}}"), "4:29", "found the number 7, wanted a date or a time", ""),
        (case(policy="{credit: {requirs: true}}"), "2:21", "unknown key 'requirs' in credit", ""),
        (case(policy="{scope: {deals: {when: 'stag == 1'}}}"), "2:35", "unknown field 'stag'", "did you mean 'stage'?"),
        (case(expect="{finding: []}"), "6:12", "unknown key 'finding' in expect", "did you mean 'findings'?"),
        (case(expect="{findings: [DUP_DEEL deal D1]}"), "6:23", "unknown code 'DUP_DEEL'", "did you mean 'DUP_DEAL'?"),
        (case(expect="{findings: [DUP_DEAL dea D1]}"), "6:23", "unknown kind 'dea'", "did you mean 'deal'?"),
        (case(expect="{present: [DUP_DEAL]}"), "6:22", "found 'DUP_DEAL', wanted a code and a record", ""),
        (case(expect="{deal D1: {atribution: x}}"), "6:22", "unknown key 'atribution' in a deal", ""),
        (case(expect="{deal D1: {attribution: sorced}}"), "6:35", "unknown value 'sorced'", "did you mean 'sourced'?"),
        (case(expect="{deal D1: {attribution.cod: x}}"), "6:22", "unknown aspect 'cod' of a decision", ""),
        (case().replace("now:", "#now:"), "1:9", "the key 'now' is missing in a case", "add 'now:'"),
        (case() + case(), "7:9", "the name 'one' is used twice", ""),
        (case(policy="nowhere.yaml"), "2:11", "there is no policy 'nowhere.yaml' beside this file", ""),
    ],
)
def test_a_mistake_is_shown_at_its_place(load: Load, text: str, place: str, message: str, hint: str) -> None:
    (found,) = problems(load, text)
    assert str(found.span).endswith(f"cases.yaml:{place}")
    assert message in found.message
    assert hint in found.hint


def test_a_case_has_one_form(load: Load) -> None:
    text = case() + "  looks: [{now: 2026-03-05, expect: {}}]\n"
    assert "either 'now' and 'expect', or 'looks', or 'events'" in problems(load, text)[0].message


def test_events_go_forward(load: Load) -> None:
    (found,) = problems(load, "- {case: one, events: [{at: 2026-03-05}, {at: 2026-03-04}]}")
    assert found.message == "events go forward in time, this one goes back"


def test_a_file_may_share_records_among_its_cases(load: Load) -> None:
    shared = f"given: {{deal: {{D1: {{account_id: X}}}}}}\ncases:\n{case(deal='{D1: {stage: proposal}}')}"
    (scenario,) = load(shared)
    assert scenario.given["deal"]["D1"] == {"account_id": "X", "stage": "proposal"}
    assert scenario.given["account"]["X"]["name"] == "Acme GmbH"


def test_defaults_lie_below_what_a_case_gives(load: Load) -> None:
    (scenario,) = load(case().replace("deal: {D1: {}}", "registration: {R1: {partner_id: B}}"))
    assert scenario.given["registration"]["R1"] == {
        "partner_id": "B",
        "account_name": "Acme GmbH",
        "account_domain": "acme.example",
    }


def test_a_policy_is_laid_over_the_projects(load: Load) -> None:
    (scenario,) = load(case(policy="{tie_order: [certified], version: changed}"))
    policy = scenario.policy
    assert (policy.version, policy.model.tie_order) == ("changed", ("certified",))
    assert policy.model.approval.sla is not None
    assert str(policy.rule("tie_order").span).endswith("cases.yaml:2:12")
    assert str(policy.rule("approval", "warn_at").span).startswith(str(STARTER.policy))


def test_the_policy_of_the_baseline_stands_alone_unless_another_is_forced(load: Load) -> None:
    below = RECORDS + "policy: {version: mine}\n"
    (scenario,) = load(case(), below)
    assert (scenario.policy.version, scenario.policy.model.validations) == ("mine", ())
    (scenario,) = load(case(), below, replace(STARTER, is_policy_forced=True))
    assert scenario.policy.model.validations


def test_a_policy_file_is_found_beside_the_case(load: Load, tmp_path: Path) -> None:
    (tmp_path / "next").mkdir()
    (tmp_path / "next" / "policy.txt").write_text("version: next")
    (scenario,) = load(case(policy="next/policy.txt"))
    assert scenario.policy.version == "next"


def test_a_directory_of_versions_is_a_policy(load: Load, tmp_path: Path) -> None:
    versions = tmp_path.parent / f"{tmp_path.name}-versions"
    versions.mkdir()
    (versions / "1.yaml").write_text("version: old\n")
    (versions / "2.yaml").write_text("version: new\neffective_from: 2026-03-01\n")
    settings = replace(STARTER, policy=versions)
    (scenario,) = load(case(), settings=settings)
    assert [version.version for version in scenario.policy.versions] == ["old", "new"]
    (scenario,) = load(case(policy="{tie_order: [certified]}"), settings=settings)
    changed = [(version.version, version.model.tie_order) for version in scenario.policy.versions]
    assert changed == [("old", ("certified",)), ("new", ("certified",))]


def test_extra_fields_are_typed_as_the_mapping_types_them(load: Load) -> None:
    types = {"deal": {"score": FieldType("decimal"), "renewed_on": FieldType("date")}}
    settings = replace(STARTER, extra_types=types)
    (scenario,) = load(case(deal="{D1: {extra: {score: 5, renewed_on: 2026-01-31}}}"), settings=settings)
    assert scenario.given["deal"]["D1"]["extra"] == {"score": Decimal(5), "renewed_on": date(2026, 1, 31)}
    with pytest.raises(ConfigError) as caught:
        load(case(deal="{D1: {extra: {scor: 5, renewed_on: soon}}}"), settings=settings)
    assert [(d.message, d.hint) for d in caught.value.diagnostics] == [
        ("the mapping has no extra field 'scor' of a deal", "did you mean 'score'?"),
        ("found the text 'soon', wanted a date such as 2026-01-31", "change the value"),
    ]


def test_all_files_problems_come_at_once(load: Load, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("- {cas: x}")
    assert {Path(found.span.path).name for found in problems(load, "- {cas: x}") if found.span} == {
        "cases.yaml",
        "other.yaml",
    }


def test_a_folder_without_scenarios_is_named(tmp_path: Path) -> None:
    from crmsync.cases import load_cases

    with pytest.raises(UsageError, match="no scenario in the folder"):
        load_cases([tmp_path], STARTER)
    with pytest.raises(UsageError, match="no file"):
        load_cases([tmp_path / "nowhere.yaml"], STARTER)


def test_a_policy_that_is_wrong_in_itself_is_told(load: Load, tmp_path: Path) -> None:
    (tmp_path / "policy.txt").write_text("version: x\nsurprise: 1\n")
    with pytest.raises(ConfigError, match="surprise"):
        load(case(), settings=replace(STARTER, policy=tmp_path / "policy.txt"))
