from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.errors import StoreError
from crmsync.remote import RemoteLink, RemoteRecord
from crmsync.store import Store
from tests.store.conftest import NOW, record


def save(store: Store, *records: RemoteRecord, merge: bool = False, cursor: str = "c") -> list[str]:
    return store.save_page("deals", records, {"at": cursor}, run_id="r-0001", merge=merge)


def test_a_page_comes_back_as_it_was_saved(store: Store) -> None:
    links = (RemoteLink("companies", "7", ("primary", "Partner")),)
    saved = RemoteRecord("1", {"amount": "12", "name": "Ac\u2028me\x1b", "none": None, "n": 1.5}, NOW, links=links)
    assert save(store, saved) == ["1"]
    loaded = store.row("deals", "1")
    assert loaded is not None
    assert loaded.fields == saved.fields
    assert loaded.modified_at == NOW
    assert [(link.to_id, set(link.labels)) for link in loaded.links or ()] == [("7", {"primary", "Partner"})]
    assert store.cursor("deals") == {"at": "c"}
    assert store.objects() == ["deals"]


def test_only_new_content_is_a_change(store: Store) -> None:
    links = (RemoteLink("a", "1"), RemoteLink("b", "2", ("x", "y")))
    save(store, RemoteRecord("1", {"a": 1, "b": 2}, NOW, links=links))
    store.clear_pending(store.pending())
    touched = RemoteRecord("1", {"b": 2, "a": 1}, NOW + timedelta(minutes=1), links=(links[1], links[0]))
    assert save(store, touched) == []
    assert store.pending() == []
    loaded = store.row("deals", "1")
    assert loaded is not None
    assert loaded.modified_at == touched.modified_at


def test_a_changed_row_is_pending_until_it_is_cleared(store: Store) -> None:
    save(store, record("1", a=1), record("2", a=1))
    store.clear_pending([("deals", "2")])
    assert store.pending() == [("deals", "1")]
    store.mark_pending([("deals", "9")])
    assert store.pending() == [("deals", "1"), ("deals", "9")]


def test_the_last_row_of_a_page_wins(store: Store) -> None:
    assert save(store, record("1", a=1), record("1", a=2)) == ["1"]
    assert [row.fields for row in store.rows("deals")] == [{"a": 2}]


def test_merging_keeps_fields_that_the_page_does_not_name(store: Store) -> None:
    save(store, record("1", a=1, b=1))
    save(store, record("1", b=2), merge=True)
    assert store.row("deals", "1") == record("1", a=1, b=2)
    save(store, record("1", b=3))
    assert store.row("deals", "1") == record("1", b=3)


def test_a_tombstone_keeps_what_the_record_was(store: Store) -> None:
    save(store, record("1", name="Acme"))
    assert save(store, RemoteRecord("1", {}, NOW, deleted=True)) == ["1"]
    row = store.row("deals", "1")
    assert row is not None
    assert (row.deleted, row.fields) == (True, {"name": "Acme"})
    assert list(store.rows("deals")) == []
    assert [r.id for r in store.rows("deals", include_deleted=True)] == ["1"]
    assert store.count("deals") == 0


