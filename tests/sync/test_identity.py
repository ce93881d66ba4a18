"""Who is alike, from the CRM to the findings: what changed is compared, what people say holds, full = incremental."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crmsync.store.likenesses import LikenessRow
from crmsync.sync.answers import FILE, add_lines, new_line, pair_of
from crmsync.sync.review import Review
from tests.sync.conftest import SYSTEMS, Bench, begin_again
from tests.sync.people import People

both = pytest.mark.parametrize("system", SYSTEMS)


def add_account(people: People, **values: Any) -> str:
    mapped = people.mapping.kind_mappings["account"]
    raw = {
        mapped.fields[name].remote_field: people.mapping.to_remote("account", name, value)
        for name, value in values.items()
    }
    return str(people.crm.create(mapped.object, raw))


def add_twins(people: People) -> tuple[str, str]:
    """Two accounts that any model holds to be the same."""
    one = add_account(people, name="Quarzwerk Hollenbach GmbH", domain="quarzwerk-hollenbach.example", country="DE")
    other = add_account(people, name="Quarzwerk Hollenbach", domain="quarzwerk-hollenbach.example", country="DE")
    return (one, other) if one < other else (other, one)


def pairs(bench: Bench, system: str) -> list[LikenessRow]:
    with bench.session(system) as session:
        return list(session.store.likenesses())


def found(bench: Bench, system: str, code: str) -> dict[str, dict[str, Any]]:
    with bench.session(system) as session:
        return {row.id: row.detail for row in session.store.findings(code=code)}


def sync(bench: Bench, system: str) -> Any:
    bench.box.clock.advance(60)
    return bench.sync(system)


def answer(bench: Bench, word: str, one: str, other: str, kind: str = "account") -> None:
    line = new_line(pair_of(kind, one, other), word, by="eva", at=bench.now)  # type: ignore[arg-type]
    add_lines(bench.directory / FILE, [line])


@both
def test_a_new_twin_is_found_with_score_reasons_and_candidates(tiny_synced: Bench, system: str) -> None:
    one, other = add_twins(People(tiny_synced, system))
    _, report = sync(tiny_synced, system)
    assert report.matching.indexed == 2
    detail = found(tiny_synced, system, "DUP_ACCOUNT")
    assert detail[one]["candidates"] == [other]
    assert detail[one]["score"] > 0.9
    assert "same domain" in detail[one]["reasons"]


@both
def test_only_what_changed_is_compared(tiny_synced: Bench, system: str) -> None:
    people = People(tiny_synced, system)
    add_twins(people)
    sync(tiny_synced, system)
    people.edit("account", people.ids("account")[0], "segment", "retail")
    _, report = sync(tiny_synced, system)
    assert report.matching.indexed <= 1
    _, report = sync(tiny_synced, system)
    assert (report.matching.indexed, report.matching.compared) == (0, 0)


@both
def test_a_pair_ends_with_one_of_its_records(tiny_synced: Bench, system: str) -> None:
    people = People(tiny_synced, system)
    one, other = add_twins(people)
    sync(tiny_synced, system)
    people.delete("account", other)
    sync(tiny_synced, system)
    assert not any(other in (row.one, row.other) for row in pairs(tiny_synced, system))
    assert one not in found(tiny_synced, system, "DUP_ACCOUNT")


@both
def test_a_merge_settles_the_question(tiny_synced: Bench, system: str) -> None:
    people = People(tiny_synced, system)
    one, other = add_twins(people)
    sync(tiny_synced, system)
    people.merge("account", one, other)
    sync(tiny_synced, system)
    assert found(tiny_synced, system, "DUP_ACCOUNT").keys().isdisjoint({one, other})
    plan, _ = tiny_synced.sync(system, full=True)
    assert plan.changes == ()


@both
def test_what_people_reject_is_not_said_again(tiny_synced: Bench, system: str) -> None:
    people = People(tiny_synced, system)
    one, other = add_twins(people)
    sync(tiny_synced, system)
    answer(tiny_synced, "different", one, other)
    sync(tiny_synced, system)
    assert one not in found(tiny_synced, system, "DUP_ACCOUNT")
    people.edit("account", one, "name", "Quarzwerk Hollenbach AG")
    sync(tiny_synced, system)
    assert one not in found(tiny_synced, system, "DUP_ACCOUNT")
    with tiny_synced.session(system) as session:
        assert pair_of("account", one, other) not in {p.pair for p in Review(session).open(everything=True)}


@both
def test_what_people_say_survives_a_lost_store(tiny_synced: Bench, system: str) -> None:
    people = People(tiny_synced, system)
    unlike = sorted((add_account(people, name="Ferdinand Brot", country="DE"), add_account(people, name="Zackenwerk")))
    answer(tiny_synced, "duplicate", *unlike)
    sync(tiny_synced, system)
    assert found(tiny_synced, system, "DUP_ACCOUNT")[unlike[0]]["answered"]
    tiny_synced.forget(system)
    plan, _ = sync(tiny_synced, system)
    assert plan.changes == ()
    assert found(tiny_synced, system, "DUP_ACCOUNT")[unlike[0]]["candidates"] == [unlike[1]]


@both
def test_an_answer_that_is_taken_back_is_forgotten(tiny_synced: Bench, system: str) -> None:
    one, other = add_twins(People(tiny_synced, system))
    answer(tiny_synced, "different", one, other)
    sync(tiny_synced, system)
    (tiny_synced.directory / FILE).unlink()
    sync(tiny_synced, system)
    assert one in found(tiny_synced, system, "DUP_ACCOUNT")


def test_a_name_that_too_many_accounts_have_welds_nobody(tiny_synced: Bench) -> None:
    tiny_synced.edit_yaml("policies/baseline.yaml", "identity:", "identity:\n  shared_above: 5")
    people = People(tiny_synced, "salesforce")
    ids = [add_account(people, name="Testfirma", country="DE") for _ in range(5)]
    sync(tiny_synced, "salesforce")
    with tiny_synced.session("salesforce") as session:
        assert len({session.store.neighbourhood_of("account", i) for i in ids}) == 1
    ids.append(add_account(people, name="Testfirma", country="DE"))
    sync(tiny_synced, "salesforce")
    assert_full_is_incremental(tiny_synced, "salesforce")


@both
def test_a_base_is_indexed_in_parts_as_it_is_in_one(
    tiny_synced: Bench, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_twins(People(tiny_synced, system))
    sync(tiny_synced, system)
    before = pairs(tiny_synced, system)
    monkeypatch.setattr("crmsync.sync.identity.CHUNK", 3)
    monkeypatch.setattr("crmsync.sync.identity.BULK", 7)
    tiny_synced.forget(system)
    sync(tiny_synced, system)
    assert pairs(tiny_synced, system) == before


def assert_full_is_incremental(bench: Bench, system: str) -> None:
    before = pairs(bench, system), snapshot(bench, system)
    plan, _ = bench.sync(system, full=True)
    assert plan.changes == ()
    assert (pairs(bench, system), snapshot(bench, system)) == before


def snapshot(bench: Bench, system: str) -> list[tuple[Any, ...]]:
    with bench.session(system) as session:
        return sorted((r.code, r.kind, r.id, r.subject, r.message, str(r.detail)) for r in session.store.findings())


# ------------------------------------------------------------------ incremental = full


def _rename(people: People, one: int, two: int) -> None:
    accounts = people.ids("account")
    source = people.value("account", accounts[two % len(accounts)], "name")
    people.edit("account", accounts[one % len(accounts)], "name", source)


def _add(people: People, one: int, two: int) -> None:
    accounts = people.ids("account")
    name = people.value("account", accounts[one % len(accounts)], "name")
    add_account(people, name=f"{name}{' GmbH' if two % 2 else ''}", country=("DE", "US")[two % 2])


def _delete(people: People, one: int, two: int) -> None:
    people.delete("contact", people.ids("contact")[one % len(people.ids("contact"))])


def _say(people: People, one: int, two: int) -> None:
    accounts = people.ids("account")
    first, second = accounts[one % len(accounts)], accounts[two % len(accounts)]
    if first != second:
        answer(people.bench, ("duplicate", "related", "different", "skip")[one % 4], first, second)


def _family(people: People, one: int, two: int) -> None:
    accounts = people.ids("account")
    if people.system == "salesforce" and one % len(accounts) != two % len(accounts):
        people.edit("account", accounts[one % len(accounts)], "parent_id", accounts[two % len(accounts)])


STEPS: tuple[Callable[[People, int, int], None], ...] = (_rename, _add, _delete, _say, _family)


@both
@settings(max_examples=4, deadline=None, phases=[Phase.generate], derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 40), st.integers(0, 40)), min_size=3, max_size=8))
def test_incremental_is_full(stage: Bench, tiny_world_synced: Any, system: str, steps: list[Any]) -> None:
    begin_again(stage, tiny_world_synced)
    people = People(stage, system)
    for number, (step, one, two) in enumerate(steps):
        step(people, one, two)
        if number % 2:
            sync(stage, system)
    sync(stage, system)
    assert_full_is_incremental(stage, system)
