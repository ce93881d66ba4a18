"""What every connector must do, whatever CRM stands behind it. Inherit :class:`Conformance` and give a ``crm`` fixture.

The CRM is a sandbox over real HTTP; the witness is always the sandbox itself, never the connector.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Protocol
from urllib.request import Request, urlopen

import pytest

from crmsync.connectors.base import Connector
from crmsync.errors import AuthError, QuotaExhausted, Unreachable
from crmsync.remote import FieldDef, ObjectSpec, Outcome, RemoteRecord, SchemaSpec, Write


class Crm(Protocol):
    """A sandbox CRM as the suite needs it: one object with a name and a unique key, edited as a person would."""

    url: str
    system: str
    object: str
    name_field: str
    key_field: str
    read_only_field: str
    page: int
    """More records than a page of the CRM holds."""

    def connect(self, *, wrong_secret: bool = False) -> Connector: ...

    def insert(self, names: Sequence[str], *, days_ago: int = 1) -> list[str]:
        """Records with these names and the keys ``k-<name>``, all with one and the same stamp."""
        ...

    def edit(self, record_id: str, name: str) -> None: ...

    def delete(self, record_id: str) -> None: ...

    def merge(self, winner: str, loser: str) -> str:
        """The id of the record that survives."""
        ...

    def name_of(self, record_id: str) -> str: ...

    def with_key(self, key: str) -> list[str]:
        """Ids of the live records that have the key."""
        ...

    def write_count(self) -> int: ...


def break_next(crm: Crm, kind: str, **more: Any) -> None:
    """The next request goes wrong; ``when`` says whether a cut comes before or after the CRM has acted."""
    body = json.dumps({"system": crm.system, "kind": kind, **more}).encode()
    request = Request(f"{crm.url}/_sandbox/faults", body, {"Content-Type": "application/json"})  # noqa: S310
    with urlopen(request, timeout=5) as answer:  # noqa: S310 - the sandbox on loopback
        assert answer.status < 300


def pull(connector: Connector, crm: Crm, cursor: Any = None) -> tuple[dict[str, RemoteRecord], Any]:
    """Everything that a pull brings, the last word on each id, and the cursor to go on from."""
    found: dict[str, RemoteRecord] = {}
    for page in connector.pull(spec_of(crm), cursor):
        found |= {record.id: record for record in page.records}
        cursor = json.loads(json.dumps(dict(page.cursor)))
    return found, cursor


def spec_of(crm: Crm) -> ObjectSpec:
    return ObjectSpec(crm.object, (crm.name_field, crm.key_field))


def names(crm: Crm, records: Iterable[RemoteRecord]) -> list[str]:
    return sorted(str(r.fields[crm.name_field]) for r in records if not r.deleted)


def update(crm: Crm, record_id: str, name: str, ref: str = "w") -> Write:
    return Write(ref, "update", crm.object, {crm.name_field: name}, id=record_id)


def upsert(crm: Crm, key: str, name: str, ref: str = "w") -> Write:
    return Write(ref, "upsert", crm.object, {crm.name_field: name}, key_field=crm.key_field, key=key)


def settled(connector: Connector, crm: Crm, writes: Sequence[Write]) -> Sequence[Outcome]:
    """Push, and again whatever may be pushed again: what the engine does with retriable and unknown outcomes."""
    outcomes = list(connector.push(writes))
    again = [w for w, o in zip(writes, outcomes, strict=True) if o.retriable or o.status == "unknown"]
    return [*outcomes, *(connector.push(again) if again else ())]


class Conformance:
    """The suite."""

    @pytest.fixture(autouse=True)
    def _no_waiting(self, monkeypatch):
        monkeypatch.setattr("crmsync.connectors.transport._back_off", lambda _: 0.0)

    @pytest.fixture
    def connector(self, crm: Crm):
        connector = crm.connect()
        yield connector
        connector.close()

    # ------------------------------------------------------------------ describe

    def test_describe_tells_types_keys_and_what_may_be_written(self, crm, connector):
        info = connector.describe(crm.object)
        assert info.fields[crm.key_field].unique
        assert info.fields[crm.name_field].updateable
        assert not info.fields[crm.read_only_field].updateable

    def test_an_object_that_is_not_there_is_none(self, connector):
        assert connector.describe("no_such_object") is None

    # ------------------------------------------------------------------ pull

    def test_a_full_pull_brings_every_record_once_over_pages(self, crm, connector):
        wanted = [f"n{i:04}" for i in range(crm.page)]
        crm.insert(wanted)
        seen = [record.id for page in connector.pull(spec_of(crm), None) for record in page.records]
        assert len(seen) == len(set(seen)) >= len(wanted)
        records, _ = pull(connector, crm)
        assert set(names(crm, records.values())) >= set(wanted)

    def test_an_incremental_pull_sees_edits_and_nothing_old(self, crm, connector):
        ids = crm.insert(["a", "b", "c"])
        _, cursor = pull(connector, crm)
        crm.edit(ids[1], "b2")
        changed, _ = pull(connector, crm, cursor)
        assert changed[ids[1]].fields[crm.name_field] == "b2"
        assert not {ids[0], ids[2]} & changed.keys()

    def test_many_records_with_one_stamp_all_come(self, crm, connector):
        _, cursor = pull(connector, crm)
        ids = crm.insert([f"t{i}" for i in range(crm.page)], days_ago=0)
        changed, _ = pull(connector, crm, cursor)
        assert changed.keys() >= set(ids)

    def test_a_delete_is_told(self, crm, connector):
        ids = crm.insert(["stays", "goes"])
        _, cursor = pull(connector, crm)
        crm.delete(ids[1])
        changed, cursor = pull(connector, crm, cursor)
        assert changed[ids[1]].deleted
        assert ids[1] not in connector.ids(crm.object)

    def test_a_merge_names_the_survivor(self, crm, connector):
        ids = crm.insert(["winner", "loser"])
        _, cursor = pull(connector, crm)
        survivor = crm.merge(ids[0], ids[1])
        changed, _ = pull(connector, crm, cursor)
        assert changed[ids[1]].deleted
        assert changed[ids[1]].merged_into == survivor
        assert not changed[survivor].deleted if survivor in changed else True

    def test_a_pull_can_go_on_from_the_cursor_of_any_page(self, crm, connector):
        ids = crm.insert([f"n{i}" for i in range(crm.page)])
        cursors = [page.cursor for page in connector.pull(spec_of(crm), None)]
        for number in range(len(cursors)):
            before: set[str] = set()
            for page, _ in zip(connector.pull(spec_of(crm), None), range(number + 1), strict=False):
                before |= {record.id for record in page.records}
            rest, _ = pull(connector, crm, json.loads(json.dumps(dict(cursors[number]))))
            assert before | rest.keys() >= set(ids)

    def test_a_cursor_that_nobody_made_does_not_lose_records(self, crm, connector):
        ids = crm.insert(["a", "b"])
        for strange in ({"phase": "search"}, {"x": 1}, {}):
            assert pull(connector, crm, strange)[0].keys() >= set(ids)

    # ------------------------------------------------------------------ read, find, count

    def test_read_brings_current_values_and_leaves_out_what_is_gone(self, crm, connector):
        ids = crm.insert(["a", "b", "gone"])
        crm.edit(ids[0], "a2")
        crm.delete(ids[2])
        found = connector.read(crm.object, ids, [crm.name_field])
        live = {record_id: record for record_id, record in found.items() if not record.deleted}
        assert {i: r.fields[crm.name_field] for i, r in live.items()} == {ids[0]: "a2", ids[1]: "b"}

    def test_reading_a_merged_record_leads_to_the_survivor(self, crm, connector):
        ids = crm.insert(["winner", "loser"])
        survivor = crm.merge(ids[0], ids[1])
        found = connector.read(crm.object, [ids[1]], [crm.name_field])
        assert [(r.deleted, r.merged_into) for r in found.values()] in ([], [(True, survivor)])

    def test_find_knows_a_record_right_after_it_was_written(self, crm, connector):
        (outcome,) = connector.push([upsert(crm, "k-new", "new")])
        assert connector.find(crm.object, crm.key_field, ["k-new", "k-none"]) == {"k-new": outcome.id}

    def test_count_and_ids_agree_with_the_crm(self, crm, connector):
        before = connector.count(crm.object)
        ids = crm.insert([f"n{i}" for i in range(7)])
        assert connector.count(crm.object) == before + 7
        assert set(ids) <= set(connector.ids(crm.object))

    # ------------------------------------------------------------------ push

    def test_updates_come_back_in_order_and_change_only_what_was_sent(self, crm, connector):
        ids = crm.insert([f"n{i}" for i in range(9)])
        outcomes = connector.push([update(crm, i, f"new {n}", f"w{n}") for n, i in enumerate(ids)])
        assert [(o.ref, o.status, o.id) for o in outcomes] == [(f"w{n}", "ok", i) for n, i in enumerate(ids)]
        assert [crm.name_of(i) for i in ids] == [f"new {n}" for n in range(9)]
        assert crm.with_key("k-n3") == [ids[3]]

    def test_none_clears_a_field(self, crm, connector):
        (record_id,) = crm.insert(["a"])
        (outcome,) = connector.push([Write("w", "update", crm.object, {crm.key_field: None}, id=record_id)])
        assert (outcome.status, crm.with_key("k-a")) == ("ok", [])

    def test_an_upsert_creates_once_and_then_updates(self, crm, connector):
        (first,) = connector.push([upsert(crm, "k-1", "one")])
        (second,) = connector.push([upsert(crm, "k-1", "two")])
        assert (first.created, second.created, first.id) == (True, False, second.id)
        assert (crm.with_key("k-1"), crm.name_of(first.id)) == ([first.id], "two")

    def test_one_bad_record_does_not_stop_the_others(self, crm, connector):
        ids = crm.insert([f"n{i}" for i in range(8)])
        crm.delete(ids[5])
        outcomes = connector.push([update(crm, i, "new", f"w{n}") for n, i in enumerate(ids)])
        assert [o.status for o in outcomes] == ["ok"] * 5 + ["failed"] + ["ok"] * 2
        assert outcomes[5].code
        assert not outcomes[5].retriable

    def test_a_value_that_the_crm_refuses_is_that_record_s_failure(self, crm, connector):
        ids = crm.insert([f"n{i}" for i in range(8)])
        writes = [update(crm, i, "new", f"w{n}") for n, i in enumerate(ids)]
        taken = Write("w3", "update", crm.object, {crm.key_field: "k-n1"}, id=ids[3])
        outcomes = connector.push([*writes[:3], taken, *writes[4:]])
        assert [o.status for o in outcomes] == ["ok"] * 3 + ["failed"] + ["ok"] * 4
        assert "k-n1" not in outcomes[3].message

    def test_a_property_that_does_not_exist_fails_its_own_records(self, crm, connector):
        ids = crm.insert(["a", "b"])
        bad = Write("bad", "update", crm.object, {"no_such_field": "x"}, id=ids[1])
        outcomes = connector.push([update(crm, ids[0], "new"), bad])
        assert [o.status for o in outcomes] == ["ok", "failed"]

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_lost_answer_never_doubles_a_record(self, crm, connector, when):
        connector.count(crm.object)
        break_next(crm, "drop", when=when)
        outcomes = settled(connector, crm, [upsert(crm, f"k-{n}", f"n{n}", f"w{n}") for n in range(3)])
        assert outcomes[-1].status == "ok"
        assert [len(crm.with_key(f"k-{n}")) for n in range(3)] == [1, 1, 1]

    def test_an_update_whose_answer_was_lost_is_unknown_and_not_sent_again(self, crm, connector):
        (record_id,) = crm.insert(["a"])
        connector.count(crm.object)
        before = crm.write_count()
        break_next(crm, "drop", when="after")
        (outcome,) = connector.push([update(crm, record_id, "b")])
        assert outcome.status == "unknown"
        assert (crm.name_of(record_id), crm.write_count() - before) == ("b", 1)

    # ------------------------------------------------------------------ provision, check

    def test_provisioning_twice_changes_nothing_the_second_time(self, crm, connector):
        fields = (
            FieldDef(crm.object, _own(crm, "note"), "Note", "text", 255),
            FieldDef(crm.object, _own(crm, "level"), "Level", "picklist", options=("gold", "silver")),
            FieldDef(crm.object, _own(crm, "until"), "Until", "date"),
        )
        spec = SchemaSpec(fields=fields)
        foreseen = connector.provision(spec, apply=False)
        assert connector.describe(crm.object).fields.keys().isdisjoint({f.name for f in fields})
        done = connector.provision(spec, apply=True)
        assert {s.what for s in done if s.is_change} >= {s.what for s in foreseen if s.action == "create"}
        assert not [s for s in done if s.action == "blocked"]
        assert connector.describe(crm.object).fields.keys() >= {f.name for f in fields}
        assert not [s for s in connector.provision(spec, apply=True) if s.is_change]

    def test_check_finds_a_healthy_connection_healthy(self, crm, connector):
        checks = connector.check(SchemaSpec(readable=((crm.object, crm.name_field),)))
        assert not [c for c in checks if c.status == "problem"]

    def test_check_names_a_missing_field_and_the_way_out(self, crm, connector):
        spec = SchemaSpec(fields=(FieldDef(crm.object, _own(crm, "gone"), "Gone", "text", 255),))
        (problem,) = [c for c in connector.check(spec) if c.status == "problem"]
        assert _own(crm, "gone") in problem.detail
        assert "crmsync provision" in problem.fix

    def test_a_record_has_a_page(self, crm, connector):
        (record_id,) = crm.insert(["a"])
        url = connector.record_url(crm.object, record_id)
        assert url.startswith(crm.url)
        assert record_id in url

    # ------------------------------------------------------------------ trouble

    def test_a_wrong_secret_is_an_auth_error(self, crm):
        connector = crm.connect(wrong_secret=True)
        with pytest.raises(AuthError) as caught:
            connector.count(crm.object)
        connector.close()
        assert caught.value.exit_code == 4
        assert caught.value.hint

    def test_a_missing_scope_is_named(self, crm, connector):
        break_next(crm, "missing_scope", times=3)
        with pytest.raises(AuthError):
            connector.count(crm.object)

    def test_a_used_up_quota_stops_at_once(self, crm, connector):
        break_next(crm, "quota", times=3)
        with pytest.raises(QuotaExhausted):
            connector.count(crm.object)

    def test_a_crm_that_is_down_is_unreachable(self, crm, connector):
        break_next(crm, "down", times=50)
        with pytest.raises(Unreachable):
            list(connector.pull(spec_of(crm), None))

    def test_a_short_outage_is_ridden_out(self, crm, connector):
        ids = crm.insert(["a"])
        break_next(crm, "down", times=1)
        assert set(ids) <= set(connector.ids(crm.object))

    def test_a_cut_read_is_read_again(self, crm, connector):
        ids = crm.insert(["a"])
        connector.count(crm.object)
        break_next(crm, "drop")
        assert connector.read(crm.object, ids, [crm.name_field])[ids[0]].fields[crm.name_field] == "a"

    def test_calls_are_counted(self, crm, connector):
        connector.count(crm.object)
        budget = connector.budget()
        assert budget.used >= 1
        assert budget.remaining is None or budget.remaining <= (budget.limit or 0)


def _own(crm: Crm, word: str) -> str:
    return f"PRM_{word.title()}__c" if crm.system == "salesforce" else f"prm_{word}"
