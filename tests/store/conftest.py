from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crmsync.remote import RemoteRecord
from crmsync.store import DecisionRow, FindingRow, JournalRow, Store

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stores" / "acme.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as opened:
        yield opened


def record(record_id: str, **fields: object) -> RemoteRecord:
    return RemoteRecord(id=record_id, fields=fields, modified_at=NOW)  # type: ignore[arg-type]


def decision(record_id: str, field: str = "attribution", value: str = '"sourced"') -> DecisionRow:
    return DecisionRow(
        kind="deal",
        id=record_id,
        field=field,
        value=value,
        code="SOURCED",
        reason="registered first",
        rule="attribution.sourced",
        where="policies/baseline.yaml:12",
        trace=["one", "two"],
        policy_version="2026.1",
        decided_at=NOW,
    )


def finding(record_id: str, code: str = "CONFLICT", subject: str = "") -> FindingRow:
    return FindingRow(
        code=code,
        severity="warning",
        kind="deal",
        id=record_id,
        subject=subject,
        message="two registrations",
        rule="conflict",
        where="policies/baseline.yaml:40",
        evidence=["R-0001"],
        label=f"Deal {record_id}",
    )


def intent(ref: str = "r-0001/deals/1", record_id: str = "1", field: str = "amount", **changes: object) -> JournalRow:
    given: dict[str, object] = {
        "run_id": "r-0001",
        "ref": ref,
        "op": "update",
        "object": "deals",
        "record_id": record_id,
        "key_field": "",
        "key": "",
        "kind": "deal",
        "label": "Acme renewal",
        "field": field,
        "remote_field": f"prm_{field}",
        "old": None,
        "new": "12",
        "rule": "r",
        "where": "p.yaml:1",
        "reason": "because",
        "at": NOW,
    }
    return JournalRow(**{**given, **changes})  # type: ignore[arg-type]
