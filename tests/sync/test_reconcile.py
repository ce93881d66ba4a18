"""The completeness certificate: what a pull has missed is found by counting, named, and mended at a cost that follows
the difference. The CRM's own rows are the witness."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.cli import main
from crmsync.remote import Bucket, RemoteRecord, Tally
from crmsync.sync.buckets import agrees, build_buckets, halves, next_share, proof_of
from crmsync.sync.cycle import certify
from crmsync.sync.report import Completeness
from crmsync.sync.session import Session
from tests.sync.conftest import SYSTEMS, Bench
from tests.sync.people import People

DEALS = {"salesforce": "Opportunity", "hubspot": "deals"}
EVERYTHING = "\nreconcile: {share: 1, every: 0}\n"

both = pytest.mark.parametrize("system", SYSTEMS)


def watch(bench: Bench, settings_: str = EVERYTHING) -> None:
    path = bench.directory / "crmsync.yaml"
    path.write_text(path.read_text() + settings_)


def of(rows: list[Completeness], name: str) -> Completeness:
    return next(row for row in rows if row.object == name)


def lose(session: Session, name: str, record_id: str) -> None:
    """As if no pull had ever brought it."""
    session.store._run("DELETE FROM mirror WHERE object = ? AND id = ?", (name, record_id))


def age(session: Session, name: str, record_id: str) -> None:
    """As if the last state of it had been missed."""
    record = session.store.row(name, record_id)
    assert record is not None
    old = RemoteRecord(record_id, record.fields, datetime(2020, 1, 1, tzinfo=UTC), links=record.links)
    session.store.save_page(name, [old], session.store.cursor(name) or {}, run_id="r")


def invent(session: Session, name: str, record_id: str) -> None:
    """As if a deletion had been missed."""
    ghost = RemoteRecord(record_id, {}, datetime(2025, 5, 5, tzinfo=UTC))
    session.store.save_page(name, [ghost], session.store.cursor(name) or {}, run_id="r")


@both
class TestMending:
    def test_a_sound_mirror_has_a_clean_certificate(self, tiny_synced: Bench, system: str) -> None:
        watch(tiny_synced)
        tiny_synced.sync(system)
        _, report = tiny_synced.sync(system)
        people = People(tiny_synced, system)
        deals = of(report.completeness, DEALS[system])
        assert deals.remote == deals.mirror == len(list(people.rows(DEALS[system])))
        assert all(row.is_complete and not row.healed for row in report.completeness)
        assert deals.checked == deals.buckets > 0
        assert deals.calls > 0
        assert deals.proof

    def test_missing_stale_and_surplus_are_told_apart_and_mended(self, tiny_synced: Bench, system: str) -> None:
        watch(tiny_synced)
        name = DEALS[system]
        tiny_synced.sync(system)
        with tiny_synced.session(system) as session:
            first, second, *_ = session.store.object_ids(name)
            before = {record.id: record for record in session.store.rows(name)}
            lose(session, name, first)
            age(session, name, second)
            invent(session, name, {"salesforce": "006000000000001AAA", "hubspot": "1"}[system])
            report = certify(session)
            after = {record.id: record for record in session.store.rows(name)}
            pending = session.store.pending()
        line = of(report.completeness, name)
        assert (line.healed, line.missing, line.stale, line.surplus) == (3, 0, 0, 0)
        assert (line.remote, line.mirror) == (len(before), len(before))
        assert after == before
        assert (name, first) in pending

    def test_what_was_mended_is_decided_and_nothing_else_is(self, tiny_synced: Bench, system: str) -> None:
        watch(tiny_synced)
        tiny_synced.sync(system)
        with tiny_synced.session(system) as session:
            lose(session, DEALS[system], next(iter(session.store.object_ids(DEALS[system]))))
        plan, report = tiny_synced.sync(system)
        assert (plan.changes, report.decided) == ((), 1)
        assert report.status == "ok"

    def test_the_cost_follows_the_difference(self, synced: Bench, system: str) -> None:
        """One lost record among thousands: a count that differs, an id list of its bucket, one read."""
        synced.sync(system)
        with synced.session(system) as session:
            certify(session)
            calm = session.budget().used
        with synced.session(system) as session:
            lose(session, DEALS[system], next(iter(session.store.object_ids(DEALS[system]))))
            line = of(certify(session).completeness, DEALS[system])
            assert line.healed == 1
            assert session.budget().used <= calm + 12

    def test_an_edit_behind_the_pull_is_nobodys_fault_and_is_taken_along(self, tiny_synced: Bench, system: str) -> None:
        watch(tiny_synced)
        tiny_synced.sync(system)
        people = People(tiny_synced, system)
        deal = people.ids("deal")[0]
        with tiny_synced.session(system) as session:
            list(session.connector.pull(session.mapping.objects()[0], None))  # signs in
            from crmsync.sync import cycle

            pulled = cycle.pull_all

            def pull_then_edit(*args: object, **more: object) -> None:
                pulled(*args, **more)  # type: ignore[arg-type]
                tiny_synced.box.clock.advance(60)
                people.edit("deal", deal, "amount", Decimal(4321))

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(cycle, "pull_all", pull_then_edit)
                report = certify(session)
            assert (DEALS[system], deal) in session.store.pending()
        line = of(report.completeness, DEALS[system])
        assert (line.healed, line.stale, line.is_complete) == (0, 0, True)


class TestHubSpotByTurns:
    def test_a_quiet_run_counts_totals_only_until_a_turn_has_come(self, synced: Bench) -> None:
        synced.sync("hubspot")  # reads everything: the sandbox has another port than the one that the store knows
        _, quiet = synced.sync("hubspot")
        deals = of(quiet.completeness, "deals")
        assert (deals.checked, deals.calls) == (0, 1)
        synced.box.clock.advance(3601)
        _, later = synced.sync("hubspot")
        deals = of(later.completeness, "deals")
        assert (deals.checked, deals.buckets) == (1, 1)
        assert deals.calls <= 10

    def test_every_bucket_has_its_turn(self, synced: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("crmsync.sync.reconcile.LEAST_ROWS", 20)
        watch(synced, "\nreconcile: {share: 0.25, every: 0}\n")
        synced.sync("hubspot")
        with synced.session("hubspot") as session:
            last = list(session.store.object_ids("deals"))[-1]
            age(session, "deals", last)  # number and total stay as they are: only its bucket tells
        reports = []
        for _ in range(5):
            synced.box.clock.advance(60)
            reports.append(synced.sync("hubspot")[1])
        assert sum(of(report.completeness, "deals").healed for report in reports) == 1

    def test_a_lagging_index_is_looked_into_once_and_believed_never(self, tiny_synced: Bench) -> None:
        tiny_synced.sync("hubspot")
        portal = tiny_synced.box.hubspot
        portal.behaviour.index_lag_ms = 3_600_000
        gone = People(tiny_synced, "hubspot").ids("deal")[0]
        portal.archive("deals", gone)
        for _ in range(4):
            tiny_synced.box.clock.advance(60)
            _, report = tiny_synced.sync("hubspot")
        with tiny_synced.session("hubspot") as session:
            row = session.store.row("deals", gone)
        assert row is not None
        assert row.deleted
        assert of(report.completeness, "deals").healed == 0


class TestQuietChanges:
    def test_a_formula_field_that_moved_without_a_stamp_is_found(self, tiny_synced: Bench) -> None:
        org = tiny_synced.box.salesforce
        org.create_field("Opportunity", "Sector__c", "Text", formula="Account.Industry")
        tiny_synced.edit_yaml(
            "mappings/salesforce.yaml", "      lead_source: LeadSource", "      lead_source: Sector__c"
        )
        tiny_synced.sync("salesforce", full=True)
        deal = next(row for row in org.rows("Opportunity") if row["AccountId"])
        org.edit("Account", deal["AccountId"], {"Industry": "Space"})
        tiny_synced.box.clock.advance(60)
        _, report = tiny_synced.sync("salesforce")
        assert self._sector(tiny_synced, deal["Id"]) == deal["Sector__c"]  # not its turn yet
        watch(tiny_synced)
        tiny_synced.box.clock.advance(3600)
        _, report = tiny_synced.sync("salesforce")
        assert self._sector(tiny_synced, deal["Id"]) == "Space"
        assert of(report.completeness, "Opportunity").quiet >= 1

    @staticmethod
    def _sector(bench: Bench, deal: str) -> object:
        with bench.session("salesforce") as session:
            record = session.store.row("Opportunity", deal)
            assert record is not None
            return record.fields["Sector__c"]

    def test_a_tie_that_moved_without_a_date_is_found(self, tiny_synced: Bench) -> None:
        portal = tiny_synced.box.hubspot
        tiny_synced.sync("hubspot")
        deal, company = self._pair(tiny_synced)
        before = portal.get("deals", deal)["hs_lastmodifieddate"]
        portal.associate("deals", deal, "companies", company, "Partner")
        assert portal.get("deals", deal)["hs_lastmodifieddate"] == before
        tiny_synced.box.clock.advance(60)
        tiny_synced.sync("hubspot")
        assert "Partner" not in self._labels(tiny_synced, deal, company)
        watch(tiny_synced)
        tiny_synced.box.clock.advance(3600)
        _, report = tiny_synced.sync("hubspot")
        assert "Partner" in self._labels(tiny_synced, deal, company)
        assert of(report.completeness, "deals").quiet == 1

    @staticmethod
    def _pair(bench: Bench) -> tuple[str, str]:
        """A deal and its company, not yet tied as a partner: a label more moves no count."""
        with bench.session("hubspot") as session:
            for record in session.store.rows("deals"):
                for link in record.links or ():
                    if link.to_object == "companies" and "Partner" not in link.labels:
                        return record.id, link.to_id
        raise AssertionError("no deal has a company")

    @staticmethod
    def _labels(bench: Bench, deal: str, company: str) -> set[str]:
        with bench.session("hubspot") as session:
            record = session.store.row("deals", deal)
            links = (record.links or ()) if record else ()
        return {label for link in links if link.to_id == company for label in link.labels}


@both
def test_the_command_prints_it_and_writes_nothing(
    tiny_synced: Bench, system: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in tiny_synced.environ.items():
        monkeypatch.setenv(name, value)
    before = tiny_synced.writes(system)
    with pytest.raises(SystemExit) as ended:
        main(["certify", "--json", "-p", str(tiny_synced.directory), "-c", system])
    shown = json.loads(capsys.readouterr().out)
    assert (ended.value.code, shown["ok"], shown["data"]["complete"]) == (0, True, True)
    assert {row["object"] for row in shown["data"]["objects"]} >= {DEALS[system]}
    assert tiny_synced.writes(system) == before


# ---------------------------------------------------------------------- pure


DAY = date(2026, 1, 1)


def days(draw: list[tuple[int, int]]) -> list[tuple[date, int]]:
    return [(date.fromordinal(DAY.toordinal() + offset), number) for offset, number in draw]


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(1, 50)), unique_by=lambda d: d[0]).map(sorted).map(days),
    st.integers(1, 60),
)
@settings(max_examples=60)
def test_buckets_cover_all_of_time_without_gaps(known: list[tuple[date, int]], rows: int) -> None:
    buckets = build_buckets(known, rows)
    assert (buckets[0].start, buckets[-1].end) == (None, None)
    assert all(left.end == right.start for left, right in pairwise(buckets))
    assert all(bucket.has_whole_days for bucket in buckets)
    held = [sum(n for day, n in known if _holds(bucket, day)) for bucket in buckets]
    assert sum(held) == sum(n for _, n in known)
    assert all(number >= rows for number in held[:-1])


def _holds(bucket: Bucket, day: date) -> bool:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return (bucket.start is None or at >= bucket.start) and (bucket.end is None or at < bucket.end)


@given(st.integers(1, 40), st.floats(0.01, 1))
@settings(max_examples=60)
def test_turns_reach_every_bucket(number: int, share: float) -> None:
    buckets = build_buckets([(date.fromordinal(DAY.toordinal() + i), 5) for i in range(number)], 5)
    seen: set[Bucket] = set()
    last: datetime | None = None
    for _ in range(len(buckets)):
        chosen = next_share(buckets, share, last)
        seen.update(chosen)
        last = chosen[-1].end
    assert seen == set(buckets)


def test_a_proof_is_equal_where_the_counts_are_and_tells_any_difference() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    whole = Bucket()
    one = Tally(whole, 3, at)
    others: Iterator[Tally] = iter(
        [Tally(whole, 4, at), Tally(whole, 3, at.replace(second=6)), Tally(halves(whole, at)[0], 3, at)]
    )
    assert proof_of("deals", [one]) == proof_of("deals", [Tally(Bucket(), 3, at)])
    assert proof_of("deals", [one]) not in {proof_of("deals", [other]) for other in others}
    assert proof_of("deals", [one]) != proof_of("contacts", [one])
    assert agrees(one, Tally(whole, 3, at.replace(microsecond=400)))
    assert not agrees(one, Tally(whole, 2, at))
