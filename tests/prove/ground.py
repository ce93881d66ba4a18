"""The ground that cases are played on: two small worlds on disk, one sandbox whose every request takes a second.

*first* is provisioned and was never synced; *later* was synced, and people have worked since. Pages hold ten rows and
batches six, so that a handful of records has next pages and several batches. Time is the sandbox's own: it stands still
between requests, and a client that waits moves it on, so that nothing sleeps and everything can be repeated.
"""

from __future__ import annotations

import io
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import structlog
from tenacity import wait_fixed

from crmsync.connectors.hubspot.api import HubSpotApi
from crmsync.connectors.hubspot.connector import HubSpotConnector
from crmsync.connectors.pacing import Pacer
from crmsync.connectors.salesforce.client import Client
from crmsync.connectors.salesforce.connector import SalesforceConnector
from crmsync.connectors.transport import Transport
from crmsync.log import setup_logging
from crmsync.sandbox import Sandbox
from crmsync.sandbox.clock import SandboxClock
from crmsync.sandbox.faults import system_of
from crmsync.sandbox.hubspot.portal import HubSpotPortal
from crmsync.sandbox.salesforce.org import SalesforceOrg
from crmsync.sandbox.salesforce.soql import runner
from crmsync.sandbox.world.to_hubspot import load_hubspot
from crmsync.sandbox.world.to_salesforce import load_salesforce
from crmsync.sync.session import load_rules
from tests.prove.judge import count_entries
from tests.prove.story import live_on
from tests.sync.conftest import CRM, PROJECT, SECRETS, SYSTEMS, TODAY, URL, Bench, make_project, point_at
from tests.sync.people import People
from tests.sync.tiny import build_tiny_world

TICK_S = 1.0
PAGE, BATCH = 10, 6
WORLDS = ("first", "later")
START = TODAY + timedelta(hours=1)


class Box(Sandbox):
    """A sandbox in which each request takes a second, and that knows which requests changed records."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, world="blank", clock=SandboxClock(TODAY))
        self.writing: list[bool] = []
        self.arrivals: list[tuple[Any, ...]] = []
        """Every request with its time, noted as it comes: what happens to its answer is another matter."""

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        system = system_of(scope["path"]) if scope["type"] == "http" else None
        if system is None:
            await super()._app(scope, receive, send)
            return
        self.clock.advance(TICK_S)
        self.arrivals.append((self.clock.now(), scope["method"], scope["path"], scope["query_string"]))
        before = count_entries(self._crm(system))
        try:
            await super()._app(scope, receive, send)
        finally:
            self.writing.append(count_entries(self._crm(system)) > before)


@dataclass
class Ground:
    """One sandbox, set anew for every case."""

    bench: Bench
    saved: Path
    log: io.StringIO = field(default_factory=io.StringIO)
    standing: int = 0
    """How many stand on it: only then are pages small and time the sandbox's own."""
    _ends: tuple[datetime, Callable[[], None]] | None = None

    @property
    def box(self) -> Box:
        assert isinstance(self.bench.box, Box)
        return self.bench.box

    @contextmanager
    def stand(self) -> Iterator[None]:
        """Step on the ground. Everything that a test of something else must not meet ends with it."""
        if self.standing:
            yield
            return
        with ExitStack() as stack:
            stack.enter_context(_own_time(self))
            stack.enter_context(_small_pages())
            stack.enter_context(_rules_kept())
            stack.enter_context(_logs_to(self.log))
            self.standing += 1
            try:
                yield
            finally:
                self.standing -= 1

    def begin(self, world: str) -> None:
        """The world as it was saved, nobody at work, no fault armed."""
        source = self.saved / world
        self.box.reset(source / CRM)
        self.box.clock.set(START)
        self.box.traffic.seen.clear()
        self.box.writing.clear()
        self.box.arrivals.clear()
        shutil.rmtree(self.bench.directory)
        shutil.copytree(source / PROJECT, self.bench.directory)
        point_at(self.bench.directory, self.box.url)
        self.bench.environ = dict(SECRETS)
        self.log.seek(0)
        self.log.truncate()

    def wait(self, seconds: float) -> None:
        """What the engine does instead of sleeping; something may end meanwhile."""
        self.box.clock.advance(seconds)
        if self._ends and self.box.clock.now() >= self._ends[0]:
            self._ends[1]()
            self._ends = None

    @contextmanager
    def until(self, instant: datetime, act: Callable[[], None]) -> Iterator[None]:
        """``act`` when somebody has waited until then."""
        self._ends = (instant, act)
        try:
            yield
        finally:
            self._ends = None

    def save(self, world: str) -> None:
        """Keep the world as it is now under a name."""
        target = self.saved / world
        self.box.salesforce.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.box.hubspot.database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (target / CRM).mkdir(parents=True)
        for name in ("salesforce.db", "hubspot.db"):
            shutil.copyfile(self.box.directory / name, target / CRM / name)
        shutil.copytree(self.bench.directory, target / PROJECT)
        config = target / PROJECT / "crmsync.yaml"
        config.write_text(config.read_text().replace(self.box.url, URL))


