"""How many retries a run has in all: a CRM that fails every other request is not to be hammered for hours.

Each request may be tried a few times; this bounds the sum. Successes earn back a part, so that a long run over a line
that is bad now and then goes on, and one over a line that is bad all the time ends with a clear word.
"""

from __future__ import annotations

MOST_RETRIES = 60
EARNED_BY_SUCCESS = 0.1


class Patience:
    """A purse of retries, for faults only: throttling is not failure and costs nothing here."""

    def __init__(self, most: float = MOST_RETRIES) -> None:
        self._most = most
        self._left = most

    def spend(self) -> bool:
        """Whether one more retry may be made; if so, it is taken off."""
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def earn(self) -> None:
        self._left = min(self._most, self._left + EARNED_BY_SUCCESS)
