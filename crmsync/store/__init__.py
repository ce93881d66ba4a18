"""What crmsync remembers between runs, in one SQLite file per connection."""

from crmsync.store.chain import Break, Head
from crmsync.store.holds import Hold
from crmsync.store.lock import lock_owner
from crmsync.store.rows import (
    BaseRow,
    DecisionRow,
    EditRow,
    FindingRow,
    HistoryRow,
    JournalRow,
    RejectRow,
    WriteOp,
    WriteStatus,
)
from crmsync.store.store import Store

__all__ = [
    "BaseRow",
    "Break",
    "DecisionRow",
    "EditRow",
    "FindingRow",
    "Head",
    "HistoryRow",
    "Hold",
    "JournalRow",
    "RejectRow",
    "Store",
    "WriteOp",
    "WriteStatus",
    "lock_owner",
]
