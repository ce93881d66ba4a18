"""Rows that become visible late: what a long transaction writes has an old SystemModstamp when others first see it.

Queries read a table as it was before the writes that are still under way; the writer's own reads by id see them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from crmsync.sandbox.salesforce.schema import SObject
from crmsync.sandbox.salesforce.store import quote
from crmsync.sandbox.salesforce.values import stamp

if TYPE_CHECKING:
    from crmsync.sandbox.salesforce.base import OrgBase

_BOOK = "CREATE TEMP TABLE IF NOT EXISTS _late (object TEXT, id TEXT, until TEXT, PRIMARY KEY (object, id))"


class Visibility:
    """``delay`` seconds pass between a write and the first query that sees it; 0 is the usual."""

    def __init__(self, org: OrgBase) -> None:
        self.org = org
        self._delay = 0.0
        self._used = False

    @property
    def delay(self) -> float:
        return self._delay

    @delay.setter
    def delay(self, seconds: float) -> None:
        with self.org.store.lock:
            self._delay, self._used = seconds, self._used or seconds > 0
            if self._used:
                self.org.store.connection.execute(_BOOK)
            self.org.store.before_write = self._remember if seconds > 0 else None

    def source(self, sobject: SObject) -> str:
        """What stands for the object's table in a FROM."""
        table = quote(sobject.name)
        if not self._used or not self._pending(sobject):
            return table
        late = f"(SELECT id FROM temp._late WHERE object = '{sobject.name}' AND until > '{self._now()}')"
        before = f'SELECT * FROM temp.{self._shadow(sobject)} WHERE "Id" IN {late}'
        return f'(SELECT rowid, * FROM {table} WHERE "Id" NOT IN {late} UNION ALL {before})'

    def _now(self) -> str:
        return stamp(self.org.clock.now())

    def _pending(self, sobject: SObject) -> bool:
        sql = "SELECT COUNT(*) FROM temp._late WHERE object = ? AND until > ?"
        return bool(self.org.store.scalar(sql, (sobject.name, self._now())))

    @staticmethod
    def _shadow(sobject: SObject) -> str:
        return quote(f"late {sobject.name}")

    def _remember(self, sobject: SObject, record_id: str) -> None:
        """Keep the row as others see it until the delay is over; a write on top of a pending one changes nothing."""
        store, shadow = self.org.store, self._shadow(sobject)
        table = quote(sobject.name)
        store.connection.execute(
            f"CREATE TEMP TABLE IF NOT EXISTS {shadow} AS SELECT rowid AS rowid, * FROM {table} LIMIT 0"
        )
        pending = "SELECT 1 FROM temp._late WHERE object = ? AND id = ? AND until > ?"
        if store.one(pending, (sobject.name, record_id, self._now())) is not None:
            return
        store.connection.execute(f'DELETE FROM temp.{shadow} WHERE "Id" = ?', (record_id,))
        store.connection.execute(f'INSERT INTO temp.{shadow} SELECT rowid, * FROM {table} WHERE "Id" = ?', (record_id,))
        until = stamp(self.org.clock.now() + timedelta(seconds=self._delay))
        store.connection.execute("INSERT OR REPLACE INTO temp._late VALUES (?, ?, ?)", (sobject.name, record_id, until))
