"""What crmsync remembers between runs, in one SQLite file per connection."""

from crmsync.store.lock import lock_owner
from crmsync.store.rows import BaseRow, DecisionRow, EditRow, FindingRow, HistoryRow, JournalRow, WriteStatus
from crmsync.store.store import Store

__all__ = [
    "BaseRow",
    "DecisionRow",
    "EditRow",
    "FindingRow",
    "HistoryRow",
    "JournalRow",
    "Store",
    "WriteStatus",
    "lock_owner",
]
