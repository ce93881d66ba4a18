"""getUpdated and getDeleted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from simple_salesforce import Salesforce

from crmsync.sandbox import Sandbox
from crmsync.sandbox.salesforce.org import SalesforceOrg
from tests.sandbox.salesforce.conftest import Send

NOW = datetime(2026, 5, 13, 12, 0, 30, tzinfo=UTC)


def test_what_changed_and_what_went(box: Sandbox, sf: Salesforce, org: SalesforceOrg) -> None:
    box.clock.set(NOW)
    kept, gone = org.insert_rows("Account", [{"Name": "kept"}, {"Name": "gone"}])
    org.delete("Account", gone)
    box.clock.advance(300)
    start, end = datetime(2026, 5, 13, 12, 0, tzinfo=UTC), datetime(2026, 5, 13, 13, 0, tzinfo=UTC)
    updated, deleted = sf.Account.updated(start, end), sf.Account.deleted(start, end)
    assert updated["ids"] == [kept]
    assert updated["latestDateCovered"] == "2026-05-13T12:05:00.000+0000"
    assert deleted["deletedRecords"] == [{"id": gone, "deletedDate": "2026-05-13T12:00:30.000+0000"}]
    box.clock.reset()


@pytest.mark.parametrize(
    ("path", "start", "end", "code"),
    [
        ("Account/updated", "2026-05-13T12:00:00Z", "2026-05-13T12:00:59Z", "INVALID_REPLICATION_DATE"),
        ("Account/updated", "2026-04-01T12:00:00Z", "2026-05-13T12:00:00Z", "INVALID_REPLICATION_DATE"),
        ("Account/deleted", "2026-04-20T12:00:00Z", "2026-05-13T12:00:00Z", "INVALID_REPLICATION_DATE"),
        ("Account/deleted", "2026-05-13T12:00:00Z", "2026-05-13T12:01:00Z", "INVALID_REPLICATION_DATE"),
        ("Account/updated", "yesterday", "2026-05-13T12:00:00Z", "INVALID_REPLICATION_DATE"),
        ("OpportunityPartner/updated", "2026-05-13T10:00:00Z", "2026-05-13T12:00:00Z", "INVALID_TYPE"),
    ],
)
def test_refused_windows(box: Sandbox, send: Send, path: str, start: str, end: str, code: str) -> None:
    box.clock.set(NOW)
    answer = send("GET", f"/sobjects/{path}", params={"start": start, "end": end})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)
    box.clock.reset()
