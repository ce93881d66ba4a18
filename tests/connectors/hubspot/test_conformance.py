"""The connector suite over the HubSpot sandbox; companies stand for any object."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from crmsync.connectors import open_connector
from crmsync.connectors.base import ConnectionSettings, Connector
from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN
from tests.connectors.conformance import Conformance


class HubSpotCrm:
    system = "hubspot"
    object = "companies"
    name_field = "name"
    key_field = "prm_key"
    read_only_field = "hs_object_id"
    page = 130

    def __init__(self, box: Sandbox) -> None:
        self._portal = box.hubspot
        self._clock = box.clock
        self.url = box.url
        self._portal.create_property("companies", "prm_key", "string", "text", "Key", has_unique_value=True)

    def connect(self, *, wrong_secret: bool = False, url: str = "") -> Connector:
        secrets = {"token": "wrong" if wrong_secret else HUBSPOT_TOKEN}
        return open_connector(ConnectionSettings("test", "hubspot", url or self.url, secrets=secrets))

    def insert(self, names: Sequence[str]) -> list[str]:
        stamp = (self._clock.now() - timedelta(days=1)).isoformat()
        rows = [{"name": n, "prm_key": f"k-{n}", "createdate": stamp, "hs_lastmodifieddate": stamp} for n in names]
        return self._portal.insert_rows("companies", rows)

    def edit(self, record_id: str, name: str) -> None:
        self._portal.edit("companies", record_id, {"name": name})

    def delete(self, record_id: str) -> None:
        self._portal.archive("companies", record_id)

    def merge(self, winner: str, loser: str) -> str:
        return self._portal.merge("companies", winner, loser)

    def name_of(self, record_id: str) -> str:
        return self._portal.get("companies", record_id)["name"]

    def with_key(self, key: str) -> list[str]:
        return [row["hs_object_id"] for row in self._portal.rows("companies") if row.get("prm_key") == key]

    def write_count(self) -> int:
        return self._portal.write_count()


@pytest.fixture
def box():
    with Sandbox(world="blank") as box:
        yield box


class TestHubSpot(Conformance):
    @pytest.fixture
    def crm(self, box):
        return HubSpotCrm(box)
