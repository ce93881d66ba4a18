"""A journal from before the chain gets one: what it holds now is what the chain vouches for from here on."""

from __future__ import annotations

import sqlite3
from itertools import groupby
from pathlib import Path

from crmsync.store.chain import INTENT, Chain
from crmsync.store.database import Row


def adopt_journal(conn: sqlite3.Connection) -> None:
    """Chain every row that is there, a block for each run. Runs inside the migration's transaction."""
    chain = Chain(Path(), conn)
    columns = f"{INTENT}, status, code, message, request_id, at, seq"
    rows = conn.execute(f"SELECT {columns} FROM journal ORDER BY seq")
    for _, run in groupby(rows, key=lambda row: row[0]):
        for ref, write in groupby(run, key=lambda row: (row[1], *row[-6:-1])):
            _adopt(chain, ref[0], list(write))
        chain.seal()


def _adopt(chain: Chain, ref: str, write: list[Row]) -> None:
    status, code, message, request_id, at, first = write[0][-6:]
    span = (first, write[-1][-1])
    chain.append_intent(ref, span, [row[:-6] for row in write])
    if status is None:
        return
    said = {"status": status, "id": write[0][4], "code": code, "message": message, "request_id": request_id, "at": at}
    chain.append_event("outcome", {**said, "adopted": True}, ref=ref, span=span)
