"""Decisions, findings, runs and the journal: what a person asks about later."""

from dataclasses import replace
from datetime import timedelta

from crmsync.store import Store
from tests.store.conftest import NOW, decision, finding, intent

LATER = NOW + timedelta(hours=1)


class TestDecisions:
    def test_they_come_back_as_they_were(self, store: Store) -> None:
        rows = [decision("1"), decision("1", "protection_end", '"2027-01-31"'), decision("1", "flags", '["A","B"]')]
        store.save_decisions("a", rows)
        assert store.decision("deal", "1") == rows
        assert store.decision("deal", "1", "flags") == rows[2:]
        assert store.decision("deal", "2") == []

    def test_a_root_says_everything_anew(self, store: Store) -> None:
        store.save_decisions("a", [decision("1"), decision("2")])
        store.save_decisions("a", [decision("2")])
        assert store.decision("deal", "1") == []
        assert list(store.decided("deal", "attribution")) == [decision("2")]

    def test_reports_read_them_as_a_table(self, store: Store) -> None:
        store.save_decisions("a", [decision("1")])
        rows = store._rows("SELECT kind, id, field, value, place FROM decided_fields")
        assert rows == [("deal", "1", "attribution", "sourced", "policies/baseline.yaml:12")]


class TestFindings:
    def test_one_that_is_said_again_stays_open(self, store: Store) -> None:
        assert store.save_findings("a", [finding("1")], run_id="r-0001", now=NOW) == (1, 0)
        assert store.save_findings("a", [finding("1")], run_id="r-0002", now=LATER) == (0, 0)
        (row,) = store.findings()
        assert (row.first_seen, row.last_seen, row.cleared_at) == (NOW, LATER, None)

    def test_one_that_is_not_said_again_is_cleared(self, store: Store) -> None:
        store.save_findings("a", [finding("1"), finding("1", subject="amount")], run_id="r-0001", now=NOW)
        assert store.save_findings("a", [finding("1")], run_id="r-0002", now=LATER) == (0, 1)
        assert [row.subject for row in store.findings()] == [""]
        cleared = next(row for row in store.findings(open_only=False) if row.subject)
        assert cleared.cleared_at == LATER

    def test_one_that_comes_back_starts_a_new_life(self, store: Store) -> None:
        for at, said in ((NOW, [finding("1")]), (NOW + timedelta(minutes=1), []), (LATER, [finding("1")])):
            counted = store.save_findings("a", said, run_id="r-0001", now=at)
        assert counted == (1, 0)
        (row,) = store.findings()
        assert (row.first_seen, row.cleared_at) == (LATER, None)
        assert store.finding_history("deal", "1") == [("CONFLICT", NOW, NOW + timedelta(minutes=1))]

    def test_other_neighbourhoods_are_left_alone(self, store: Store) -> None:
        store.save_findings("a", [finding("1")], run_id="r-0001", now=NOW)
        assert store.save_findings("b", [], run_id="r-0001", now=NOW) == (0, 0)
        assert store.open_findings_count() == 1

    def test_they_can_be_asked_for(self, store: Store) -> None:
        store.save_findings("a", [finding("1"), finding("2", "STALE")], run_id="r-0001", now=NOW)
        assert [row.id for row in store.findings(code="STALE")] == ["2"]
        assert [row.code for row in store.findings(kind="deal", id="1", severity="warning")] == ["CONFLICT"]
        assert store.findings(severity="error") == []


class TestRuns:
    def test_numbers_follow_each_other(self, store: Store) -> None:
        assert store.next_run_id() == "r-0001"
        store.start_run("r-0001", "sync", NOW)
        assert store.next_run_id() == "r-0002"
        store.start_run("r-12000", "sync", NOW)
        assert store.next_run_id() == "r-12001"

    def test_a_report_comes_back(self, store: Store) -> None:
        store.start_run("r-0001", "sync", NOW, connection="acme", system="hubspot")
        store.finish_run({"run_id": "r-0001", "status": "ok", "finished_at": LATER, "pulled": {"deals": 3}})
        run = store.run("r-0001")
        assert run is not None
        assert (run["status"], run["mode"], run["pulled"]) == ("ok", "sync", {"deals": 3})
        assert store.run("r-0009") is None

    def test_the_newest_comes_first(self, store: Store) -> None:
        store.start_run("r-0001", "sync", NOW)
        store.start_run("r-0002", "plan", LATER)
        assert [run["run_id"] for run in store.runs(limit=5)] == ["r-0002", "r-0001"]
        assert len(store.runs(limit=1)) == 1

    def test_a_run_that_was_cut_off_is_failed_by_the_next(self, store: Store) -> None:
        store.start_run("r-0001", "sync", NOW)
        store.start_run("r-0002", "sync", LATER)
        cut_off = store.run("r-0001")
        assert cut_off is not None
        assert (cut_off["status"], cut_off["error"]) == ("failed", "the process ended before the run did")


