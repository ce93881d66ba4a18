"""Both CRMs through the same suite. Accounts and companies stand for any object."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from crmsync.connectors import open_connector
from crmsync.connectors.base import ConnectionSettings, Connector
from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import HUBSPOT_TOKEN, SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET
from tests.connectors.conformance import Conformance


@pytest.fixture
def box():
    with Sandbox(world="blank") as box:
        yield box


class HubSpotCrm:
    system = "hubspot"
    object = "companies"
    name_field = "name"
    key_field = "prm_key"
    read_only_field = "hs_object_id"
    page = 230

    def __init__(self, box: Sandbox) -> None:
        self._portal = box.hubspot
        self._clock = box.clock
        self.url = box.url
        self._portal.create_property("companies", "prm_key", "string", "text", "Key", has_unique_value=True)

    def connect(self, *, wrong_secret: bool = False) -> Connector:
        secrets = {"token": "wrong" if wrong_secret else HUBSPOT_TOKEN}
        return open_connector(ConnectionSettings("test", "hubspot", self.url, secrets=secrets))

    def insert(self, names: Sequence[str], *, days_ago: int = 1) -> list[str]:
        stamp = (self._clock.now() - timedelta(days=days_ago)).isoformat()
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


class SalesforceCrm:
    system = "salesforce"
    object = "Account"
    name_field = "Name"
    key_field = "PRM_Key__c"
    read_only_field = "CreatedDate"
    page = 2_050

    def __init__(self, box: Sandbox) -> None:
        self._org = box.salesforce
        self._clock = box.clock
        self.url = box.url
        self._org.create_field("Account", "PRM_Key__c", "text", "Key", length=80, external_id=True, unique=True)

    def connect(self, *, wrong_secret: bool = False) -> Connector:
        secrets = {"client_secret": "wrong" if wrong_secret else SALESFORCE_CLIENT_SECRET}
        auth = {"client_id": SALESFORCE_CLIENT_ID}
        return open_connector(ConnectionSettings("test", "salesforce", self.url, auth=auth, secrets=secrets))

    def insert(self, names: Sequence[str], *, days_ago: int = 1) -> list[str]:
        stamp = (self._clock.now() - timedelta(days=days_ago)).isoformat()
        stamps = {"CreatedDate": stamp, "LastModifiedDate": stamp, "SystemModstamp": stamp}
        return self._org.insert_rows("Account", [{"Name": n, "PRM_Key__c": f"k-{n}", **stamps} for n in names])

    def edit(self, record_id: str, name: str) -> None:
        self._org.edit("Account", record_id, {"Name": name})

    def delete(self, record_id: str) -> None:
        self._org.delete("Account", record_id)

    def merge(self, winner: str, loser: str) -> str:
        self._org.merge("Account", winner, [loser])
        return winner

    def name_of(self, record_id: str) -> str:
        row = self._org.row("Account", record_id)
        return str(row["Name"]) if row else ""

    def with_key(self, key: str) -> list[str]:
        rows = self._org.rows("Account", '"PRM_Key__c" = ? AND "IsDeleted" = 0', (key,))
        return [str(row["Id"]) for row in rows]

    def write_count(self) -> int:
        return self._org.write_count()


class TestHubSpot(Conformance):
    @pytest.fixture
    def crm(self, box: Sandbox) -> HubSpotCrm:
        return HubSpotCrm(box)


class TestSalesforce(Conformance):
    @pytest.fixture
    def crm(self, box: Sandbox) -> SalesforceCrm:
        return SalesforceCrm(box)
