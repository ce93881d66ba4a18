"""A first and a quiet sync of the demo world, next to reading the same fields by the client one would pick instead.

python benchmarks/sync.py [world]       demo (the default) or small
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import bench
import requests
import structlog
from hubspot import HubSpot
from simple_salesforce import Salesforce

from crmsync.cli.sandbox import write_secrets
from crmsync.project import Project, load_project, write_starter
from crmsync.sandbox.credentials import HUBSPOT_TOKEN, SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET
from crmsync.sync.cycle import make_plan, sync
from crmsync.sync.session import Session, open_session

Measured = tuple[bench.Spent, int, int]
"""Time, API calls, records."""


def project_on(url: str, directory: Path) -> Project:
    write_starter(directory, demo=True)
    (directory / "sandbox").mkdir(exist_ok=True)
    write_secrets(directory / "sandbox")
    project = load_project(directory)
    here = {name: replace(connection, url=url) for name, connection in project.connections.items()}
    return replace(project, connections=MappingProxyType(here))


def timed(work: Callable[[], tuple[int, int]]) -> Measured:
    with bench.spending() as spent:
        calls, records = work()
        return spent(), calls, records


# -------------------------------------------------------------------- ours


def provision(project: Project, name: str) -> list[tuple[str, Sequence[str]]]:
    """Make the partner fields; (object, fields) of everything that a sync reads."""
    with open_session(project, name) as session:
        session.connector.provision(session.mapping.schema(), apply=True)
        return [(spec.object, spec.fields) for spec in session.mapping.objects()]


def in_session(project: Project, name: str, work: Callable[[Session], tuple[int, int]]) -> Measured:
    def run() -> tuple[int, int]:
        with open_session(project, name) as session:
            return work(session)

    return timed(run)


def planned(session: Session) -> tuple[int, int]:
    _, report = make_plan(session)
    return session.budget().used, sum(report.pulled.values())


def synced(session: Session) -> tuple[int, int]:
    _, report = sync(session)
    return session.budget().used, report.written + report.created


# -------------------------------------------------------------------- what one would pick instead


class Loopback(requests.Session):
    """simple-salesforce builds https addresses whatever it is told."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url, self.calls, self.trust_env = url, 0, False

    def request(self, method: str, url: str, *args: Any, **more: Any) -> requests.Response:
        self.calls += 1
        return super().request(method, f"{self.url}/{url.split('/', 3)[3]}", *args, **more)


def read_by_simple_salesforce(url: str, objects: list[tuple[str, Sequence[str]]]) -> tuple[int, int]:
    session = Loopback(url)
    client = Salesforce(
        consumer_key=SALESFORCE_CLIENT_ID,
        consumer_secret=SALESFORCE_CLIENT_SECRET,
        domain="sandbox.my",
        session=session,
    )
    read = 0
    for name, fields in objects:
        wanted = dict.fromkeys(["Id", *(one for one in fields if "." not in one)])
        read += len(list(client.query_all_iter(f"SELECT {', '.join(wanted)} FROM {name}")))
    return session.calls, read


def read_by_hubspot_client(url: str, objects: list[tuple[str, Sequence[str]]]) -> tuple[int, int]:
    client = HubSpot(access_token=HUBSPOT_TOKEN, host=url)
    read = calls = 0
    for name, fields in objects:
        if name not in ("owners", "pipelines"):
            found = len(client.crm.objects.get_all(name, properties=list(fields)))
            calls, read = calls + 1 + found // 100, read + found
    return calls, read


READERS = {"salesforce": read_by_simple_salesforce, "hubspot": read_by_hubspot_client}
PICKS = {"salesforce": "simple-salesforce: query_all_iter", "hubspot": "hubspot-api-client: get_all"}


def compare(url: str, project: Project, name: str) -> Iterator[tuple[str, Measured]]:
    objects = provision(project, name)
    READERS[name](url, objects[:1])  # imports and connections are not what is compared
    yield PICKS[name], timed(lambda: READERS[name](url, objects))
    yield "crmsync plan (first): reads and decides", in_session(project, name, planned)
    yield "crmsync sync (first): decides and writes", in_session(project, name, synced)
    in_session(project, name, synced)  # reads our own writes back, once
    yield "crmsync sync (quiet)", in_session(project, name, synced)


def main(world: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(f"{bench.machine()}; world '{world}', the sandbox on the second core")
    with tempfile.TemporaryDirectory() as directory, bench.serving(world) as server:
        project = project_on(server.url, Path(directory))
        for name in project.connections:
            base = 0.0
            print(f"\n{name:<42}{'wall':>9}{'CPU':>9}{'ratio':>8}{'calls':>8}{'records':>9}")
            for label, (spent, calls, records) in compare(server.url, project, name):
                base = base or spent.cpu_s
                times = f"{spent.seconds:>7.1f} s{spent.cpu_s:>7.2f} s{spent.cpu_s / base:>8.2f}"
                print(f"{label:<42}{times}{calls:>8}{records:>9,}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "demo")