@contextmanager
def open_ground() -> Iterator[Ground]:
    """Both worlds made, and the sandbox running."""
    with tempfile.TemporaryDirectory(prefix="crmsync-prove-", dir=_memory()) as name, ExitStack() as stack:
        root = Path(name)
        _load(root / CRM)
        box = stack.enter_context(Box(root / CRM))
        bench = Bench(box, make_project(root / PROJECT, box.url), dict(SECRETS))
        ground = Ground(bench, root / "saved")
        with ground.stand():
            _make_worlds(ground)
        yield ground


@contextmanager
def standing_ground() -> Iterator[Ground]:
    """The same, stood on: for a process that does nothing else."""
    with open_ground() as ground, ground.stand():
        yield ground


def _memory() -> str | None:
    """Where a commit does not wait for a disk; what a disk may lose is injected, not hoped for."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108


def _load(directory: Path) -> None:
    directory.mkdir()
    world, clock = build_tiny_world(TODAY.date()), SandboxClock(TODAY)
    org = SalesforceOrg(str(directory / "salesforce.db"), clock)
    portal = HubSpotPortal(str(directory / "hubspot.db"), clock)
    load_salesforce(world, org)
    load_hubspot(world, portal)
    org.close()
    portal.close()


def _make_worlds(ground: Ground) -> None:
    for system in SYSTEMS:
        ground.bench.provision(system)
    _may_edit_everything(ground.box.salesforce)
    ground.save("first")
    for system in SYSTEMS:
        ground.bench.sync(system)
    ground.box.clock.set(TODAY + timedelta(minutes=30))
    for system in SYSTEMS:
        live_on(People(ground.bench, system))
    ground.save("later")


def _may_edit_everything(org: SalesforceOrg) -> None:
    """The administrator gives himself the permission set that our fields came with."""
    found = org.rows("PermissionSet", '"Name" LIKE ?', ("crmsync%",))
    org.create("PermissionSetAssignment", {"PermissionSetId": found[0]["Id"], "AssigneeId": org.person().user_id})


@contextmanager
def _own_time(ground: Ground) -> Iterator[None]:
    """Waiting moves the sandbox's clock, and nothing else does."""
    clock = ground.box.clock

    def monotonic() -> float:
        return clock.now().timestamp()

    stand_ins = {"sleep": ground.wait, "clock": monotonic, "now": clock.now}
    with ExitStack() as stack:
        for kind in (Transport, Pacer, Client, SalesforceConnector, HubSpotApi, HubSpotConnector):
            defaults = kind.__init__.__kwdefaults__ or {}
            stack.enter_context(patch.dict(defaults, {n: v for n, v in stand_ins.items() if n in defaults}))
        stack.enter_context(patch("crmsync.connectors.transport._back_off", wait_fixed(1)))
        yield


@contextmanager
def _small_pages() -> Iterator[None]:
    with ExitStack() as stack:
        for name in ("MIN_BATCH", "MAX_BATCH", "LONG_TEXT_BATCH"):
            stack.enter_context(patch.object(runner, name, PAGE))
        for place in (
            "crmsync.sandbox.salesforce.api.query.MAX_BATCH",
            "crmsync.connectors.hubspot.pull.SEARCH_PAGE",
            "crmsync.connectors.hubspot.records.BATCH",
        ):
            stack.enter_context(patch(place, PAGE))
        for place in ("salesforce.connector.SalesforceConnector", "hubspot.connector.HubSpotConnector"):
            stack.enter_context(patch(f"crmsync.connectors.{place}.batch_size", BATCH))
        yield


@contextmanager
def _rules_kept() -> Iterator[None]:
    """Mapping and policy are compiled anew only when a file of theirs has changed."""
    kept: dict[Any, Any] = {}

    def load(project: Any, connection: Any) -> Any:
        files = (connection.mapping, project.policy)
        key = (connection.system, *files, *(path.read_bytes() for path in files))
        if key not in kept:
            kept[key] = load_rules(project, connection)
        return kept[key]

    with patch("crmsync.sync.session.load_rules", load), patch("tests.sync.people.load_rules", load):
        yield


@contextmanager
def _logs_to(stream: io.StringIO) -> Iterator[None]:
    root = logging.getLogger()
    before = (structlog.get_config(), root.handlers, root.level)
    setup_logging("debug", stream=stream, as_json=True)
    try:
        yield
    finally:
        structlog.configure(**before[0])
        root.handlers, root.level = before[1], before[2]
