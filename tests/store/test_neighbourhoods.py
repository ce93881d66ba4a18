from datetime import timedelta

from crmsync.store import Store
from tests.store.conftest import NOW, decision, finding


def test_records_meet_by_key(store: Store) -> None:
    store.save_keys("deal", "1", {"account:7", "domain:acme.example"})
    store.save_keys("registration", "2", {"domain:acme.example"})
    store.save_keys("deal", "3", {"account:8"})
    assert store.members({"domain:acme.example", "none"}) == {("deal", "1"), ("registration", "2")}
    assert store.members([f"x:{i}" for i in range(1200)] + ["account:8"]) == {("deal", "3")}
    assert store.members([]) == set()


def test_keys_are_replaced(store: Store) -> None:
    store.save_keys("deal", "1", {"a", "b"})
    store.save_keys("deal", "1", {"b", "c"})
    assert store.keys("deal", "1") == {"b", "c"}
    store.drop_keys("deal", "1")
    assert store.keys("deal", "1") == frozenset()
    assert store.members({"b"}) == set()


def test_a_neighbourhood_is_due_from_its_instant_on(store: Store) -> None:
    store.save_neighbourhood("a", [("deal", "1")], [], NOW)
    store.save_neighbourhood("b", [("deal", "2")], [], None)
    assert store.due(NOW - timedelta(microseconds=1)) == set()
    assert store.due(NOW) == {"a"}


def test_a_watched_record_wakes_those_that_watch_it(store: Store) -> None:
    store.save_neighbourhood("a", [("deal", "1")], ["partner:9", "partner:8"], None)
    store.save_neighbourhood("b", [("deal", "2")], ["partner:9"], None)
    assert store.watching(["partner:9"]) == {"a", "b"}
    assert store.watching(["partner:8", "partner:7"]) == {"a"}
    store.save_neighbourhood("b", [("deal", "2")], [], None)
    assert store.watching(["partner:9"]) == {"a"}


def test_a_neighbourhood_replaces_those_that_shared_a_member(store: Store) -> None:
    store.save_neighbourhood("a", [("deal", "1")], ["w"], NOW)
    store.save_neighbourhood("b", [("deal", "2"), ("deal", "3")], ["w"], NOW)
    store.save_neighbourhood("a", [("deal", "1"), ("deal", "2")], [], None)
    assert store.neighbourhood_members("a") == {("deal", "1"), ("deal", "2")}
    assert store.neighbourhood_members("b") == set()
    assert store.neighbourhood_of("deal", "2") == "a"
    assert store.neighbourhood_of("deal", "3") is None
    assert (store.due(NOW), store.watching(["w"])) == (set(), set())


class TestFollowing:
    """Findings and decisions follow their records through splits and merges."""

    def save(self, store: Store, root: str, *ids: str) -> tuple[int, int]:
        store.save_neighbourhood(root, [("deal", i) for i in ids], [], None)
        store.save_decisions(root, [decision(i) for i in ids])
        return store.save_findings(root, [finding(i) for i in ids], run_id="r-0002", now=NOW)

    def test_a_split_neither_clears_nor_opens(self, store: Store) -> None:
        assert self.save(store, "a", "1", "2") == (2, 0)
        assert self.save(store, "a", "1") == (0, 0)
        assert store.decision("deal", "2") != []
        assert self.save(store, "b", "2") == (0, 0)
        assert store.clear_orphans(run_id="r-0002", now=NOW) == 0
        assert {row.id for row in store.findings()} == {"1", "2"}

    def test_a_merge_neither_clears_nor_opens(self, store: Store) -> None:
        self.save(store, "a", "1")
        self.save(store, "b", "2")
        assert self.save(store, "a", "1", "2") == (0, 0)
        assert store.decision("deal", "2") != []

    def test_a_record_that_left_takes_its_findings_along(self, store: Store) -> None:
        self.save(store, "a", "1", "2")
        self.save(store, "a", "1")
        assert store.clear_orphans(run_id="r-0003", now=NOW) == 1
        assert [row.id for row in store.findings()] == ["1"]
        assert store.decision("deal", "2") == []

    def test_a_neighbourhood_without_members_is_forgotten(self, store: Store) -> None:
        self.save(store, "a", "1")
        store.drop_neighbourhood("a")
        assert store.clear_orphans(run_id="r-0003", now=NOW) == 1
        assert store.decision("deal", "1") == []
