"""The hash chain under the journal: what was once put down cannot be changed or taken out unseen.

Every write is an *event* when it is planned and another one when its outcome is known. The events of one transaction
are a *block*; each block's hash covers the block before. The chain runs over salted hashes of the content, not over
the content: ``forget`` removes values and salt, and the chain still verifies. Layout of the hashes, all SHA-256:

    leaf  = H(00 | salt | content)        content: canonical JSON of the event
    block = H(02 | block before | canonical JSON of [number, at, number of leaves, H(01 | leaves…)])

A chain on one's own disk proves nothing against somebody who recomputes all of it. It does once a head of it is known
elsewhere: every run report, log and evidence file names one.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from crmsync.store.codec import from_json, to_json, to_stamp
from crmsync.store.database import Row, Tables

GENESIS = bytes(32)
SALT_BYTES = 16

INTENT = (
    "run_id, ref, op, object, record_id, key_field, key, kind, label, field, remote_field, old, new, rule, place,"
    " reason"
)
"""The columns of the journal that are known before a request leaves: the content of an intent."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block: whoever keeps this can tell later whether anything before it was changed."""

    block: int
    hash: str


@dataclass(frozen=True, slots=True)
class Break:
    """One place where the journal is not what was written. ``event`` is 0 where a whole block is meant."""

    block: int
    event: int
    what: str

    def __str__(self) -> str:
        place = f"event {self.event} of block {self.block}" if self.event else f"block {self.block}"
        return f"{place}: {self.what}"


def leaf_hash(salt: bytes, content: str) -> bytes:
    return sha256(b"\x00" + salt + content.encode()).digest()


def leaves_hash(leaves: Sequence[bytes]) -> str:
    return sha256(b"\x01" + b"".join(leaves)).hexdigest()


def chained_hash(before: bytes, block: int, at: str, count: int, inner: str) -> bytes:
    """A block's hash where only the hash of its leaves is known."""
    return sha256(b"\x02" + before + to_json([block, at, count, inner]).encode()).digest()


def block_hash(before: bytes, block: int, at: str, leaves: Sequence[bytes]) -> bytes:
    return chained_hash(before, block, at, len(leaves), leaves_hash(leaves))


def intent_content(rows: Iterable[Row]) -> str:
    """One write as planned: rows of the :data:`INTENT` columns. The id of a record yet to be made is left out."""
    write = [list(row) for row in rows]
    for row in write:
        row[4] = "" if row[2] == "upsert" else row[4]
    return to_json(["intent", write])


def event_content(kind: str, ref: str, body: str) -> str:
    return to_json([kind, ref, body])


class Chain(Tables):
    """Appends events; a transaction that ends seals what it appended into one block."""

    def __init__(self, path: Path, conn: sqlite3.Connection) -> None:
        super().__init__(path, conn)
        self._unsealed: list[bytes] = []

    # ------------------------------------------------------------------ appending

    def append_event(self, kind: str, body: Mapping[str, Any], *, ref: str = "", span: tuple[int, int] = (0, 0)) -> int:
        """Put down something that happened; its number.

        :param span: the first and last row of the journal that it is about.
        """
        text = to_json(dict(body))
        return self._append(kind, ref, span, text, event_content(kind, ref, text))

    def append_intent(self, ref: str, span: tuple[int, int], rows: Iterable[Row]) -> int:
        return self._append("intent", ref, span, None, intent_content(rows))

    def _append(self, kind: str, ref: str, span: tuple[int, int], body: str | None, content: str) -> int:
        salt = secrets.token_bytes(SALT_BYTES)
        digest = leaf_hash(salt, content)
        with self.transaction():
            added = self._run(
                "INSERT INTO events (block, kind, ref, first, last, body, salt, digest) VALUES (0,?,?,?,?,?,?,?)",
                (kind, ref, *span, body, salt, digest),
            )
            self._unsealed.append(digest)
        return added.lastrowid or 0

    def seal(self) -> None:
        """Make a block of what was appended since the last one; transactions do it by themselves."""
        if self._unsealed:
            self._seal(datetime.now(UTC))

    def _before_commit(self) -> None:
        self.seal()

    def _after_rollback(self) -> None:
        self._unsealed.clear()

    def _seal(self, now: datetime) -> None:
        head, at = self.chain_head(), to_stamp(now) or ""
        block = (head.block if head else 0) + 1
        before = bytes.fromhex(head.hash) if head else GENESIS
        digest = block_hash(before, block, at, self._unsealed)
        self._run("INSERT INTO blocks VALUES (?, ?, ?, ?)", (block, at, len(self._unsealed), digest))
        self._run("UPDATE events SET block = ? WHERE block = 0", (block,))
        self._unsealed.clear()

    # ------------------------------------------------------------------ reading

    def chain_head(self) -> Head | None:
        """The newest block, also when all before it were cut off by retention."""
        row = self._one("SELECT block, hash FROM blocks ORDER BY block DESC LIMIT 1")
        return Head(row[0], row[1].hex()) if row else self.chain_anchor()

    def chain_anchor(self) -> Head | None:
        """The last block that retention removed; ``None`` while all of the chain is there."""
        row = self._one("SELECT value FROM meta WHERE key = 'chain_anchor'")
        return Head(**from_json(row[0])) if row else None

    def leaves(self, number: int) -> list[bytes]:
        """The hashes of a block's events, in order."""
        return [row[0] for row in self._rows("SELECT digest FROM events WHERE block = ? ORDER BY seq", (number,))]

    def hash_before(self, number: int) -> str:
        """The hash of the block before this one."""
        row = self._one("SELECT hash FROM blocks WHERE block = ?", (number - 1,))
        if row:
            return str(row[0].hex())
        anchor = self.chain_anchor()
        return anchor.hash if anchor and anchor.block == number - 1 else GENESIS.hex()

    def events_of(self, object_name: str, record_id: str, at: datetime) -> Iterator[dict[str, Any]]:
        """Everything in the chain about a record's writes up to an instant, as JSON values, in order."""
        sql = """SELECT DISTINCT e.seq, e.block, e.kind, e.ref, e.first, e.last, e.body, e.salt, e.digest, j.run_id
            FROM journal AS j JOIN events AS e ON e.first <= j.seq AND e.last >= j.seq AND e.first > j.seq - 1000
            WHERE j.record_id = ? AND j.object = ? AND j.at <= ? ORDER BY e.seq"""
        for seq, block, kind, ref, first, last, body, salt, digest, run_id in self._rows(
            sql, (record_id, object_name, to_stamp(at))
        ):
            event = {"seq": seq, "block": block, "kind": kind, "ref": ref, "body": body, "run_id": run_id,
                     "salt": salt.hex() if salt else None, "digest": digest.hex()}  # fmt: skip
            if kind == "intent":
                rows = self._rows(f"SELECT {INTENT} FROM journal WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last))
                event["rows"] = [list(row) for row in rows]
            yield event

    def find_event(self, kind: str, digest: str) -> tuple[int, str] | None:
        """Block and body of the event of a kind whose body names this digest."""
        row = self._one("SELECT block, body FROM events WHERE kind = ? AND body ->> '$.digest' = ?", (kind, digest))
        return (row[0], row[1]) if row else None

    def blocks_between(self, first: int, last: int) -> Iterator[tuple[int, str, int, bytes]]:
        """Number, instant, count of leaves and hash."""
        yield from self._rows(
            "SELECT block, at, leaves, hash FROM blocks WHERE block BETWEEN ? AND ? ORDER BY block", (first, last)
        )
