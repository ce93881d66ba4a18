"""The scheduler: a job per connection, never two runs of one at a time, missed runs made up for once, a clean stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType

import structlog
from apscheduler.events import EVENT_SCHEDULER_STARTED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from crmsync.service.triggers import NextRun

MISFIRE_GRACE_S = 3600
"""A run that could not start on time (the machine slept) still starts within this time, once."""


class SyncScheduler:
    """Runs ``run(connection)`` on each connection's trigger until it is stopped.

    :param triggers: connection name to trigger.
    :param run: does one sync; must not raise.
    :param clock: the current instant, for tests.
    """

    def __init__(
        self,
        triggers: Mapping[str, BaseTrigger],
        run: Callable[[str], object],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._triggers = dict(triggers)
        self._clock = clock
        self._stopper: threading.Thread | None = None
        self._started = threading.Event()
        executors = {"default": ThreadPoolExecutor(max(len(self._triggers), 1))}
        self._scheduler = BlockingScheduler(
            executors=executors,
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_GRACE_S},
        )
        self._scheduler.add_listener(lambda _event: self._started.set(), EVENT_SCHEDULER_STARTED)
        for name, trigger in self._triggers.items():
            # an interval counts from now on; somebody who starts the schedule wants the first run at once
            first = {"next_run_time": clock()} if isinstance(trigger, IntervalTrigger) else {}
            self._scheduler.add_job(run, trigger, args=[name], id=name, name=name, **first)

    def next_runs(self) -> list[NextRun]:
        """When each connection runs next, the soonest first."""
        now = self._clock()
        rows = [NextRun(name, trigger.get_next_fire_time(None, now)) for name, trigger in self._triggers.items()]
        return sorted(rows, key=lambda row: (row.at or datetime.max.replace(tzinfo=UTC), row.connection))

    def serve(self, ready: Callable[[], None] = lambda: None) -> None:
        """Run until :meth:`stop`, SIGTERM or SIGINT; the run that is under way is finished first.

        :param ready: called once the signals are in our hands.
        """
        with self._signals():
            ready()
            self._scheduler.start()
        if self._stopper is not None:
            self._stopper.join()

    def stop(self) -> None:
        """Start no more runs, let the current ones end. Returns at once; :meth:`serve` returns when they have."""
        if self._stopper is None:
            # not in the signal's own frame: what it interrupts may hold the scheduler's locks, or be writing a log line
            self._stopper = threading.Thread(target=self._shut_down, name="schedule-stop")
            self._stopper.start()

    def _shut_down(self) -> None:
        structlog.get_logger().info("schedule stopping")
        self._started.wait()
        self._scheduler.shutdown(wait=True)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def on_signal(_number: int, _frame: FrameType | None) -> None:
            self.stop()

        before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
