"""Answers that a real org gave, replayed: the shapes that everything else here relies on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import vcr

from crmsync.connectors.salesforce.connector import SalesforceConnector
from crmsync.remote import ApiBudget, ObjectSpec
from tests.connectors.scripted import settings

CASSETTE = Path(__file__).parents[2] / "cassettes" / "salesforce_recorded.yaml"
URL = "https://partners.my.salesforce.com"


@pytest.fixture
def connector() -> Iterator[SalesforceConnector]:
    made = SalesforceConnector(settings(URL, auth={"client_id": "c"}, secrets={"client_secret": "s"}))
    with vcr.use_cassette(str(CASSETTE), record_mode="none", match_on=["method", "scheme", "host", "path"]):
        yield made
    made.close()


def test_sign_in_describe_and_pull_of_a_real_org(connector: SalesforceConnector) -> None:
    (page,) = connector.pull(ObjectSpec("CustomObject__c", ("Name", "SynchronizationId__c")), None)
    first, second = page.records
    assert (first.id, first.fields) == ("a001a000002zhYgAAI", {"Name": "Sample object", "SynchronizationId__c": None})
    assert first.modified_at == datetime(2015, 6, 25, 21, 54, 22, tzinfo=UTC)
    assert second.fields["SynchronizationId__c"] == "someid"
    assert page.expected == 2
    assert connector.budget() == ApiBudget(used=3, limit=15000, remaining=14925)


def test_a_real_describe_is_read_whole(connector: SalesforceConnector) -> None:
    list(connector.pull(ObjectSpec("CustomObject__c", ()), None))
    info = connector.describe("CustomObject__c")
    assert info is not None
    assert info.custom
    friend, key = info.fields["Friend__c"], info.fields["SynchronizationId__c"]
    assert (friend.type, friend.references) == ("reference", ("Contact",))
    assert (key.type, key.length, key.updateable) == ("text", 36, True)
    assert not info.fields["SystemModstamp"].updateable
