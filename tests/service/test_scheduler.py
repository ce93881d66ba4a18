import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from crmsync.service import SyncScheduler

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
OFTEN = IntervalTrigger(seconds=0.02, timezone=UTC)


class Runs:
    """Counts runs; each lasts until it is let go."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.ended: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, name: str) -> None:
        self.names.append(name)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.set()
        self.go_on.wait(5)
        self.at_once -= 1
        self.ended.append(name)


def serve(triggers: dict[str, BaseTrigger], runs: Callable[[str], object]) -> tuple[SyncScheduler, threading.Thread]:
    scheduler = SyncScheduler(triggers, runs)
    thread = threading.Thread(target=scheduler.serve)
    thread.start()
    return scheduler, thread


def test_the_run_under_way_ends_before_the_schedule_does() -> None:
    runs = Runs()
    scheduler, thread = serve({"acme": OFTEN}, runs)
    assert runs.begun.wait(5)
    scheduler.stop()
    scheduler.stop()
    thread.join(0.1)
    assert thread.is_alive()
    runs.go_on.set()
    thread.join(5)
    assert runs.ended == runs.names != []


def test_one_connection_never_runs_twice_at_a_time() -> None:
    runs = Runs()
    scheduler, thread = serve({"acme": OFTEN}, runs)
    assert runs.begun.wait(5)
    threading.Event().wait(0.1)  # several intervals pass meanwhile
    assert runs.names == ["acme"]
    runs.go_on.set()
    scheduler.stop()
    thread.join(5)
    assert runs.most_at_once == 1


def test_an_interval_starts_at_once_and_cron_waits() -> None:
    runs = Runs()
    runs.go_on.set()
    scheduler, thread = serve({"often": OFTEN, "yearly": CronTrigger(month=1, day=1, timezone=UTC)}, runs)
    assert runs.begun.wait(5)
    scheduler.stop()
    thread.join(5)
    assert set(runs.names) == {"often"}


def test_stopping_before_the_start_is_no_race() -> None:
    scheduler = SyncScheduler({"yearly": CronTrigger(month=1, day=1, timezone=UTC)}, Runs())
    scheduler.stop()
    scheduler.serve()


def test_sigterm_stops_it_and_the_old_answer_to_the_signal_is_back() -> None:
    before = signal.getsignal(signal.SIGTERM)

    def run(_name: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    SyncScheduler({"acme": OFTEN}, run).serve()
    assert signal.getsignal(signal.SIGTERM) is before


def test_next_runs_come_the_soonest_first() -> None:
    triggers = {
        "late": CronTrigger(hour=23, timezone=UTC),
        "soon": IntervalTrigger(minutes=5, timezone=UTC, start_date=NOW + timedelta(minutes=5)),
    }
    upcoming = SyncScheduler(triggers, Runs(), clock=lambda: NOW).next_runs()
    assert [(row.connection, row.at) for row in upcoming] == [
        ("soon", NOW + timedelta(minutes=5)),
        ("late", NOW.replace(hour=23)),
    ]
