"""Every field that crmsync ever wrote explains itself, by whatever name one asks."""

from __future__ import annotations

import pytest

from crmsync.errors import UsageError
from crmsync.sync.why import Explanation, explain
from tests.sync.conftest import SYSTEMS, Bench
from tests.sync.people import People

pytestmark = pytest.mark.parametrize("system", SYSTEMS)


def ask(bench: Bench, system: str, record: str, field: str | None = None) -> Explanation:
    with bench.session(system) as session:
        return explain(session.store, session.mapping, record, field)


def protected_deal(bench: Bench, system: str) -> str:
    people = People(bench, system)
    return next(deal for deal in people.ids("deal") if people.value("deal", deal, "protection_end"))


def test_by_id_by_kind_by_number_and_by_part_of_a_name(tiny_synced: Bench, system: str) -> None:
    people, deal = People(tiny_synced, system), protected_deal(tiny_synced, system)
    name = people.value("deal", deal, "name")
    number = str(people.value("deal", deal, "registration_id"))
    for record in (deal, f"deal:{deal}", name, f"deal: {name[:-2].lower()}"):
        assert ask(tiny_synced, system, record).id == deal
    assert ask(tiny_synced, system, number.lower()).kind == "registration"


def test_a_field_tells_its_rule_its_line_and_every_write(tiny_synced: Bench, system: str) -> None:
    deal = protected_deal(tiny_synced, system)
    tiny_synced.edit_yaml("policies/baseline.yaml", "value: 90", "value: 100")
    tiny_synced.sync(system)
    (story,) = ask(tiny_synced, system, deal, "protection_end").fields
    assert story.where.startswith("policies/baseline.yaml:")
    assert [write.run_id for write in story.history] == ["r-0003", "r-0002"] or len(story.history) == 2
    assert story.history[0].old == story.history[1].new
    assert ask(tiny_synced, system, deal, story.remote_field).fields == [story]


def test_a_word_that_fits_many_names_them(tiny_synced: Bench, system: str) -> None:
    with pytest.raises(UsageError, match=r"fits \d+ records") as caught:
        ask(tiny_synced, system, "a")
    assert caught.value.hint.count(":") >= 3


def test_a_near_miss_is_told(tiny_synced: Bench, system: str) -> None:
    deal = protected_deal(tiny_synced, system)
    for record, field, meant in ((deal, "protection_ends", "protection_end"), (f"deals:{deal}", None, "deal")):
        with pytest.raises(UsageError) as caught:
            ask(tiny_synced, system, record, field)
        assert f"did you mean '{meant}'?" in caught.value.hint
    for record in ("", "nobody has this name"):
        with pytest.raises(UsageError) as caught:
            ask(tiny_synced, system, record)
        assert "registration number" in caught.value.hint


def test_a_deleted_record_still_tells_what_was_written(tiny_synced: Bench, system: str) -> None:
    people, deal = People(tiny_synced, system), protected_deal(tiny_synced, system)
    people.delete("deal", deal)
    tiny_synced.box.clock.advance(60)
    tiny_synced.sync(system)
    story = ask(tiny_synced, system, deal)
    assert (story.deleted, story.findings) == (True, [])
    told = {field.field: field for field in story.fields}
    assert told["protection_end"].history[0].status == "ok"
    assert told["protection_end"].reason
