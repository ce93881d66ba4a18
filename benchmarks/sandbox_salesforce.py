"""How many 2,000-row pages the Salesforce sandbox answers on one core.

python benchmarks/sandbox_salesforce.py             pages per second, by the wall clock and by the server's CPU time
python benchmarks/sandbox_salesforce.py profile     where the server's time goes
"""

from __future__ import annotations

import cProfile
import http.client
import pstats
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import bench
import orjson

from crmsync.sandbox import Sandbox
from crmsync.sandbox.credentials import SALESFORCE_CLIENT_ID, SALESFORCE_CLIENT_SECRET

FIELDS = (
    "Id", "Name", "AccountId", "OwnerId", "StageName", "Amount", "CurrencyIsoCode", "CloseDate", "Type", "LeadSource",
    "IsClosed", "IsWon", "IsDeleted", "CreatedDate", "LastModifiedDate", "SystemModstamp",
)  # fmt: skip
ROWS, PAGE, SECONDS, GOAL = 20_000, 2_000, 5.0, 40
START = datetime(2026, 1, 1, tzinfo=UTC)
VERSION = "/services/data/v62.0"


def opportunities(count: int) -> Iterator[dict[str, Any]]:
    """A stamp for every 50 rows: bulk writes share their second."""
    for n in range(count):
        at = START + timedelta(seconds=n // 50)
        yield {
            "Name": f"Deal {n} – pump station", "StageName": "Qualification", "Amount": n % 9_000 + 0.5,
            "CloseDate": "2026-12-01", "Type": "New Business", "LeadSource": "Web", "CreatedDate": at,
            "LastModifiedDate": at, "SystemModstamp": at,
        }  # fmt: skip


def fill(box: Sandbox) -> None:
    box.salesforce.insert_rows("Opportunity", opportunities(ROWS))


def fill_profiled(box: Sandbox) -> None:
    fill(box)
    profile, inner = cProfile.Profile(), box._inner  # noqa: SLF001 - no test needs this door, so it has none

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].startswith("/services/data"):
            profile.enable()
            await inner(scope, receive, send)
            profile.disable()
        else:
            await inner(scope, receive, send)

    box._inner = app  # type: ignore[assignment]  # noqa: SLF001
    stop = box.stop

    def stop_and_tell() -> None:
        stop()
        pstats.Stats(profile).sort_stats("tottime").print_stats(20)

    box.stop = stop_and_tell  # type: ignore[method-assign]


class Client:
    """One kept-alive connection, bodies left as bytes: as little client as there can be."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"))
        form = {"grant_type": "client_credentials", "client_id": SALESFORCE_CLIENT_ID,
                "client_secret": SALESFORCE_CLIENT_SECRET}  # fmt: skip
        head = {"Content-Type": "application/x-www-form-urlencoded"}
        token = orjson.loads(self._send("POST", "/services/oauth2/token", urlencode(form), head))["access_token"]
        self._head = {"Authorization": f"Bearer {token}"}

    def _send(self, method: str, path: str, body: str | None, head: dict[str, str]) -> bytes:
        self._connection.request(method, path, body, head)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(content.decode())
        return content

    def get(self, path: str) -> bytes:
        return self._send("GET", path, None, self._head)

    def query(self, soql: str) -> bytes:
        return self.get(f"{VERSION}/query?q={quote(soql)}")


def by_locator(client: Client) -> Iterator[bytes]:
    """One query and its further pages, over and over."""
    while True:
        page = client.query(f"SELECT {', '.join(FIELDS)} FROM Opportunity ORDER BY SystemModstamp, Id")
        yield page
        while following := orjson.loads(page).get("nextRecordsUrl"):
            page = client.get(following)
            yield page


def by_key(client: Client) -> Iterator[bytes]:
    """Each page a query of its own that starts where the last one ended, as an incremental pull does."""
    start = beginning = "2026-01-01T00:00:00Z"
    while True:
        soql = f"WHERE SystemModstamp >= {start} ORDER BY SystemModstamp, Id LIMIT {PAGE}"
        page = client.query(f"SELECT {', '.join(FIELDS)} FROM Opportunity {soql}")
        yield page
        found = orjson.loads(page)["records"]
        start = found[-1]["SystemModstamp"].replace("+0000", "Z") if len(found) == PAGE else beginning


def measure(*, profiled: bool) -> None:
    print(bench.machine())
    print(f"{PAGE:,} rows of {len(FIELDS)} fields a page; {ROWS:,} opportunities; the server on one core, goal {GOAL}")
    print(f"{'':<14}{'pages/s':>10}{'per CPU second':>17}{'kB a page':>12}")
    with bench.serving(fill=fill_profiled if profiled else fill) as server:
        client = Client(server.url)
        for name, pages in (("by locator", by_locator(client)), ("by key", by_key(client))):
            size = len(next(pages))
            cpu, start, count = server.cpu_s(), time.perf_counter(), 0
            while (spent := time.perf_counter() - start) < SECONDS:
                next(pages)
                count += 1
            own = count / (server.cpu_s() - cpu)
            print(f"{name:<14}{count / spent:>10.0f}{own:>17.0f}{size / 1_000:>12.0f}")


if __name__ == "__main__":
    measure(profiled="profile" in sys.argv[1:])