class TestJournal:
    def test_an_intent_is_unresolved_until_its_outcome(self, store: Store) -> None:
        assert store.journal_intents([intent(), intent(field="stage")]) == [1, 2]
        assert store.unresolved() == [intent(), intent(field="stage")]
        store.journal_outcome("r-0001/deals/1", "ok", id="1", request_id="q", at=LATER)
        assert store.unresolved() == []
        assert [(row.status, row.at, row.request_id) for row in store.history("deal", "1")] == [("ok", LATER, "q")] * 2

    def test_an_unknown_outcome_can_still_be_settled(self, store: Store) -> None:
        store.journal_intents([intent()])
        store.journal_outcome("r-0001/deals/1", "unknown", at=NOW)
        assert len(store.unresolved()) == 1
        store.journal_outcome("r-0001/deals/1", "ok", at=LATER)
        assert store.unresolved() == []

    def test_a_known_outcome_is_never_changed(self, store: Store) -> None:
        store.journal_intents([intent()])
        store.journal_outcome("r-0001/deals/1", "ok", at=NOW)
        store.journal_outcome("r-0001/deals/1", "failed", code="X", at=LATER)
        assert [row.status for row in store.history("deal", "1")] == ["ok"]

    def test_a_created_record_gives_its_id(self, store: Store) -> None:
        store.journal_intents([intent(record_id="", op="upsert", key_field="prm_number", key="R-1")])
        store.journal_outcome("r-0001/deals/1", "ok", id="77", at=LATER)
        assert [row.key for row in store.history("deals", "77")] == ["R-1"]

    def test_history_knows_both_names_and_the_newest_first(self, store: Store) -> None:
        store.journal_intents([intent(new=1), intent(field="stage"), intent(ref="r-0002/deals/1", new=2)])
        assert [row.new for row in store.history("deal", "1", "amount")] == [2, 1]
        assert [row.new for row in store.history("deals", "1", "prm_amount")] == [2, 1]
        assert len(store.history("deal", "1")) == 3
        assert len(store.run_history("r-0001")) == 3


def test_small_facts(store: Store) -> None:
    assert store.get_meta("a") is None
    store.set_meta("a", "1")
    store.set_meta("a", "2")
    assert store.get_meta("a") == "2"


class TestEarlier:
    """What was known at an instant."""

    def test_decisions_are_kept_where_they_changed(self, store: Store) -> None:
        def at(hours: int, *rows: tuple[str, str]) -> None:
            instant = NOW + timedelta(hours=hours)
            store.save_decisions("a", [replace(decision("1", f, v), decided_at=instant) for f, v in rows])

        def then(hours: float) -> dict[str, str]:
            return {r.field: r.value for r in store.decision_at("deal", "1", NOW + timedelta(hours=hours))}

        at(0, ("attribution", '"sourced"'), ("flags", "[]"))
        at(1, ("attribution", '"sourced"'), ("flags", "[]"))
        at(2, ("attribution", '"direct"'), ("flags", "[]"))
        at(3, ("attribution", '"direct"'), ("partner_id", '"P"'))
        assert then(-1) == {}
        assert then(0) == then(1.5) == {"attribution": '"sourced"', "flags": "[]"}
        assert then(2) == {"attribution": '"direct"', "flags": "[]"}
        assert then(9) == {"attribution": '"direct"', "partner_id": '"P"'}
        assert len(store._rows("SELECT 1 FROM decision_history")) == 2
        (first, _) = store.decision_at("deal", "1", NOW + timedelta(hours=1))
        assert first.decided_at == NOW

    def test_a_decision_that_is_no_more_was_one(self, store: Store) -> None:
        store.save_decisions("a", [decision("1"), replace(decision("2"), decided_at=NOW)])
        store.save_decisions("a", [replace(decision("2"), decided_at=LATER)])
        assert store.decision_at("deal", "1", NOW) == [decision("1")]
        assert store.decision_at("deal", "1", LATER) == []
        store.save_neighbourhood("b", {("deal", "9")}, [], None)
        store.clear_orphans(run_id="r-0002", now=LATER + timedelta(hours=1))
        assert store.decision("deal", "2") == []
        assert [row.id for row in store.decision_at("deal", "2", LATER)] == ["2"]
        assert store.decision_at("deal", "2", LATER + timedelta(hours=2)) == []

    def test_findings_tell_their_earlier_lives(self, store: Store) -> None:
        for hours, said in ((0, [finding("1")]), (1, []), (2, [finding("1")])):
            store.save_findings("a", said, run_id="r-0001", now=NOW + timedelta(hours=hours))
        open_at = [bool(store.findings_at("deal", "1", NOW + timedelta(hours=h))) for h in (-1, 0, 1, 2, 3)]
        assert open_at == [False, True, False, True, True]
        (row,) = store.findings_at("deal", "1", NOW)
        assert (row.message, row.evidence, row.where) == ("two registrations", ["R-0001"], "policies/baseline.yaml:40")
