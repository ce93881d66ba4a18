"""How fast the HubSpot sandbox answers pages of 100 records, next to an empty Starlette route; how it takes a million.

python benchmarks/sandbox_hubspot.py            requests per second, one process, one core
python benchmarks/sandbox_hubspot.py load       1,000,000 deals from a generator: seconds and peak memory
python benchmarks/sandbox_hubspot.py profile    where the server's time goes
"""

from __future__ import annotations

import cProfile
import pstats
import resource
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from crmsync.sandbox import Sandbox
from crmsync.sandbox.clock import SandboxClock
from crmsync.sandbox.credentials import HUBSPOT_TOKEN
from crmsync.sandbox.hubspot import HubSpotPortal

PROPERTIES = (
    "dealname", "amount", "dealstage", "pipeline", "closedate", "dealtype", "deal_currency_code", "description",
    "hs_lastmodifieddate", "createdate",
)  # fmt: skip
SECONDS = 4.0


def deals(count: int) -> Iterator[dict[str, str]]:
    for n in range(count):
        yield {
            "dealname": f"Deal {n}", "amount": str(n % 9_000), "dealstage": "qualifiedtobuy", "pipeline": "default",
            "closedate": "2026-03-01", "dealtype": "newbusiness", "deal_currency_code": "EUR",
            "description": "A pump station for the works", "createdate": f"2025-{n % 12 + 1:02}-{n % 28 + 1:02}",
        }  # fmt: skip


class Client:
    """One kept-alive connection that sends ready-made bytes: as little client as there can be."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def send(self, request: bytes) -> bytes:
        self._socket.sendall(request)
        while b"\r\n\r\n" not in self._rest:
            self._rest += self._socket.recv(262_144)
        head, _, body = self._rest.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{head.decode()}\n{body.decode()}")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        parts, have = [body], len(body)
        while have < length:
            parts.append(self._socket.recv(262_144))
            have += len(parts[-1])
        whole = b"".join(parts)
        self._rest = whole[length:]
        return whole[:length]

    def rates(self, requests: list[bytes], server: Any) -> tuple[float, float]:
        """Requests per second by the wall clock, and per second of the server's own CPU time."""
        for request in requests[:20]:
            self.send(request)
        worked, start, count = cpu(server), time.perf_counter(), 0
        while (spent := time.perf_counter() - start) < SECONDS:
            self.send(requests[count % len(requests)])
            count += 1
        return count / spent, count / (cpu(server) - worked)

    def close(self) -> None:
        self._socket.close()


def cpu(server: Any) -> float:
    server.send("cpu")
    return float(server.recv())


def answer(pipe: Any) -> None:
    """In the server's process, until it is told to stop."""
    while pipe.recv() == "cpu":
        pipe.send(time.process_time())


def request(method: str, path: str, body: Any = None) -> bytes:
    content = orjson.dumps(body) if body is not None else b""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {HUBSPOT_TOKEN}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


def workloads(ids: list[str]) -> dict[str, list[bytes]]:
    pages = [ids[n : n + 100] for n in range(0, len(ids), 100)]
    query = "&".join(f"properties={name}" for name in PROPERTIES)
    reads = [{"inputs": [{"id": one} for one in page], "properties": PROPERTIES} for page in pages]
    return {
        "list": [request("GET", f"/crm/v3/objects/deals?limit=100&after={page[0]}&{query}") for page in pages],
        "batch/read": [request("POST", "/crm/v3/objects/deals/batch/read", body) for body in reads],
        "search by id": [request("POST", "/crm/v3/objects/deals/search", _keyset(page[0])) for page in pages],
    }


def _keyset(after: str) -> dict[str, Any]:
    return {
        "filterGroups": [{"filters": [{"propertyName": "hs_object_id", "operator": "GTE", "value": after}]}],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "properties": PROPERTIES,
        "limit": 100,
    }


def serve_sandbox(pipe: Any, *, profiled: bool) -> None:
    profile = cProfile.Profile()
    with Sandbox(world="blank") as box:
        ids = box.hubspot.insert_rows("deals", deals(20_000))
        if profiled:
            _profile_server(box, profile)
        pipe.send((int(box.url.rsplit(":", 1)[1]), ids))
        answer(pipe)
    if profiled:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


def _profile_server(box: Sandbox, profile: cProfile.Profile) -> None:
    """Started from within the server's thread: a profile sees only the thread that enabled it."""
    inner, started = box._inner, []  # noqa: SLF001 - no test needs this door, so it has none

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if not started:
            started.append(True)
            profile.enable()
        await inner(scope, receive, send)

    box._inner = app  # type: ignore[assignment]  # noqa: SLF001


def serve_empty(pipe: Any) -> None:
    """What the machine can do at all: the same server and a route that answers a few bytes."""

    async def view(_request: Any) -> Response:
        return Response(b'{"results":[]}', media_type="application/json")

    app = Starlette(routes=[Route("/{rest:path}", view, methods=["GET", "POST"])])
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    config = uvicorn.Config(app, http="httptools", log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    pipe.send((listening.getsockname()[1], []))
    threading.Thread(target=lambda: (answer(pipe), setattr(server, "should_exit", True)), daemon=True).start()
    server.run(sockets=[listening])


def measure(*, profiled: bool = False) -> None:
    context = get_context("spawn")
    rates: dict[str, tuple[float, float]] = {}
    for target, kwargs in ((serve_empty, {}), (serve_sandbox, {"profiled": profiled})):
        here, there = context.Pipe()
        process = context.Process(target=target, args=(there,), kwargs=kwargs)
        process.start()
        port, ids = here.recv()
        client = Client(port)
        jobs = workloads(ids) if ids else {"empty route": [request("GET", "/x")]}
        rates |= {name: client.rates(requests, here) for name, requests in jobs.items()}
        client.close()
        here.send("stop")
        process.join()
    print(f"{'100 records each':<20}{'requests/s':>12}{'per CPU second':>16}{'of an empty route':>20}")
    for name, (rate, own) in rates.items():
        print(f"{name:<20}{rate:>12,.0f}{own:>16,.0f}{own / rates['empty route'][1]:>20.0%}")


def load(count: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        portal = HubSpotPortal(str(Path(directory) / "hubspot.db"), SandboxClock())
        before, start = _peak_mib(), time.perf_counter()
        portal.insert_rows("deals", deals(count))
        spent = time.perf_counter() - start
        size = sum(one.stat().st_size for one in Path(directory).iterdir()) / 1_048_576
        print(f"{portal.count('deals'):,} deals in {spent:.0f} s ({count / spent:,.0f}/s), {size:.0f} MiB on disk")
        print(f"peak memory {_peak_mib():.0f} MiB, {before:.0f} MiB of it before the first deal")
        portal.close()


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


if __name__ == "__main__":
    if "load" in sys.argv[1:]:
        load(int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
    else:
        measure(profiled="profile" in sys.argv[1:])
