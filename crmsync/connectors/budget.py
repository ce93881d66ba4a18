"""The day's API calls: counted, compared with what the CRM says is left, and stopped before other users run dry."""

from __future__ import annotations

from crmsync.errors import QuotaExhausted
from crmsync.remote import ApiBudget


class Budget:
    """``share`` is the part of the daily calls that may be used, by whomever, before crmsync stops."""

    def __init__(self, system: str, share: float, calls_return: str, most: int | None = None) -> None:
        """:param calls_return: when the CRM gives used calls back, in words.
        :param most: requests of this run at most, whatever the CRM says.
        """
        self._calls_return = calls_return
        self._most = most
        self.used = 0
        self._system = system
        self._share = share
        self._limit: int | None = None
        self._remaining: int | None = None

    def count(self) -> None:
        """One more request of ours went out."""
        self.used += 1
        if self._remaining is not None:
            self._remaining = max(0, self._remaining - 1)

    def note(self, limit: int, remaining: int) -> None:
        """What the CRM said last; it knows about everybody's calls."""
        self._limit, self._remaining = limit, remaining

    def guard(self) -> None:
        """:raises QuotaExhausted: when the share, or the run's own number, is used up."""
        if self._most is not None and self.used >= self._most:
            raise QuotaExhausted(
                f"this run has made the {self._most} API calls to {self._system} that limits allow it",
                system=self._system,
                hint="what was done is kept; the next run goes on. Or raise limits of the connection in crmsync.yaml",
            )
        if self.is_spent and self._limit and self._remaining is not None:
            spent = self._limit - self._remaining
            raise QuotaExhausted(
                f"{self._system} has used {spent} of {self._limit} API calls today; crmsync stops at {self._share:.0%}",
                system=self._system,
                hint="what was done is kept, and the next run goes on from there: calls come back "
                f"{self._calls_return}. Or raise limits.api_share of the connection in crmsync.yaml",
            )

    @property
    def is_spent(self) -> bool:
        if not self._limit or self._remaining is None:
            return False
        return self._limit - self._remaining >= self._share * self._limit

    @property
    def left(self) -> int | None:
        return self._remaining

    def state(self) -> ApiBudget:
        return ApiBudget(self.used, self._limit, self._remaining)
