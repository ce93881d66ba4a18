"""The three limiters as counters: ten seconds (per app), the day (per account), searches per second.

Numbers of a Professional or Enterprise account (developers.hubspot.com: usage guidelines; recorded headers: Max 190,
Daily 1000000). Counting is always on, refusing only with ``enforce``. Bodies as recorded (search) or reported (burst,
daily).
"""

from __future__ import annotations

from collections import deque

from crmsync.sandbox.hubspot.problems import Refusal
from crmsync.sandbox.hubspot.stamps import DAY_MS

BURST, SEARCH, ASSOCIATIONS, NONE = "burst", "search", "associations", "none"
_WINDOW_MS = {BURST: 10_000, SEARCH: 1_000, ASSOCIATIONS: 10_000}
_LOCK_MS = 2_000


class Limits:
    """``lock_after``: after so many writes to one record within two seconds the next is refused with 423."""

    def __init__(self) -> None:
        self.enforce = False
        self.maximum = {BURST: 190, SEARCH: 5, ASSOCIATIONS: 150}
        self.daily = 1_000_000
        self.used_today = 0
        self.lock_after: int | None = None
        self._day = 0
        self._calls: dict[str, deque[int]] = {kind: deque() for kind in _WINDOW_MS}
        self._writes: dict[tuple[str, int], deque[int]] = {}

    def count(self, kind: str, now_ms: int) -> None:
        """One call; a refused one counts against the day but not against its window."""
        if now_ms // DAY_MS != self._day:
            self._day, self.used_today = now_ms // DAY_MS, 0
        self.used_today += 1
        if self.enforce and self.used_today > self.daily:
            raise _daily()
        if kind == NONE:
            return
        calls = self._window(kind, now_ms)
        if self.enforce and len(calls) >= self.maximum[kind]:
            raise _secondly() if kind == SEARCH else _rolling()
        calls.append(now_ms)

    def lock(self, type_id: str, record_id: int, now_ms: int) -> None:
        if self.lock_after is None:
            return
        writes = self._writes.setdefault((type_id, record_id), deque())
        while writes and writes[0] <= now_ms - _LOCK_MS:
            writes.popleft()
        if len(writes) >= self.lock_after:
            raise Refusal(423, "The resource is locked. Wait at least 2 seconds between writes to it.", "LOCKED")
        writes.append(now_ms)

    def headers(self, kind: str, now_ms: int, *, is_oauth: bool) -> dict[str, str]:
        """Search answers lack the burst set, OAuth answers the daily pair; the Secondly pair is there but dead.

        Associations have a limiter of their own, yet their answers tell the burst one (recorded: all cassettes).
        """
        shown = {}
        if not is_oauth:
            shown["X-HubSpot-RateLimit-Daily"] = str(self.daily)
            shown["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(0, self.daily - self.used_today))
        if kind in {BURST, ASSOCIATIONS}:
            left = max(0, self.maximum[BURST] - len(self._window(BURST, now_ms)))
            shown["X-HubSpot-RateLimit-Interval-Milliseconds"] = "10000"
            shown["X-HubSpot-RateLimit-Max"] = str(self.maximum[BURST])
            shown["X-HubSpot-RateLimit-Remaining"] = str(left)
            shown["X-HubSpot-RateLimit-Secondly"] = str(self.maximum[BURST] // 10)
            shown["X-HubSpot-RateLimit-Secondly-Remaining"] = str(self.maximum[BURST] // 10 - 1)
        return shown

    def _window(self, kind: str, now_ms: int) -> deque[int]:
        calls = self._calls[kind]
        while calls and calls[0] <= now_ms - _WINDOW_MS[kind]:
            calls.popleft()
        return calls


def _rolling() -> Refusal:
    message = "You have reached your ten_secondly_rolling limit."
    more = {
        "errorType": "RATE_LIMIT",
        "policyName": "TEN_SECONDLY_ROLLING",
        "groupName": "publicapi:private-apps:19083857",
    }
    return Refusal(429, message, **more)


def _secondly() -> Refusal:
    return Refusal(429, "You have reached your secondly limit.", "RATE_LIMITS")


def _daily() -> Refusal:
    more = {"errorType": "RATE_LIMIT", "policyName": "DAILY", "requestId": "sandbox"}
    return Refusal(429, "You have reached your daily limit.", **more)
