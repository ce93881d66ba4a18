"""The journal's chain: whole while nobody touches it, and naming the place when somebody did."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from crmsync.store import Store
from crmsync.store.migrations import migrate
from tests.store.conftest import NOW, intent


@pytest.fixture
def written(store: Store) -> Store:
    for number in range(1, 4):
        refs = [f"r-000{number}/deals/{record}" for record in ("1", "2")]
        store.start_run(f"r-000{number}", "sync", NOW + timedelta(hours=number))
        store.journal_intents(
            [intent(ref, ref[-1], field, run_id=f"r-000{number}") for ref in refs for field in ("amount", "partner_id")]
        )
        with store.transaction():
            for ref in refs:
                store.journal_outcome(ref, "ok", id=ref[-1], request_id="req", at=NOW)
        store.close_run({"run_id": f"r-000{number}", "mode": "sync", "status": "ok", "finished_at": NOW})
    return store


def breaks(store: Store) -> list[str]:
    return [str(one) for one in store.chain_breaks()]


def test_a_journal_that_nobody_touched_is_whole(written: Store) -> None:
    assert breaks(written) == []
    head = written.chain_head()
    assert head is not None
    assert head.block == 9  # for each run: its intents, their outcomes, its end
    assert (written.run("r-0003") or {})["chain"] == {"block": 9, "hash": head.hash}


def test_one_transaction_is_one_block_and_a_lost_one_is_none(written: Store) -> None:
    before = written.chain_head()

    def lose() -> None:
        with written.transaction():
            written.journal_intents([intent("r-0004/deals/1", run_id="r-0004")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lose()
    assert written.chain_head() == before
    written.journal_intents([intent("r-0004/deals/1", run_id="r-0004")])
    assert breaks(written) == []


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("UPDATE journal SET new = '\"99\"' WHERE seq = 5", "event 6 of block 4: the write r-0002/deals/1"),
        ("UPDATE journal SET old = '\"1\"' WHERE seq = 6", "event 6 of block 4: the write r-0002/deals/1"),
        ("UPDATE journal SET place = 'x:1' WHERE seq = 1", "event 1 of block 1: the write r-0001/deals/1"),
        ("UPDATE journal SET status = 'failed' WHERE seq = 5", "event 8 of block 5: the outcome of rows 5 to 6"),
        ("UPDATE journal SET request_id = 'x' WHERE seq < 3", "event 3 of block 2: the outcome of rows 1 to 2"),
        ("DELETE FROM journal WHERE seq = 12", "event 12 of block 7: the write r-0003/deals/2"),
        ("UPDATE events SET body = replace(body, 'ok', 'failed') WHERE seq = 8", "event 8 of block 5: the outcome"),
        ("UPDATE events SET body = NULL, salt = NULL WHERE seq = 8", "no `forget` tells of it"),
        ("DELETE FROM events WHERE seq = 7", "block 4: events were added, removed"),
        ("DELETE FROM blocks WHERE block = 5", "block 5: 1 blocks were taken out"),
        ("UPDATE blocks SET at = '2020' WHERE block = 5", "block 5: events were added, removed"),
        ("DELETE FROM blocks WHERE block > 6", "block 7: the newest 3 blocks were taken out"),
    ],
)  # fmt: skip
def test_whatever_is_changed_shows_and_is_named(written: Store, sql: str, told: str) -> None:
    written._run(sql)
    found = breaks(written)
    assert any(told in one for one in found), found


def test_a_row_that_is_put_in_later_shows(written: Store) -> None:
    columns = [row[1] for row in written._rows("PRAGMA table_info(journal)") if row[1] != "seq"]
    names = ", ".join(columns)
    written._run(f"INSERT INTO journal ({names}) SELECT {names} FROM journal WHERE seq = 1")
    assert any("row 13 of the journal (run r-0001) was put in later" in one for one in breaks(written))


def test_a_chain_that_was_made_anew_does_not_fit_what_a_run_noted(written: Store) -> None:
    """Somebody who recomputes hashes must also find every report, log and evidence file that names one."""
    written._run("UPDATE blocks SET hash = x'00' WHERE block = 6")
    assert any("block 6: its hash is not the one that run r-0002 noted" in one for one in breaks(written))


def test_what_was_written_before_the_chain_is_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA application_id = 0x63726D73")
    migrate(conn, up_to=2)
    columns = (
        "run_id, ref, op, object, record_id, key_field, key, kind, label, field, remote_field, old, new, rule, place,"
        " reason, at, status"
    )
    for number, status in ((1, "'ok'"), (1, "'ok'"), (2, "'failed'"), (3, "NULL")):
        conn.execute(
            f"INSERT INTO journal ({columns}) VALUES ('r-000{number}', 'r-000{number}/deals/1', 'update', 'deals',"
            f" '1', '', '', 'deal', 'Acme', 'amount', 'prm_amount', 'null', '\"1\"', 'r', 'p:1', 'so',"
            f" '2026-01-01', {status})"
        )
    conn.close()
    with Store.open(path) as store:
        assert [row.status for row in store.run_history("r-0001")] == ["ok", "ok"]
        assert breaks(store) == []
        head = store.chain_head()
        assert head is not None
        assert head.block >= 3
        store.journal_outcome("r-0003/deals/1", "ok", at=NOW)
        assert breaks(store) == []
        store._run("UPDATE journal SET new = '\"2\"' WHERE seq = 1")
        assert len(breaks(store)) == 1
