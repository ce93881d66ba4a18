"""A programme that changes: what came in before is judged by the terms of then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.errors import ConfigError
from crmsync.records import Account, Deal, Partner, Registration, RegistrationState
from crmsync.rules import Facts, Policy, decide, load_policy, load_policy_text
from tests.rules.test_decide import _difference
from tests.rules.worlds import apply, instants, worlds

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

OLD = "version: old\nregistration: {length: {value: 30, unit: days}}\n"
NEW = "version: new\neffective_from: 2026-02-01\nregistration: {length: {value: 90, unit: days}}\n"


@pytest.fixture(scope="module")
def programme(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    directory = tmp_path_factory.mktemp("programme")
    (directory / "new.yaml").write_text(NEW)
    (directory / "old.yaml").write_text(OLD)
    return load_policy(directory)


def approved(number: str, day: int, month: int, product: str) -> Registration:
    at = datetime(2026, month, day, 12, tzinfo=UTC)
    return Registration(
        id=number, number=number, partner_id="A", account_id="X", account_name="Acme", products=(product,),
        state=RegistrationState.APPROVED, submitted_at=at, approved_at=at,
    )  # fmt: skip


def facts(*registrations: Registration) -> Facts:
    deal = Deal(id="D1", account_id="X", created_at=datetime(2026, 1, 20, tzinfo=UTC), registration_id="R1")
    return Facts(
        accounts=(Account(id="X", name="Acme"),),
        registrations=registrations,
        deals=(deal,),
        partners={"A": Partner(id="A", name="Partner A")},
    )


def test_each_by_the_version_of_its_day(programme: Policy) -> None:
    world = facts(approved("R1", 31, 1, "P1"), approved("R2", 1, 2, "P2"))
    decision = decide(world, programme, datetime(2026, 2, 10, tzinfo=UTC))
    values = {(f.id, f.field): f.value for f in decision.fields}
    assert values["R1", "protection_end"] == date(2026, 3, 2)
    assert values["R1", "policy_version"] == "old"
    assert values["R2", "protection_end"] == date(2026, 5, 2)
    assert values["R2", "policy_version"] == "new"
    assert values["D1", "policy_version"] == "old"


def test_the_day_of_the_change_is_a_boundary(programme: Policy) -> None:
    assert decide(facts(), programme, datetime(2026, 1, 10, tzinfo=UTC)).next_due_at == datetime(2026, 2, 1, tzinfo=UTC)


def test_the_rule_is_told_where_it_stands(programme: Policy) -> None:
    decision = decide(facts(approved("R1", 31, 1, "P1")), programme, datetime(2026, 2, 10, tzinfo=UTC))
    (end,) = (f for f in decision.fields if f.field == "protection_end" and f.kind == "registration")
    assert end.rule.span
    assert Path(end.rule.span.path).name == "old.yaml"


@given(world=worlds(), now=instants, moved=st.booleans())
def test_versions_settle(programme: Policy, world: Facts, now: datetime, moved: bool) -> None:
    policy = programme if not moved else _versions("uniqueness: {second_registrant: reject}", "tie_order: [certified]")
    first = decide(world, policy, now)
    second = decide(apply(world, first), policy, now)
    assert _difference(first, second) == []
    assert second.next_due_at == first.next_due_at


@given(world=worlds(), now=instants)
def test_one_version_that_always_held_is_the_policy_itself(world: Facts, now: datetime) -> None:
    single = load_policy_text(OLD)
    assert _difference(decide(world, single, now), decide(world, replace(single, versions=(single,)), now)) == []


def test_no_dispute_began_before_its_later_claim() -> None:
    """Two records hold a day before the later claim; whichever of them is mended first, the dispute began with that."""
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, tzinfo=UTC)
    dated = {"decided_at": early, "conflict_since": early}
    earlier = Registration(id="R1", account_id="X", state=RegistrationState.APPROVED, **dated)
    dated = {"submitted_at": late, "conflict_since": early}
    later = Registration(id="R2", account_id="X", partner_id="A", state=RegistrationState.SUBMITTED, **dated)
    world = facts(earlier, later)
    policy = load_policy_text(OLD)
    first = decide(world, policy, early)
    assert [f.value for f in first.fields if (f.id, f.field) == ("R2", "conflict_since")] == [late]
    assert _difference(first, decide(apply(world, first), policy, early)) == []


def test_two_versions_of_one_day_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(NEW)
    (tmp_path / "b.yaml").write_text(NEW.replace("new", "newer"))
    with pytest.raises(ConfigError, match="two versions begin on the same day: 'new' and 'newer'"):
        load_policy(tmp_path)


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="found no policy"):
        load_policy(tmp_path)


def _versions(before: str, after: str) -> Policy:
    one = load_policy_text(f"version: old\n{before}")
    other = load_policy_text(f"version: new\neffective_from: 2026-02-15\n{after}")
    return replace(other, versions=(one, other))
