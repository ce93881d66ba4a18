"""A project against the loopback sandbox: real YAML, real HTTP, real clients.

Worlds are made once per test run and copied: ``bench`` and ``synced`` are the small one before and after its first
sync of both CRMs, ``tiny`` and ``tiny_synced`` the same with a handful of records.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tenacity import wait_none

from crmsync.connectors.salesforce.permissions import NAME
from crmsync.project import Project, load_project, write_starter
from crmsync.remote import ProvisionStep
from crmsync.sandbox import Sandbox
from crmsync.sandbox.clock import SandboxClock
from crmsync.sandbox.credentials import HUBSPOT_TOKEN, SALESFORCE_CLIENT_SECRET
from crmsync.sandbox.hubspot.portal import HubSpotPortal
from crmsync.sandbox.salesforce.org import SalesforceOrg
from crmsync.sandbox.world.to_hubspot import load_hubspot
from crmsync.sandbox.world.to_salesforce import load_salesforce
from crmsync.sync.cycle import sync
from crmsync.sync.plan import Plan
from crmsync.sync.report import RunReport
from crmsync.sync.session import Session, open_session
from tests.sync.tiny import build_tiny_world

SYSTEMS = ("salesforce", "hubspot")

SECRETS = {
    "CRMSYNC_SANDBOX_SALESFORCE_SECRET": SALESFORCE_CLIENT_SECRET,
    "CRMSYNC_SANDBOX_HUBSPOT_TOKEN": HUBSPOT_TOKEN,
}

TODAY = datetime(2026, 6, 17, 9, 0, tzinfo=UTC)
"""When every test takes place, so that no failure depends on the day it is run."""

URL = "http://127.0.0.1:8790"
CRM, PROJECT = "crm", "project"
"""What a directory with a world holds."""


@dataclass
class Bench:
    """A sandbox and a project that points at it."""

    box: Sandbox
    directory: Path
    environ: dict[str, str]

    @property
    def project(self) -> Project:
        return load_project(self.directory)

    @property
    def now(self) -> datetime:
        return self.box.clock.now()

    def session(self, system: str, now: datetime | None = None) -> AbstractContextManager[Session]:
        return open_session(self.project, system, now=now or self.now, environ=self.environ)

    def sync(self, system: str, *, full: bool = False, now: datetime | None = None) -> tuple[Plan, RunReport]:
        with self.session(system, now) as session:
            return sync(session, full=full)

    def provision(self, system: str) -> list[ProvisionStep]:
        with self.session(system) as session:
            return list(session.connector.provision(session.mapping.schema(), apply=True))

    def forget(self, system: str) -> None:
        """Delete the store, as an operator may at any time."""
        for path in self.project.store_path(system).parent.glob(f"{system}.db*"):
            path.unlink()

    def edit_yaml(self, name: str, old: str, new: str) -> None:
        path = self.directory / name
        text = path.read_text()
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new, 1))

    def writes(self, system: str) -> int:
        return int(getattr(self.box, system).write_count())

    def calls(self, system: str) -> int:
        """Requests since the log was last reset."""
        return len(getattr(self.box, system).requests)


def make_project(directory: Path, url: str) -> Path:
    """The demo project of the starter, pointed at a sandbox."""
    write_starter(directory, demo=True)
    point_at(directory, url)
    return directory


def point_at(directory: Path, url: str) -> None:
    path = directory / "crmsync.yaml"
    path.write_text(path.read_text().replace(URL, url))


def new_clock() -> SandboxClock:
    """A clock that runs, from :data:`TODAY` on."""
    clock = SandboxClock()
    clock.advance((TODAY - clock.now()).total_seconds())
    return clock


@contextmanager
def open_bench(directory: Path, world: str = "small") -> Iterator[Bench]:
    """A bench on a directory, which is filled if it is empty; what is done stays there."""
    with Sandbox(directory / CRM, world=world, clock=new_clock()) as box:
        if (directory / PROJECT).exists():
            point_at(directory / PROJECT, box.url)
        else:
            make_project(directory / PROJECT, box.url)
        bench = Bench(box, directory / PROJECT, dict(SECRETS))
        yield bench
        config = bench.directory / "crmsync.yaml"
        config.write_text(config.read_text().replace(box.url, URL))


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small world in both CRMs, provisioned."""
    return _provisioned(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def small_world_synced(small_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _synced(_copy(small_world, tmp_path_factory.mktemp("small") / "synced"))


@pytest.fixture(scope="session")
def tiny_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few neighbourhoods in both CRMs, provisioned."""
    directory = tmp_path_factory.mktemp("tiny")
    (directory / CRM).mkdir()
    world, clock = build_tiny_world(TODAY.date()), SandboxClock(TODAY)
    org = SalesforceOrg(str(directory / CRM / "salesforce.db"), clock)
    portal = HubSpotPortal(str(directory / CRM / "hubspot.db"), clock)
    load_salesforce(world, org)
    load_hubspot(world, portal)
    org.close()
    portal.close()
    return _provisioned(directory)


@pytest.fixture(scope="session")
def tiny_world_synced(tiny_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _synced(_copy(tiny_world, tmp_path_factory.mktemp("tiny") / "synced"))


def _copy(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return target


def _provisioned(directory: Path) -> Path:
    with open_bench(directory) as bench:
        for system in SYSTEMS:
            bench.provision(system)
        _let_people_edit(bench.box.salesforce)
    return directory


def _let_people_edit(org: SalesforceOrg) -> None:
    """Salesforce lets nobody see a new field: the administrator gets our permission set, too."""
    (ours,) = org.rows("PermissionSet", '"Name" = ?', (NAME,))
    org.create("PermissionSetAssignment", {"PermissionSetId": ours["Id"], "AssigneeId": org.person().user_id})


def _synced(directory: Path) -> Path:
    with open_bench(directory) as bench:
        for system in SYSTEMS:
            bench.sync(system)
    return directory


@pytest.fixture(scope="module")
def stage(tiny_world_synced: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A bench to be set anew many times, with :func:`begin_again`."""
    with open_bench(_copy(tiny_world_synced, tmp_path_factory.mktemp("stage") / "world")) as bench:
        yield bench


def begin_again(bench: Bench, source: Path) -> None:
    """The world of ``source``, an hour later."""
    bench.box.reset(source / CRM)
    bench.box.clock.advance((TODAY - bench.box.clock.now()).total_seconds() + 3600)
    shutil.rmtree(bench.directory)
    shutil.copytree(source / PROJECT, bench.directory)
    point_at(bench.directory, bench.box.url)


@pytest.fixture
def bench(small_world: Path, tmp_path: Path) -> Iterator[Bench]:
    """The small world in both CRMs, provisioned."""
    with open_bench(_copy(small_world, tmp_path / "world")) as ready:
        yield ready


@pytest.fixture
def synced(small_world_synced: Path, tmp_path: Path) -> Iterator[Bench]:
    """The small world after its first sync of both CRMs, an hour later."""
    with open_bench(_copy(small_world_synced, tmp_path / "world")) as ready:
        ready.box.clock.advance(3600)
        yield ready


@pytest.fixture
def tiny(tiny_world: Path, tmp_path: Path) -> Iterator[Bench]:
    with open_bench(_copy(tiny_world, tmp_path / "world")) as ready:
        yield ready


@pytest.fixture
def tiny_synced(tiny_world_synced: Path, tmp_path: Path) -> Iterator[Bench]:
    with open_bench(_copy(tiny_world_synced, tmp_path / "world")) as ready:
        ready.box.clock.advance(3600)
        yield ready


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are tried again at once."""
    monkeypatch.setattr("crmsync.connectors.transport._back_off", wait_none())
    monkeypatch.setattr("crmsync.connectors.transport.retry_after_s", lambda *_, **__: 0.0)
