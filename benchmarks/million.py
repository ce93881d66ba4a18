"""A million deals from a generator into each CRM of the sandbox: how long it takes, and what it holds in memory.

python benchmarks/million.py [count] [salesforce|hubspot]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import bench

from crmsync.sandbox.clock import SandboxClock
from crmsync.sandbox.hubspot.portal import HubSpotPortal
from crmsync.sandbox.salesforce.org import SalesforceOrg

STAGES = ("Prospecting", "Qualification", "Proposal/Price Quote", "Closed Won", "Closed Lost")
HUBSPOT_STAGES = ("appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "closedwon", "closedlost")
START = datetime(2024, 1, 1, tzinfo=UTC)


def opportunities(count: int) -> Iterator[dict[str, Any]]:
    for n in range(count):
        at = START + timedelta(seconds=n * 60)
        yield {
            "Name": f"Deal {n}", "StageName": STAGES[n % 5], "Amount": n % 90_000, "CloseDate": at.date().isoformat(),
            "Type": "New Business", "LeadSource": "Web", "CreatedDate": at, "SystemModstamp": at,
        }  # fmt: skip


def deals(count: int) -> Iterator[dict[str, str]]:
    for n in range(count):
        at = (START + timedelta(seconds=n * 60)).isoformat()
        yield {
            "dealname": f"Deal {n}", "dealstage": HUBSPOT_STAGES[n % 5], "pipeline": "default", "createdate": at,
            "amount": str(n % 90_000), "closedate": at, "dealtype": "newbusiness", "deal_currency_code": "EUR",
        }  # fmt: skip


def load_salesforce(path: Path, count: int) -> int:
    org = SalesforceOrg(str(path), SandboxClock())
    org.load_rows("Opportunity", opportunities(count))
    found = org.count("Opportunity")
    org.close()
    return found


def load_hubspot(path: Path, count: int) -> int:
    portal = HubSpotPortal(str(path), SandboxClock())
    portal.insert_rows("deals", deals(count))
    found = portal.count("deals")
    portal.close()
    return found


LOADERS: dict[str, Callable[[Path, int], int]] = {"salesforce": load_salesforce, "hubspot": load_hubspot}


def report(name: str, count: int) -> None:
    """In a process of its own, so that the peak is this load's alone."""
    with tempfile.TemporaryDirectory() as directory, bench.spending() as spent:
        before = bench.peak_mib()
        found = LOADERS[name](Path(directory) / f"{name}.db", count)
        size = sum(one.stat().st_size for one in Path(directory).iterdir()) / 1_048_576
        took = spent()
    print(
        f"{name:<12}{found:>11,}{took.seconds:>9.0f} s{took.cpu_s:>8.0f} s{count / took.cpu_s:>14,.0f}"
        f"{bench.peak_mib():>11.0f} MiB{before:>9.0f} MiB{size:>9.0f} MiB",
        flush=True,
    )


if __name__ == "__main__":
    numbers = [int(word.replace(",", "").replace("_", "")) for word in sys.argv[1:] if word[0].isdigit()]
    names = [word for word in sys.argv[1:] if word in LOADERS] or list(LOADERS)
    print(bench.machine())
    print(f"{'':<12}{'deals':>11}{'wall':>11}{'CPU':>10}{'per CPU s':>14}{'peak':>15}{'at start':>13}{'on disk':>13}")
    for one in names:
        process = get_context("spawn").Process(target=report, args=(one, *(numbers or [1_000_000])))
        process.start()
        process.join()
