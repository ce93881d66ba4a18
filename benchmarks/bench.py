"""What the benchmarks share: the machine in words, a sandbox in a process and on a core of its own, time and memory."""

from __future__ import annotations

import os
import platform
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from crmsync.sandbox import Sandbox

Fill = Callable[[Sandbox], None]


def machine() -> str:
    """One line to put beside the figures."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    system = f"{platform.system()} {platform.machine()}"
    return f"{system}, {cores} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"


def pin(core: int) -> None:
    """Keep this process on one core, where the system can do that and has more than one."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[core % len(cores)]})


def peak_mib() -> float:
    """The most memory this process has held so far."""
    unit = 1_048_576 if sys.platform == "darwin" else 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


@dataclass(frozen=True, slots=True)
class Spent:
    seconds: float
    cpu_s: float


@contextmanager
def spending() -> Iterator[Callable[[], Spent]]:
    """Wall-clock and own CPU time since the block began."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield lambda: Spent(time.perf_counter() - wall, time.process_time() - cpu)


@dataclass(slots=True)
class Server:
    """A sandbox in another process."""

    url: str
    _pipe: Connection

    def cpu_s(self) -> float:
        return float(self.ask("cpu"))

    def ask(self, question: str) -> Any:
        self._pipe.send(question)
        return self._pipe.recv()


@contextmanager
def serving(world: str = "blank", directory: Path | None = None, fill: Fill | None = None) -> Iterator[Server]:
    """Pinned to the second core; this process keeps the first. ``fill`` runs in the server before it listens for us."""
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_serve, args=(there, world, directory, fill))
    process.start()
    pin(0)
    try:
        yield Server(here.recv(), here)
    finally:
        here.send("stop")
        process.join()


def _serve(pipe: Connection, world: str, directory: Path | None, fill: Fill | None) -> None:
    pin(1)
    with Sandbox(directory, world=world) as box:
        if fill:
            fill(box)
        pipe.send(box.url)
        while (asked := pipe.recv()) != "stop":
            answers = {"cpu": time.process_time, "salesforce": lambda: box.salesforce.api_calls, "peak": peak_mib}
            pipe.send(answers[asked]())
