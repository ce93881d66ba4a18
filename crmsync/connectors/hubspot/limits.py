"""HubSpot's three limiters as lanes of the pacer ("Usage guidelines", 2026): calls, searches, associations."""

from __future__ import annotations

from collections.abc import Mapping

from crmsync.connectors.pacing import Pacer, Rate
from crmsync.connectors.wire import is_loopback

SEARCH = "search"
ASSOCIATIONS = "associations"

RATES: Mapping[str, Rate] = {
    "": Rate(per_second=18, burst=10),
    SEARCH: Rate(per_second=4, burst=1),
    ASSOCIATIONS: Rate(per_second=14, burst=10),
}
"""Just under 190 per 10 s, 5 per second, 150 per 10 s: a burst plus the refill of its window stays below the limit."""


class RehearsalPacer(Pacer):
    """For a portal on this machine, which nobody shares: as fast as it goes, until its limiter is on and says so."""

    def __init__(self) -> None:
        super().__init__()
        self._paced = Pacer()

    def wait(self, lane: str = "") -> None:
        self._paced.wait(lane)

    def cool_down(self, seconds: float) -> None:
        self._paced = Pacer(RATES)
        self._paced.cool_down(seconds)


def pacer_for(url: str) -> Pacer:
    return RehearsalPacer() if is_loopback(url) else Pacer(RATES)
