"""The blocking index: it finds who shares a key, counts what occurs, and forgets what is gone."""

from __future__ import annotations

import sqlite3

import pytest

from crmsync.errors import StoreError
from crmsync.store import Store
from crmsync.store.blocks import Prepared
from crmsync.store.likenesses import AnswerRow, LikenessRow


def company(record_id: str, name: str, *more: str, kind: str = "account") -> Prepared:
    return Prepared(kind, record_id, f'{{"name":"{name}"}}', (f"name:{name}", *more), (("name", name),))


def found(store: Store, *keys: str, block_cap: int = 10, cap: int = 10) -> list[str]:
    return sorted(store.candidates("account", keys, block_cap=block_cap, cap=cap).ids)


def add_all(store: Store, records: list[Prepared]) -> None:
    with store.transaction():
        store.begin_bulk()
        store.add_bulk(records[: len(records) // 2])
        store.add_bulk(records[len(records) // 2 :])
        store.end_bulk()


def content(store: Store) -> list[object]:
    """Everything that the index holds, whatever numbers the records have."""
    numbers = dict(store._rows("SELECT no, kind || id FROM prepared"))
    keys = sorted((key, numbers[no]) for key, no in store._rows("SELECT key, no FROM blk"))
    return [keys, store._rows("SELECT term, n FROM term_counts ORDER BY term"),
            store._rows("SELECT kind, id, body FROM prepared ORDER BY kind, id")]  # fmt: skip


def test_records_that_share_a_key_find_each_other(store: Store) -> None:
    store.save_prepared(company("1", "acme", "d:acme.example"), None)
    store.save_prepared(company("2", "acme group", "d:acme.example"), None)
    store.save_prepared(company("3", "globex", kind="contact"), None)
    assert found(store, "d:acme.example") == ["1", "2"]
    assert found(store, "name:globex") == [], "another kind"


def test_a_key_that_too_many_share_is_left_out_and_named(store: Store) -> None:
    for number in range(12):
        store.save_prepared(company(str(number), "test"), None)
    near = store.candidates("account", ["name:test"], block_cap=10, cap=10)
    assert (near.ids, near.hot) == ({}, ("name:test",))


def test_of_too_many_candidates_those_stay_that_share_most(store: Store) -> None:
    for number in range(6):
        store.save_prepared(company(str(number), "acme", *(["city:x"] if number == 4 else [])), None)
    near = store.candidates("account", ["name:acme", "city:x"], block_cap=10, cap=2)
    assert ("4" in near.ids, len(near.ids), near.dropped) == (True, 2, 4)


def test_a_record_that_changes_is_found_by_what_it_is_now(store: Store) -> None:
    before, after = company("1", "acme"), company("1", "globex")
    store.save_prepared(before, None)
    store.save_prepared(after, before)
    assert (found(store, "name:acme"), found(store, "name:globex")) == ([], ["1"])
    assert store.frequency("account", "name", "acme") == (0, 1)
    assert store.frequency("account", "name", "globex") == (1, 1)


def test_nothing_is_left_of_a_record_that_is_gone(store: Store) -> None:
    empty = content(store)
    store.save_prepared(company("1", "acme"), None)
    store.drop_prepared(company("1", "acme"))
    assert content(store) == empty


def test_a_bulk_build_gives_the_same_index(store: Store) -> None:
    records = [company(str(n), f"n{n % 7}", f"city:{n % 3}") for n in range(50)]
    for record in records:
        store.save_prepared(record, None)
    one_by_one = content(store)
    store.clear_index()
    add_all(store, records)
    assert content(store) == one_by_one


def test_a_transaction_that_fails_takes_the_index_back(store: Store) -> None:
    empty = content(store)
    twice = [company("1", "acme"), company("1", "acme")]
    with pytest.raises(StoreError):
        add_all(store, twice)
    assert content(store) == empty


def test_odd_texts_are_keys_like_any_other(store: Store) -> None:
    for number, name in enumerate(("", "x" * 10_000, "🦊" * 50, "شركة", "\ud800", "a\x00b")):
        record = company(str(number), "n", f"t:{name}")
        store.save_prepared(record, None)
        assert found(store, f"t:{name}") == [str(number)]


# ------------------------------------------------------------------ pairs


def pair(one: str, other: str, probability: float = 0.9) -> LikenessRow:
    return LikenessRow("account", one, "account", other, "duplicate", probability, 0.05, 8.5,
                       (("name", "same", 8.5, "same name"),), "m1")  # fmt: skip


def test_a_pair_is_found_from_either_side(store: Store) -> None:
    store.save_likenesses([], [pair("1", "2"), pair("2", "3")])
    assert [(p.one, p.other) for p in store.likenesses_of("account", "2")] == [("1", "2"), ("2", "3")]
    assert store.likenesses_of("account", "1")[0].partner_of("account", "1") == ("account", "2")
    assert store.likenesses_of("contact", "2") == []


def test_pairs_come_back_as_they_were_kept(store: Store) -> None:
    store.save_likenesses([], [pair("1", "2", 0.3), pair("2", "3", 0.8)])
    assert list(store.likenesses("account")) == [pair("2", "3", 0.8), pair("1", "2", 0.3)]
    store.save_likenesses([pair("1", "2")], [])
    assert store.likeness_count() == 1


def test_answers_replace_each_other(store: Store) -> None:
    store.save_answers([AnswerRow("account", "1", "2", "duplicate")])
    store.save_answers([AnswerRow("account", "1", "3", "related")])
    assert store.answers() == {("account", "1", "3"): "related"}


def test_the_index_survives_a_look_from_outside(store: Store) -> None:
    store.save_likenesses([], [pair("1", "2")])
    with sqlite3.connect(store.path) as conn:
        assert conn.execute("SELECT kind, one, other, verdict FROM alike_records").fetchall() == [
            ("account", "1", "2", "duplicate")
        ]