def test_a_failing_page_keeps_neither_rows_nor_cursor(store: Store) -> None:
    def failing() -> None:
        with store.transaction():
            save(store, record("1", a=1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert store.cursor("deals") is None
    assert store.row("deals", "1") is None


def test_rows_by_id_come_in_the_asked_order_without_the_missing(store: Store) -> None:
    save(store, *(record(str(i), a=i) for i in range(1200)))
    wanted = ["700", "x", "3", *(str(i) for i in range(600, 0, -1))]
    found = [row.id for row in store.rows("deals", wanted)]
    assert found[:2] == ["700", "3"]
    assert len(found) == 601
    assert store.count("deals") == len(list(store.rows("deals"))) == len(list(store.object_ids("deals"))) == 1200


def test_reading_goes_on_while_rows_are_written(store: Store) -> None:
    save(store, *(record(f"{i:04d}", a=i) for i in range(1100)))
    for row in store.rows("deals"):
        store.update_mirror("deals", row.id, {"seen": True})
    assert all(row.fields["seen"] for row in store.rows("deals"))


class TestFullPull:
    def test_what_it_did_not_bring_is_gone(self, store: Store) -> None:
        save(store, record("1"), record("2"), record("3"))
        store.clear_pending(store.pending())
        store.reset_object("deals", "f2")
        store.begin_full("deals", "r-0002")
        save(store, record("1"), record("3"))
        assert store.finish_full("deals", "r-0002") == ["2"]
        assert store.pending() == [("deals", "2")]
        assert [row.id for row in store.rows("deals")] == ["1", "3"]
        assert store.fingerprint("deals") == "f2"

    def test_rows_stay_until_it_has_passed(self, store: Store) -> None:
        save(store, record("1"))
        store.reset_object("deals", "f2")
        assert store.cursor("deals") is None
        assert store.count("deals") == 1

    def test_one_that_was_cut_off_goes_on_with_what_it_saw(self, store: Store) -> None:
        save(store, record("1"), record("2"), record("3"))
        store.reset_object("deals", "f1")
        store.begin_full("deals", "r-0002")
        save(store, record("1"), cursor="half")
        store.begin_full("deals", "r-0003")
        assert store.full_run("deals") == "r-0002"
        save(store, record("2"), cursor="end")
        assert store.finish_full("deals", "r-0003") == ["3"]
        assert store.full_run("deals") is None

    def test_without_a_beginning_nothing_is_gone(self, store: Store) -> None:
        save(store, record("1"))
        assert store.finish_full("deals", "r-0002") == []


def test_deleting_makes_pending_once(store: Store) -> None:
    save(store, record("1"), record("2"))
    store.clear_pending(store.pending())
    store.mark_deleted("deals", ["1", "unknown"])
    store.clear_pending(store.pending())
    store.mark_deleted("deals", ["1"])
    assert store.pending() == []
    assert store.integrity() == []


def test_our_own_write_does_not_come_back_as_a_change(store: Store) -> None:
    save(store, record("1", a="old", b="x"))
    store.update_mirror("deals", "1", {"a": "new"})
    assert save(store, record("1", a="new", b="x")) == []


def test_what_we_created_is_in_the_mirror(store: Store) -> None:
    store.update_mirror("deals", "5", {"a": "new"})
    assert store.row("deals", "5") == RemoteRecord("5", {"a": "new"})


class TestMerges:
    def test_ids_lead_to_the_survivor_of_a_chain(self, store: Store) -> None:
        store.alias("deals", "1", "2")
        store.alias("deals", "2", "3")
        assert store.resolve("deals", "1") == "3"
        assert store.aliases("deals") == {"1": "3", "2": "3"}
        assert store.resolve("deals", "9") == "9"

    def test_a_page_that_tells_of_one_is_enough(self, store: Store) -> None:
        save(store, RemoteRecord("1", {}, NOW, deleted=True, merged_into="2"))
        assert store.resolve("deals", "1") == "2"

    def test_the_later_word_breaks_a_circle(self, store: Store) -> None:
        store.alias("deals", "1", "2")
        store.alias("deals", "2", "1")
        assert (store.resolve("deals", "1"), store.resolve("deals", "2")) == ("1", "1")


def test_a_flipped_bit_is_found(store: Store) -> None:
    save(store, record("1", name="Acme"))
    store._conn.execute("UPDATE mirror SET body = replace(body, 'Acme', 'Acne')")
    with pytest.raises(StoreError, match="damaged: a row of deals") as caught:
        store.row("deals", "1")
    assert "delete it" in caught.value.hint
    assert store.integrity() == [caught.value.message]


def told(row: RemoteRecord | None) -> object:
    """A record such that 1, 1.0 and True differ, as they do in JSON."""
    return row and (row.id, row.deleted, sorted((name, repr(value)) for name, value in row.fields.items()))


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
ROWS = st.dictionaries(st.text(min_size=1), VALUES, max_size=4)


@settings(max_examples=40, deadline=None)
@given(
    pages=st.lists(st.lists(st.tuples(st.sampled_from("abc"), ROWS, st.booleans()), max_size=4), min_size=1, max_size=5)
)
def test_the_mirror_is_the_last_word_of_each_record(
    pages: list[list[tuple[str, dict[str, object], bool]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    model: dict[str, RemoteRecord] = {}
    with Store.open(tmp_path_factory.mktemp("store") / "s.db") as store:
        for page in pages:
            records = [RemoteRecord(i, fields, NOW, deleted) for i, fields, deleted in page]  # type: ignore[arg-type]
            changed = set(save(store, *records))
            before = dict(model)
            for row in {row.id: row for row in records}.values():
                kept = before[row.id].fields if row.deleted and not row.fields and row.id in before else row.fields
                model[row.id] = RemoteRecord(row.id, kept, NOW, row.deleted)
            assert changed == {i for i in model if told(model[i]) != told(before.get(i))}
        assert [told(row) for row in store.rows("deals", include_deleted=True)] == [
            told(model[i]) for i in sorted(model)
        ]
