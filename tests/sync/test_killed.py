"""kill -9 at any request and any commit: the next run heals without anybody's help."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crmsync.connectors.wire import Wire
from crmsync.store import Store
from tests.sync.conftest import SYSTEMS, Bench, begin_again
from tests.sync.people import People, assert_nothing_is_doubled
from tests.sync.test_every_request import fields_of

EVERY = 1 if os.environ.get("CRMSYNC_EXHAUSTIVE") else 17
MOST = 400


class _Fuse:
    """Kills its process at the ``at``-th dangerous point: around each request, around each commit."""

    def __init__(self, at: int) -> None:
        self._left = at

    def burn(self) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1

    def around(self, act: Callable[..., Any], applies: Callable[..., bool] = lambda *_: True) -> Callable[..., Any]:
        def burning(*args: Any, **more: Any) -> Any:
            if not applies(*args):
                return act(*args, **more)
            self.burn()
            result = act(*args, **more)
            self.burn()
            return result

        return burning


def sync_until_killed(bench: Bench, system: str, at: int) -> bool:
    """Sync in a process of its own that dies at a point; whether it died."""
    pid = os.fork()
    if pid == 0:
        try:
            fuse = _Fuse(at)
            Wire.exchange = fuse.around(Wire.exchange)  # type: ignore[method-assign]
            Store._run = fuse.around(Store._run, lambda _, sql, *rest: sql == "COMMIT")  # type: ignore[method-assign]
            bench.sync(system)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def points() -> Iterator[int]:
    return iter(range(1, MOST, EVERY))


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_killed_run_is_taken_up_by_the_next(stage: Bench, tiny_world: Path, system: str) -> None:
    begin_again(stage, tiny_world)
    stage.sync(system)
    undisturbed = fields_of(stage, system)
    died = 0
    for at in points():
        begin_again(stage, tiny_world)
        if not sync_until_killed(stage, system, at):
            break
        died += 1
        stage.box.clock.advance(60)
        _, report = stage.sync(system)
        assert report.status == "ok", (at, report.failures)
        plan, _ = stage.sync(system)
        assert plan.changes == (), at
        assert fields_of(stage, system) == undisturbed, at
        assert_nothing_is_doubled(People(stage, system))
        with stage.session(system) as session:
            assert (session.store.unresolved(), session.store.pending()) == ([], []), at
    assert died > 5
