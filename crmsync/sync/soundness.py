"""Before anything is written to a CRM, the ground must be sound: the store is looked at whole, now and then."""

from __future__ import annotations

from datetime import datetime, timedelta

from crmsync.store.database import corrupt
from crmsync.sync.session import Session

_AT = "verified_at"


def check_store(session: Session) -> None:
    """Every page and the hash of every row, when the time since the last look is over (``reconcile.every``).

    Rows are verified whenever they are read, too; this finds what no run happens to read.

    :raises StoreError: E520, with the command that rebuilds it; nothing was written then.
    """
    last = session.store.get_meta(_AT)
    every = timedelta(seconds=session.project.reconcile.every)
    if last is not None and timedelta(0) <= session.now - datetime.fromisoformat(last) < every:
        return
    if problems := session.store.integrity():
        raise corrupt(session.store.path, problems[0])
    session.store.set_meta(_AT, session.now.isoformat())
