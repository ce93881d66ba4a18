"""What happens to the run itself: killed, stopped, unheard, starved, doubled."""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from crmsync.errors import StoreBusy
from tests.prove.trial import Trial, die, hear_nothing, interrupt

ROOM_BYTES = 96 * 1024


def nothing(trial: Trial) -> None:
    """For rows of the matrix that crmsync has no place for."""
    trial.fired = False


def kill(trial: Trial) -> None:
    with trial.at_point(die):
        trial.in_child()
    trial.fired = trial.died


def stop(trial: Trial) -> None:
    """What the command line makes of SIGINT and SIGTERM: an exception at whatever was being done."""
    with trial.at_point(interrupt):
        trial.cycle()
    trial.fired = bool(trial.errors)
    if trial.fired and (last := _last_run(trial)) and last["status"] == "running":
        trial.say.append("I8 the run that was interrupted is still 'running'")


def _last_run(trial: Trial) -> Any:
    with trial.ground.bench.session(trial.system) as session:  # the lock is free, or this raises
        runs = session.store.runs(1)
    return runs[0] if runs and trial.case.point not in "CE" else None


def time_out(trial: Trial) -> None:
    """The client stops listening before the request is sent, or after the CRM has acted on it."""
    with trial.at_point(hear_nothing):
        trial.cycle()


def starve(trial: Trial) -> None:
    """A process that may not grow: what Python needs next is refused, somewhere."""

    def shrink() -> None:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limit = used + ROOM_BYTES * trial.k
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    status = trial.in_child(shrink)
    trial.fired = trial.died = status != 0


def run_twice(trial: Trial) -> None:
    """One run is stopped in the middle, as by a machine that sleeps; another one starts; the first wakes."""
    readable, writable = os.pipe()
    me = os.getpid()

    def halt() -> None:
        if os.getpid() != me:
            os.write(writable, b".")
            os.kill(os.getpid(), signal.SIGSTOP)

    with trial.at_point(halt):
        child = os.fork()
        if child == 0:
            try:
                trial.run()
            finally:
                os.write(writable, b"!")
                os._exit(0)
        trial.fired = os.read(readable, 1) == b"."
        os.close(readable)
        os.close(writable)
    if trial.fired:
        _wait_until_stopped(child)
        before = trial.crm.write_count()
        trial.cycle()
        if not any(isinstance(error, StoreBusy) for error in trial.errors):
            trial.say.append("I8 a second run worked while the first held the store")
        if trial.crm.write_count() != before:
            trial.say.append("I8 two runs wrote at once")
    os.kill(child, signal.SIGCONT)
    if os.waitpid(child, 0)[1] != 0:
        trial.say.append("I8 the run that woke up did not end well")


def _wait_until_stopped(pid: int) -> None:
    while os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT) is None:
        continue


def skew(trial: Trial) -> None:
    """The CRM's clock jumps at a request; or ours is off for a run; or ours is in another zone."""
    hour = 3600.0
    match trial.case.variant:
        case "crm-ahead":
            trial.arm("clock_skew", seconds=hour)
            trial.cycle()
        case "crm-behind":
            trial.arm("clock_skew", seconds=-hour)
            trial.cycle()
        case "zone":
            with patch.dict(os.environ, {"TZ": "Pacific/Kiritimati"}):
                time.tzset()
                trial.cycle()
            time.tzset()
        case "we-ahead" | "we-behind" as side:
            from datetime import timedelta

            trial.our_clock = timedelta(seconds=hour if side == "we-ahead" else -hour)
            trial.cycle()
            trial.our_clock = timedelta()
    trial.may_be_told()


def break_rule(trial: Trial) -> None:
    """The rules fail for the k-th neighbourhood that they meet, in each run, until it is mended."""
    import crmsync.sync.decide as place

    real = place.decide
    left = trial.k

    def failing(*args: Any, **more: Any) -> Any:
        nonlocal left
        left -= 1
        if left == -1:
            raise ZeroDivisionError("a rule divided by nothing")
        return real(*args, **more)

    with patch.object(place, "decide", failing):
        try:
            report = trial.cycle()
        except ZeroDivisionError:
            trial.say.append("one failing record stopped the whole run")
            return
    trial.fired = left < 0
    if trial.fired and report and report.status == "ok":
        trial.say.append("the record whose rule failed is not named")
