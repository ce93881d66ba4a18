"""Slowing down before the CRM says so: one token bucket per lane, and one gate that closes for all of them.

A throttled engine keeps its work and closes the gate; requests that retry on their own run into the same wall by the
hundred.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` requests at once, refilled at ``per_second``."""

    per_second: float
    burst: float = 1.0


class _Bucket:
    def __init__(self, rate: Rate, now: float) -> None:
        self.rate = rate
        self.tokens = rate.burst
        self.at = now

    def take(self, now: float) -> float:
        """Take one token, on credit if there is none, and say how long to wait for it."""
        self.tokens = min(self.rate.burst, self.tokens + (now - self.at) * self.rate.per_second) - 1.0
        self.at = now
        return max(0.0, -self.tokens / self.rate.per_second)


class Pacer:
    """Limits by lane ("" is the lane of requests that name none); a lane without a rate is only held by the gate."""

    def __init__(
        self,
        rates: Mapping[str, Rate] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._buckets = {lane: _Bucket(rate, clock()) for lane, rate in (rates or {}).items()}
        self._open_at = clock()

    def wait(self, lane: str = "") -> None:
        """Return when a request of this lane may leave."""
        with self._lock:
            bucket = self._buckets.get(lane)
            wait_s = bucket.take(self._clock()) if bucket else 0.0
        if wait_s > 0:
            self._sleep(wait_s)
        while (closed_s := self._open_at - self._clock()) > 0:
            self._sleep(closed_s)

    def cool_down(self, seconds: float) -> None:
        """Close the gate for every lane; a longer closing stands."""
        with self._lock:
            self._open_at = max(self._open_at, self._clock() + seconds)
