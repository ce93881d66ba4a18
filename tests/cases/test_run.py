"""Every statement of ``expect`` fails where it should, and says why."""

import pytest

from crmsync.cases import failure_lines
from crmsync.cases.modes import starter_mode
from crmsync.mappings import load_mapping
from crmsync.rules.fields import WRITTEN
from crmsync.starter import starter_dir
from tests.cases.conftest import Load, run

HELD = """\
- case: held
  given:
    partner: {B: {name: South, type: reseller, status: active, agreement_status: active}}
    registration:
      R1: {number: R1, state: approved, submitted_at: 2026-03-01, approved_at: 2026-03-02}
      R2: {number: R2, partner_id: B, state: submitted, submitted_at: 2026-03-05}
  now: 2026-03-05T12:00
  expect: EXPECT
"""


@pytest.mark.parametrize(
    "expect",
    [
        "{findings: [CONFLICT_PARTNER registration R2]}",
        "{present: [CONFLICT_PARTNER registration R2], absent: [DUP_DEAL, CONFLICT_PARTNER registration R1]}",
        "{messages: {CONFLICT_PARTNER registration R2: R1 of North claims}}",
        "{winner: {registration R2: R1}}",
        "{opened: [CONFLICT_PARTNER registration R2], cleared: []}",
        "{next_due: 2026-03-10}",
        "{registration R2: {state: on_hold, blocked_by: R1, closure_code: null}}",
        "{registration R2: {state.code: CONFLICT_PARTNER, state.rule: uniqueness.second_registrant}}",
        "{registration R2: {conflict_status.trace: 'approved outranks pending: R1'}}",
    ],
)
def test_what_holds(load: Load, expect: str) -> None:
    result = run(load, HELD.replace("EXPECT", expect))
    assert result.passed, "\n".join(failure_lines(result))


@pytest.mark.parametrize(
    ("expect", "lines"),
    [
        ("{findings: []}", ["findings: CONFLICT_PARTNER registration R2", "expected  not there", "got       there"]),
        ("{present: [DUP_DEAL deal D1]}", ["present: DUP_DEAL deal D1", "got       missing"]),
        ("{absent: [CONFLICT_PARTNER]}", ["absent: CONFLICT_PARTNER", "rule      uniqueness.scope"]),
        ("{messages: {CONFLICT_PARTNER registration R2: x y z}}", ["expected  x y z", "got       R1 of North claims"]),
        ("{winner: {registration R2: R2}}", ["winner for registration R2", "expected  R2", "got       R1"]),
        ("{winner: {registration R1: R2}}", ["got       (blank)", "no conflict was found about the record"]),
        ("{tasks: [x]}", ["expected  [x]"]),
        ("{next_due: null}", ["expected  (blank)", "got       2026-03-10"]),
        (
            "{registration R2: {state: rejected}}",
            ["got       on_hold", "On hold: R1 comes first."],
        ),
        ("{registration R2: {state.evidence: [x]}}", ["registration R2 state.evidence", "expected  [x]"]),
        ("{registration R9: {state: approved}}", ["nothing was decided for this field"]),
        ("{cleared: [DUP_DEAL deal D1]}", ["cleared: DUP_DEAL deal D1", "got       missing"]),
    ],
)
def test_what_does_not_hold_is_told_with_its_reason(load: Load, expect: str, lines: list[str]) -> None:
    result = run(load, HELD.replace("EXPECT", expect))
    told = "\n".join(failure_lines(result))
    assert not result.passed
    assert "cases.yaml:8" in told
    assert [line for line in lines if line not in told] == [], told


STORY = """\
- case: a story
  given:
    registration: {R1: {number: R1, state: submitted, submitted_at: 2026-02-20T09:00}}
  events:
    - at: 2026-02-22T10:00
      expect: {opened: [SLA_BREACH registration R1], registration R1: {account_id: X}}
    - at: 2026-02-22T15:00
      set:
        registration:
          R1: {state: approved, approved_at: 2026-02-22T15:00, account_domain: other.example, account_name: Other}
      expect:
        cleared: [SLA_BREACH registration R1]
        registration R1: {account_id: X, protection_end: 2026-05-23}
    - at: 2026-05-24
    - at: 2026-06-30
      expect:
        opened: []
        registration R1: {state: expired}
"""


def test_what_was_decided_is_there_in_the_next_event(load: Load) -> None:
    result = run(load, STORY)
    assert result.passed, "\n".join(failure_lines(result))
    assert len(result.decisions) == 4


def test_a_look_leaves_nothing_behind(load: Load) -> None:
    text = """\
- case: looks
  given: {registration: {R1: {number: R1, state: approved, submitted_at: 2026-02-01, approved_at: 2026-02-01}}}
  looks:
    - {now: 2026-08-01, expect: {registration R1: {state: expired}}}
    - {now: 2026-02-02, expect: {registration R1: {state: approved}}}
    - {now: 2026-02-02, given: {registration: {R1: null}}, expect: {findings: []}}
"""
    assert run(load, text).passed


def test_a_field_that_may_not_be_written_stays(load: Load) -> None:
    from crmsync.cases import run_scenario

    (scenario,) = load(STORY)
    failures = run_scenario(scenario, lambda _kind, _field: "read_only").failures
    assert {failure.what for failure in failures} >= {"registration R1 account_id"}


@pytest.mark.parametrize("system", ["salesforce", "hubspot"])
def test_the_modes_are_those_of_the_starters_mapping(system: str) -> None:
    mapping = load_mapping(starter_dir() / "mappings" / f"{system}.yaml", system=system)
    fields = [mapping.field(kind, name) for kind, names in WRITTEN.items() for name in names]
    assert {(f.kind, f.field): f.mode for f in fields if f} == {
        (f.kind, f.field): starter_mode(f.kind, f.field) for f in fields if f
    }
