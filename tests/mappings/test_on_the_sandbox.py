"""The starter mappings on the real thing: both CRMs of the sandbox, described and pulled over HTTP."""

from collections.abc import Iterator

import pytest

from crmsync.connectors import open_connector
from crmsync.connectors.base import ConnectionSettings, Connector
from crmsync.mappings import Mapping, check_live
from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN, SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET
from tests.mappings.test_starter import DEMOS, STARTERS, SYSTEMS

SECRETS = {"client_id": SALESFORCE_CLIENT_ID, "client_secret": SALESFORCE_CLIENT_SECRET, "token": HUBSPOT_TOKEN}


@pytest.fixture(scope="module", params=["small", "blank"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(world=request.param) as box:
        yield box


@pytest.fixture(params=SYSTEMS)
def connector(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Connector]:
    opened = open_connector(ConnectionSettings(request.param, request.param, sandbox.url, secrets=SECRETS))
    yield opened
    opened.close()


def test_the_starter_fits_once_provisioned(connector: Connector, sandbox: Sandbox) -> None:
    """An empty CRM, as somebody has who tries it, and the demo's, each with its own."""
    mapping = (STARTERS if sandbox.world == "blank" else DEMOS)[connector.system]
    before = check_live(mapping, connector.describe)
    assert {d.hint for d in before} == {"make it with `crmsync provision`"}
    steps = connector.provision(mapping.schema(), apply=True)
    assert not [step for step in steps if step.action == "blocked"]
    assert not [step for step in connector.provision(mapping.schema(), apply=True) if step.is_change]
    assert [d.render() for d in check_live(mapping, connector.describe)] == []
    problems, counts = read_all(connector, mapping)
    assert problems == []
    assert all(counts.values()) or sandbox.world == "blank"


def read_all(connector: Connector, mapping: Mapping) -> tuple[list[str], dict[str, int]]:
    problems: list[str] = []
    counts = {}
    for spec in mapping.objects():
        found = [row for page in connector.pull(spec, None) for row in page.records]
        results = [mapping.read(spec.object, row) for row in found]
        problems += [str(problem) for result in results for problem in result.problems]
        counts[spec.object] = sum(len(result.records) + len(result.links) for result in results)
    return problems, counts
