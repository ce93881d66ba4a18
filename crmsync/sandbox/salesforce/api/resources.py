"""The version list, the resources of a version, limits and record counts."""

from __future__ import annotations

import re
from typing import Any

from crmsync.sandbox.salesforce.api.calls import Answer, Call, Operations
from crmsync.sandbox.salesforce.errors import not_found

OPERATIONS = Operations()
OLDEST, NEWEST = 31.0, 68.0
_SEASONS = ("Summer", "Winter", "Spring")
_RESOURCES = (
    "tooling",
    "metadata",
    "composite",
    "limits",
    "query",
    "queryAll",
    "sobjects",
    "search",
    "recent",
    "jobs",
    "identity",
)


def _label(number: int) -> str:
    """31 is Summer '14; three releases a year, each Winter named for the year that follows."""
    return f"{_SEASONS[(number - 31) % 3]} '{14 + (number - 29) // 3}"


VERSIONS = [
    {"label": _label(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
    for number in range(int(OLDEST), int(NEWEST) + 1)
]


def version_number(segment: str) -> float | None:
    """v59.0 to 59.0; anything that is no version is no resource either."""
    match = re.fullmatch(r"v(\d{1,3})\.0", segment)
    number = float(match.group(1)) if match else None
    return number if number is not None and number <= NEWEST else None


@OPERATIONS.on("GET", "/")
def version_root(call: Call) -> Answer:
    found = {name: f"{call.base}/{name}" for name in _RESOURCES}
    host = call.headers.get("host", "login.salesforce.com")
    return Answer(body={**found, "identity": f"http://{host}/id/{call.org.id}/{call.actor.user_id}"})


@OPERATIONS.on("GET", "/limits")
def limits(call: Call) -> Answer:
    org = call.org
    remaining = max(0, org.api_limit - org.api_calls)
    found: dict[str, dict[str, Any]] = {
        name: {"Max": maximum, "Remaining": maximum} for name, maximum in _LIMITS.items()
    }
    found["DailyApiRequests"] = {"Max": org.api_limit, "Remaining": remaining}
    return Answer(body=dict(sorted(found.items())))


_LIMITS = {
    "ConcurrentAsyncGetReportInstances": 200,
    "ConcurrentSyncReportRuns": 20,
    "DailyAsyncApexExecutions": 250_000,
    "DailyBulkApiBatches": 15_000,
    "DailyBulkV2QueryFileStorageMB": 976_562,
    "DailyBulkV2QueryJobs": 10_000,
    "DailyDurableStreamingApiEvents": 10_000,
    "DailyGenericStreamingApiEvents": 10_000,
    "DailyStreamingApiEvents": 10_000,
    "DailyWorkflowEmails": 1_000,
    "DataStorageMB": 1_024,
    "FileStorageMB": 1_024,
    "HourlyAsyncReportRuns": 1_200,
    "HourlyDashboardRefreshes": 200,
    "HourlySyncReportRuns": 500,
    "HourlyTimeBasedWorkflow": 1_000,
    "MassEmail": 5_000,
    "SingleEmail": 5_000,
    "StreamingApiConcurrentClients": 1_000,
}


@OPERATIONS.on("GET", "/limits/recordCount")
def record_count(call: Call) -> Answer:
    """Objects without records are not listed (recorded)."""
    names = [name for name in call.query.get("sObjects", "").split(",") if name]
    wanted = [call.org.schema.get(name) for name in names] if names else list(call.org.schema)
    if any(sobject is None for sobject in wanted):
        raise not_found()
    visible = [sobject for sobject in wanted if sobject is not None and call.access.can(sobject, "read")]
    counted = [{"count": call.org.count(item.name), "name": item.name} for item in visible]
    return Answer(body={"sObjects": [item for item in counted if item["count"]]})


@OPERATIONS.on("GET", "/recent")
def recent(_call: Call) -> Answer:
    """Nobody views records here."""
    return Answer(body=[])
