"""Whether the journal is what was written: every hash of the chain is made anew and compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from crmsync.store.chain import GENESIS, INTENT, Break, Chain, block_hash, event_content, intent_content, leaf_hash
from crmsync.store.codec import from_json
from crmsync.store.database import Row

_SPAN = 500
"""Blocks that are read at once."""
_OUTCOME = ("status", "code", "message", "request_id", "created")
_NO_OUTCOME = '{"status": null, "code": "", "message": "", "request_id": "", "created": false}'


class Verifier(Chain):
    """Adds the check to the chain. Reads only."""

    def chain_breaks(self) -> Iterator[Break]:
        """Every place where journal or chain were changed; none in a journal that is whole."""
        forgotten = self._forgotten()
        anchor = self.chain_anchor()
        before = bytes.fromhex(anchor.hash) if anchor else GENESIS
        expected = (anchor.block if anchor else 0) + 1
        for block, at, _count, kept in self._all_blocks():
            if block != expected:
                yield Break(expected, 0, f"{block - expected} blocks were taken out")
                before = b""
            leaves = []
            for event in self._events(block):
                leaves.append(event[6])
                yield from self._event_breaks(block, event, forgotten)
            if before and block_hash(before, block, at, leaves) != kept:
                yield Break(block, 0, "events were added, removed or put in another order, or the block was changed")
            before, expected = kept, block + 1
        yield from self._end_breaks(expected - 1)

    def _all_blocks(self) -> Iterator[Row]:
        last = 0
        sql = "SELECT block, at, leaves, hash FROM blocks WHERE block > ? ORDER BY block LIMIT ?"
        while chunk := self._rows(sql, (last, _SPAN)):
            last = chunk[-1][0]
            yield from chunk

    def _events(self, block: int) -> list[Row]:
        return self._rows(
            "SELECT seq, kind, ref, first, last, body, digest, salt FROM events WHERE block = ? ORDER BY seq", (block,)
        )

    def _forgotten(self) -> set[int]:
        """Events whose content was removed by ``forget``, as the chain itself says."""
        rows = self._rows("SELECT body FROM events WHERE kind = 'forget'")
        return {seq for row in rows for seq in from_json(row[0])["events"]}

    def _event_breaks(self, block: int, event: Row, forgotten: set[int]) -> Iterator[Break]:
        seq, kind, ref, first, last, body, digest, salt = event
        if salt is None:
            if seq not in forgotten:
                yield Break(block, seq, "its content was removed, and no `forget` tells of it")
            return
        if kind == "intent":
            content = intent_content(
                self._rows(f"SELECT {INTENT} FROM journal WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last))
            )
        else:
            content = event_content(kind, ref, body)
        if leaf_hash(salt, content) != digest:
            yield Break(block, seq, f"{_named(kind, ref, first, last)} was changed after it was written")

    def _end_breaks(self, last_block: int) -> Iterator[Break]:
        row = self._one("SELECT value FROM meta WHERE key = 'chain_length'")
        length = int(row[0]) if row else 0
        if last_block < length:
            yield Break(last_block + 1, 0, f"the newest {length - last_block} blocks were taken out")
        yield from self._run_breaks()
        yield from self._uncovered()
        yield from self._outcome_breaks()

    def _run_breaks(self) -> Iterator[Break]:
        """Each run's report names the newest block of its time."""
        sql = """SELECT r.run_id, r.report ->> '$.chain.block', r.report ->> '$.chain.hash', lower(hex(b.hash))
            FROM runs AS r JOIN blocks AS b ON b.block = r.report ->> '$.chain.block'"""
        for run_id, block, noted, kept in self._rows(sql):
            if noted != kept:
                yield Break(block, 0, f"its hash is not the one that run {run_id} noted")

    def _uncovered(self) -> Iterator[Break]:
        """Rows that no event speaks of."""
        sql = """SELECT j.seq, j.run_id FROM journal AS j WHERE NOT EXISTS
            (SELECT 1 FROM events AS e WHERE e.kind = 'intent' AND j.seq BETWEEN e.first AND e.last
             AND e.first > j.seq - 1000) ORDER BY j.seq LIMIT 20"""
        for seq, run_id in self._rows(sql):
            yield Break(0, 0, f"row {seq} of the journal (run {run_id}) was put in later")

    def _outcome_breaks(self) -> Iterator[Break]:
        """What the journal says became of a write must be what its last outcome said."""
        said: dict[tuple[int, int], Row] = {}
        newest = "SELECT first, last, body, block, seq FROM events WHERE kind = 'outcome' ORDER BY seq"
        for first, last, *outcome in self._rows(newest):
            said[first, last] = tuple(outcome)
        held = defaultdict(set)
        spans = """SELECT e.first, e.last, j.status, j.code, j.message, j.request_id, j.created FROM events AS e
            JOIN journal AS j ON j.seq BETWEEN e.first AND e.last WHERE e.kind = 'intent'"""
        for first, last, *outcome in self._rows(spans):
            held[first, last].add(tuple(outcome))
        for span, outcomes in held.items():
            body, block, seq = said.get(span, (_NO_OUTCOME, 0, 0))
            if body is None:  # forgotten
                continue
            told = from_json(body)
            if outcomes != {tuple(told.get(name, False) for name in _OUTCOME)}:
                yield Break(block, seq, f"the outcome of rows {span[0]} to {span[1]} of the journal was changed")


def _named(kind: str, ref: str, first: int, last: int) -> str:
    rows = f"row {first}" if first == last else f"rows {first} to {last}"
    if kind == "intent":
        return f"the write {ref} ({rows} of the journal)"
    return f"the {kind} of {ref} ({rows})" if first else f"the entry '{kind}'"
