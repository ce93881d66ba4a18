"""The clock both sandbox CRMs stamp by: the real time, until a test or a rehearsal sets it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SandboxClock:
    """``now()`` follows the real time; ``set`` and ``advance`` move it, ``freeze`` stops it, ``reset`` frees it.

    ``skew`` puts both CRMs off whatever time that is, until it is taken back.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._offset = timedelta()
        self._frozen: datetime | None = None
        self._skew = timedelta()
        if start is not None:
            self.set(start)

    def now(self) -> datetime:
        return self._time() + self._skew

    def _time(self) -> datetime:
        return self._frozen if self._frozen is not None else datetime.now(UTC) + self._offset

    def set(self, instant: datetime) -> None:
        """Make it ``instant`` now; time stands still there until it is advanced or reset."""
        if instant.tzinfo is None:
            raise ValueError(f"the sandbox clock needs an aware instant, got {instant.isoformat()} without an offset")
        self._frozen = instant.astimezone(UTC)

    def advance(self, seconds: float) -> None:
        """:raises ValueError: when that is beyond the years 1 to 9999."""
        self._check(seconds)
        if self._frozen is not None:
            self._frozen += timedelta(seconds=seconds)
        else:
            self._offset += timedelta(seconds=seconds)

    def freeze(self) -> None:
        self._frozen = self._time()

    def skew(self, seconds: float) -> None:
        """On top of what was skewed before.

        :raises ValueError: when that is beyond the years 1 to 9999.
        """
        self._check(seconds)
        self._skew += timedelta(seconds=seconds)

    def _check(self, seconds: float) -> None:
        try:
            self.now() + timedelta(seconds=seconds)
        except OverflowError:
            raise ValueError(f"no calendar goes {seconds} seconds from now") from None

    def reset(self) -> None:
        self._offset = timedelta()
        self._frozen = None

    @property
    def is_set(self) -> bool:
        """Whether it differs from the real time."""
        return self._frozen is not None or bool(self._offset) or bool(self._skew)
