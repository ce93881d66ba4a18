"""A project against the loopback sandbox: real YAML, real HTTP, real clients, the small world."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from crmsync.project import Project, load_project, starter_dir
from crmsync.remote import ProvisionStep
from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN, SALESFORCE_CLIENT_SECRET
from crmsync.sync.cycle import sync
from crmsync.sync.plan import Plan
from crmsync.sync.report import RunReport
from crmsync.sync.session import Session, open_session

SYSTEMS = ("salesforce", "hubspot")

SECRETS = {
    "CRMSYNC_SANDBOX_SALESFORCE_SECRET": SALESFORCE_CLIENT_SECRET,
    "CRMSYNC_SANDBOX_HUBSPOT_TOKEN": HUBSPOT_TOKEN,
}


@dataclass
class Bench:
    """A sandbox and a project that points at it."""

    box: Sandbox
    directory: Path
    environ: dict[str, str]

    @property
    def project(self) -> Project:
        return load_project(self.directory)

    def session(self, system: str, now: datetime | None = None) -> AbstractContextManager[Session]:
        return open_session(self.project, system, now=now or self.box.clock.now(), environ=self.environ)

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


def make_project(directory: Path, url: str) -> Path:
    """The demo project of the starter, pointed at a sandbox."""
    shutil.copytree(starter_dir(), directory)
    demo = directory / "demo" / "crmsync.yaml"
    text = demo.read_text().replace("http://127.0.0.1:8790", url)
    (directory / "crmsync.yaml").write_text(text)
    shutil.rmtree(directory / "demo")
    return directory


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """The small world in both CRMs, provisioned."""
    with Sandbox(world="small") as box:
        ready = Bench(box, make_project(tmp_path / "project", box.url), dict(SECRETS))
        for system in SYSTEMS:
            ready.provision(system)
        yield ready


@pytest.fixture
def synced(bench: Bench) -> Bench:
    """The small world after its first sync of both CRMs."""
    for system in SYSTEMS:
        bench.sync(system)
    return bench
