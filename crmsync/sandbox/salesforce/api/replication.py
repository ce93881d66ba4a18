"""getUpdated and getDeleted: ids that changed in a window, and up to where the answer is complete."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crmsync.sandbox.salesforce.api.calls import Answer, Call, Operations
from crmsync.sandbox.salesforce.errors import SalesforceError
from crmsync.sandbox.salesforce.schema import SObject
from crmsync.sandbox.salesforce.values import parse_datetime, stamp

OPERATIONS = Operations()
MAX_IDS = 600_000
UPDATED_WINDOW, DELETED_WINDOW = timedelta(days=30), timedelta(days=15)


def _window(call: Call, back: timedelta, shortest: timedelta) -> tuple[str, str]:
    start, end = (_instant(call, name) for name in ("start", "end"))
    if end - start <= shortest:
        raise SalesforceError("INVALID_REPLICATION_DATE", "startDate has to be before endDate")
    if start < call.org.clock.now().replace(second=0, microsecond=0) - back:
        raise SalesforceError("INVALID_REPLICATION_DATE", f"startDate before replication window of {back.days} days")
    return stamp(start), stamp(end)


def _instant(call: Call, name: str) -> datetime:
    """Seconds are dropped, as documented."""
    parsed = parse_datetime(call.query.get(name, "").replace(" ", "+"))
    if parsed is None:
        raise SalesforceError(
            "INVALID_REPLICATION_DATE", f"{name} is missing or not a date and time: {call.query.get(name)}"
        )
    return parsed.astimezone(UTC).replace(second=0, microsecond=0)


def _replicateable(call: Call, name: str) -> SObject:
    sobject = call.sobject(name)
    if not sobject.allows("replicateable"):
        raise SalesforceError("INVALID_TYPE", f"entity type {sobject.name} is not replicateable")
    return sobject


def _covered(call: Call, end: str) -> str:
    return min(end, stamp(call.org.clock.now().replace(second=0)))


def _check_count(count: int) -> None:
    if count > MAX_IDS:
        raise SalesforceError("EXCEEDED_ID_LIMIT", f"number of ids exceeds the limit of {MAX_IDS}: narrow the window")


@OPERATIONS.on("GET", "/sobjects/{name}/updated")
def updated(call: Call, name: str) -> Answer:
    sobject = _replicateable(call, name)
    start, end = _window(call, UPDATED_WINDOW, timedelta())
    live = ' AND "IsDeleted" = 0' if sobject.has("IsDeleted") else ""
    source = call.org.visibility.source(sobject)
    sql = (
        f'SELECT "Id" FROM {source} WHERE "SystemModstamp" >= ? AND "SystemModstamp" < ?{live} '
        'ORDER BY "SystemModstamp", "Id"'
    )
    ids = [row[0] for row in call.org.store.all(sql, (start, end))]
    _check_count(len(ids))
    return Answer(body={"ids": ids, "latestDateCovered": _covered(call, end)})


@OPERATIONS.on("GET", "/sobjects/{name}/deleted")
def deleted(call: Call, name: str) -> Answer:
    sobject = _replicateable(call, name)
    start, end = _window(call, DELETED_WINDOW, timedelta(minutes=1))
    sql = "SELECT id, at FROM _deleted WHERE object = ? AND at >= ? AND at < ? ORDER BY at, id"
    rows = call.org.store.all(sql, (sobject.name, start, end))
    _check_count(len(rows))
    earliest = call.org.store.scalar("SELECT MIN(at) FROM _deleted") or stamp(call.org.clock.now() - DELETED_WINDOW)
    records = [{"id": record_id, "deletedDate": at} for record_id, at in rows]
    return Answer(
        body={"deletedRecords": records, "earliestDateAvailable": earliest, "latestDateCovered": _covered(call, end)}
    )
