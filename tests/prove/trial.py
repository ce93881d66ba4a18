"""One case while it is played: runs of the engine, and the places where a fault can get in."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from crmsync.connectors.wire import NoAnswer, Wire
from crmsync.errors import CrmsyncError
from crmsync.remote import RemoteRecord
from crmsync.store import Store
from crmsync.sync.plan import Plan
from crmsync.sync.report import RunReport
from tests.prove.case import Case
from tests.prove.ground import Ground
from tests.prove.judge import Request
from tests.sync.people import People

Act = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Usual:
    """What a world looks like when nothing goes wrong: the measure of everything else."""

    requests: tuple[Request, ...]
    commits: tuple[str, ...]
    """The point of each commit: S before the first write leaves, K after."""
    result: dict[Any, Any]
    quiet: int
    """Requests of a run that has nothing to do."""
    written: tuple[Any, ...]


@dataclass
class Trial:
    """``say`` collects what the fault's own way of playing found to be wrong."""

    ground: Ground
    case: Case
    usual: Usual
    errors: list[BaseException] = field(default_factory=list)
    reports: list[RunReport] = field(default_factory=list)
    say: list[str] = field(default_factory=list)
    our_clock: timedelta = timedelta()
    died: bool = False
    fired: bool = True
    people_acted: bool = False
    may_reject: bool = False
    """Whether some records cannot be written, ever: they must be named, and the rest goes on."""
    waited_s: float = 0.0
    needs_no_word: bool = False
    lively: bool = False
    """Whether the world goes on meanwhile, so that a decision may well come and go."""

    def may_be_told(self) -> None:
        """The fault may have met nothing that anybody has to be told of."""
        self.needs_no_word = True

    @property
    def system(self) -> str:
        return self.case.system

    @property
    def k(self) -> int:
        return self.case.k

    @property
    def crm(self) -> Any:
        return getattr(self.ground.box, self.system)

    @property
    def people(self) -> People:
        return People(self.ground.bench, self.system)

    # ---------------------------------------------------------------- runs

    def run(self, *, full: bool = False) -> tuple[Plan, RunReport]:
        now = self.ground.bench.now + self.our_clock
        return self.ground.bench.sync(self.system, full=full, now=now)

    def cycle(self) -> RunReport | None:
        """A run under the fault: what it raises is kept, and so is how long it took."""
        began = self.ground.bench.now
        try:
            self.reports.append(self.run()[1])
        except (CrmsyncError, KeyboardInterrupt) as error:
            self.errors.append(error)
            return None
        finally:
            self.waited_s = max(self.waited_s, (self.ground.bench.now - began).total_seconds())
        return self.reports[-1]

    def in_child(self, prepare: Act = lambda: None) -> int:
        """A run in a process of its own; its wait status. 7: an error of crmsync, 8: any other."""
        pid = os.fork()
        if pid == 0:
            signal.setitimer(signal.ITIMER_REAL, 0)
            code = 8
            try:
                prepare()
                code = 7
                self.run()
                code = 0
            except CrmsyncError:
                code = 7
            except BaseException:  # noqa: BLE001
                code = 8
            finally:
                os._exit(code)
        try:
            status = os.waitpid(pid, 0)[1]
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        self.died = os.WIFSIGNALED(status)
        return status

    # ---------------------------------------------------------------- where a fault gets in

    def arm(self, kind: str, *, k: int | None = None, **options: Any) -> Any:
        """A fault of the sandbox at the k-th request, sign-ins counted."""
        at = (self.k if k is None else k) + 1
        return self.ground.box.faults.add(system=self.system, kind=kind, at=at, **{"match": "/", **options})

    def person(self, **act: Any) -> None:
        """Somebody acts right before the k-th request."""
        self.people_acted = True
        self.arm("person", act={"system": self.system, **act})

    @contextmanager
    def at_request(self, act: Act, when: str, k: int | None = None) -> Iterator[None]:
        """``act`` before the k-th request leaves, or after its answer came."""
        with patch.object(Wire, "exchange", _around(Wire.exchange, self.k if k is None else k, act, when)):
            yield

    @contextmanager
    def at_commit(self, act: Act, when: str) -> Iterator[None]:
        with patch.object(Store, "_run", _around(Store._run, self.k, act, when, _is_commit)):
            yield

    def at_point(self, act: Act) -> Any:
        """Where the case says: at a request, at a commit, on opening, while deciding, on closing."""
        point, when = self.case.point, self.case.variant
        if point in ("S", "K"):
            return self.at_commit(act, when)
        if place := _CALLS.get(point):
            return patch(place, _around(_found(place), 0, act, when))
        return self.at_request(act, when)


_CALLS = {
    "C": "crmsync.store.store.connect",
    "M": "crmsync.sync.cycle._decided",
    "E": "crmsync.store.runs.Runs.finish_run",
}


def _found(place: str) -> Any:
    from pkgutil import resolve_name

    module, _, name = place.rpartition(".")
    return getattr(resolve_name(module), name)


def _is_commit(_store: Any, sql: str = "", *_: Any) -> bool:
    return sql == "COMMIT"


def _around(
    real: Callable[..., Any], k: int, act: Act, when: str, applies: Callable[..., bool] = lambda *_: True
) -> Callable[..., Any]:
    left = k

    def hooked(*args: Any, **more: Any) -> Any:
        nonlocal left
        if not applies(*args):
            return real(*args, **more)
        left -= 1
        if left == -1 and when != "after":
            act()
        result = real(*args, **more)
        if left == -1 and when == "after":
            act()
        return result

    return hooked


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def interrupt() -> None:
    raise KeyboardInterrupt


def hear_nothing() -> None:
    raise NoAnswer("timeout", "no answer in time")


def mirror_rows(store: Store, name: str) -> dict[str, RemoteRecord]:
    return {row.id: row for row in store.rows(name)}
