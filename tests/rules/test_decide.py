"""What holds for every decision, whatever the neighbourhood: it settles, it has no order, it knows when it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.records import KINDS
from crmsync.rules import Decision, Facts, Policy, decide
from crmsync.rules.fields import WRITTEN
from tests.rules.worlds import POLICIES, apply, instants, worlds

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

anything = given(facts=worlds(), policy=st.sampled_from(POLICIES), now=instants)


@anything
def test_settles(facts: Facts, policy: Policy, now: datetime) -> None:
    first = decide(facts, policy, now)
    second = decide(apply(facts, first), policy, now)
    assert _difference(first, second) == []
    # what is decided now may have no later boundary; looking too early is idle, looking too late would be wrong
    assert second.next_due_at is None or first.next_due_at is None or second.next_due_at >= first.next_due_at
    assert first.next_due_at is not None or second.next_due_at is None
    assert second.credits == first.credits


@given(facts=worlds(), policy=st.sampled_from(POLICIES), now=instants, random=st.randoms())
def test_the_order_of_the_facts_does_not_matter(facts: Facts, policy: Policy, now: datetime, random: Random) -> None:
    assert decide(_shuffled(facts, random), policy, now) == decide(facts, policy, now)


@anything
def test_nothing_changes_before_it_is_due(facts: Facts, policy: Policy, now: datetime) -> None:
    decision = decide(facts, policy, now)
    due = decision.next_due_at
    assert due is None or due > now
    later = decide(facts, policy, due - timedelta(microseconds=1) if due else now + timedelta(days=400))
    assert _difference(decision, later) == []


@anything
def test_the_clock_jumps_from_boundary_to_boundary(facts: Facts, policy: Policy, now: datetime) -> None:
    """Deciding at every due instant, and just before the next, is deciding at every instant."""
    at, decision = now, decide(facts, policy, now)
    for _ in range(12):
        due = decision.next_due_at
        if due is None:
            break
        assert due > at
        for moment in (at + (due - at) / 2, due - timedelta(microseconds=1)):
            between = decide(facts, policy, moment)
            assert _difference(decision, between) == []
            assert between.next_due_at == due
        at, decision = due, decide(facts, policy, due)


@anything
def test_every_decision_is_explained(facts: Facts, policy: Policy, now: datetime) -> None:
    decision = decide(facts, policy, now)
    for field in decision.fields:
        assert field.field in WRITTEN[field.kind]
        assert field.reason
        assert field.code
        assert field.rule.span
    assert len({(f.kind, f.id, f.field) for f in decision.fields}) == len(decision.fields)


@anything
def test_sellers_read_short_texts_that_name_no_partner(facts: Facts, policy: Policy, now: datetime) -> None:
    for field in decide(facts, policy, now).fields:
        if field.field in ("attribution_reason", "next_action") and isinstance(field.value, str):
            assert len(field.value) <= 255
            assert "Partner " not in field.value


def test_written_fields_exist() -> None:
    for kind, names in WRITTEN.items():
        assert set(names) <= set(KINDS[kind].__dataclass_fields__)


def _difference(one: Decision, other: Decision) -> list[Any]:
    """What is in one of them only: fields with their values, findings."""
    mine = {*_values(one).items(), *_findings(one)}
    theirs = {*_values(other).items(), *_findings(other)}
    return sorted(mine ^ theirs, key=str)


def _values(decision: Decision) -> dict[tuple[str, str, str], Any]:
    """What is not blank: a blank that stays blank need not be said."""
    return {(f.kind, f.id, f.field): f.value for f in decision.fields if f.value not in (None, ())}


def _findings(decision: Decision) -> set[tuple[str, ...]]:
    return {(f.code, f.kind, f.id, f.subject, f.message) for f in decision.findings}


def _shuffled(facts: Facts, random: Random) -> Facts:
    names = ("accounts", "contacts", "deals", "registrations", "touches", "links", "certifications")
    mixed = {name: tuple(random.sample(getattr(facts, name), len(getattr(facts, name)))) for name in names}
    partners = dict(random.sample(sorted(facts.partners.items()), len(facts.partners)))
    return replace(facts, **mixed, partners=partners)
