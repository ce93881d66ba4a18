"""A hundred new or changed accounts against a million: what comparing them costs with a warm and with a cold cache.

python benchmarks/identity_incremental.py [count] [directory]

Builds the index once (kept in the directory, so that it can be measured again), then measures each time in a process
of its own: the wall clock and CPU of the hundred, of start-up, and the memory. "Cold" drops the file from the page
cache first.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

CHANGED = 100
ROUNDS = 3
SYLLABLES = [c + v for c in "bdfghklmnprstvwz" for v in "aeio"]
TRADES = (
    "logistics", "systems", "solutions", "foods", "energy", "medical", "steel", "textiles", "software", "printing",
    "tools", "optics", "paper", "trading", "consulting", "marine", "plastics", "ceramics", "media", "farms",
)  # fmt: skip
FORMS = ("GmbH", "Ltd", "Inc", "S.A.", "AG", "LLC", "SpA", "B.V.", "")
COUNTRIES = ("DE", "US", "GB", "FR", "IT", "NL", "ES", "PL")


def account(number: int, *, variant: int = 0) -> Any:
    """A company; its variants are the same one, entered otherwise."""
    from crmsync.records import Account

    chance = random.Random(number)
    words = [
        "".join(chance.choices(SYLLABLES, k=chance.choice((2, 3, 3, 4)))).capitalize()
        for _ in range(chance.choice((1, 1, 2)))
    ]
    trade, form, country = chance.choice(TRADES).capitalize(), chance.choice(FORMS), chance.choice(COUNTRIES)
    domain = f"{''.join(words).lower()}-{trade.lower()}.example" if chance.random() < 0.85 else None
    name = f"{' '.join(words)} {trade} {'' if variant % 2 else form}".strip()
    phone = f"+49 30 {chance.randrange(10**7):07}"
    city = f"{''.join(chance.choices(SYLLABLES, k=2)).capitalize()}stadt"
    extra = {"phone": phone, "city": city, "postal_code": f"{chance.randrange(10**5):05}"}
    return Account(
        id=f"001{number:09}{variant:03}",
        name=name,
        domain=None if variant > 1 else domain,
        country=country,
        extra=extra,
    )


class TakenBack(Exception):
    """Nothing of a measurement is kept."""


def session(path: Path) -> Any:
    """As much of a session as the index asks for."""
    from crmsync.likeness import default_matchmaker
    from crmsync.rules import load_policy
    from crmsync.starter import starter_dir
    from crmsync.store import Store
    from crmsync.sync.report import Silent

    policy = load_policy(starter_dir() / "policies" / "baseline.yaml")
    return SimpleNamespace(store=Store.open(path), matchmaker=default_matchmaker(), policy=policy, progress=Silent())


def build(path: Path, count: int) -> dict[str, float]:
    """Index so many accounts, without comparing them."""
    from crmsync.sync.answers import Answers
    from crmsync.sync.identity import Index

    opened = session(path)
    began, cpu = time.perf_counter(), time.process_time()
    with opened.store.transaction():
        index = Index(opened, Answers())
        for number in range(count):
            record = account(number)
            index.note(("account", record.id), record)
        index.build()
    spent = {"wall_s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}
    opened.store.close()
    return {**spent, "file_mb": path.stat().st_size / 1e6, "rss_mb": memory()}


def changed(count: int, seed: int) -> Iterator[Any]:
    """Half new accounts that repeat an old one, half old ones that changed."""
    chance = random.Random(seed)
    for _ in range(CHANGED):
        number = chance.randrange(count)
        yield account(number, variant=chance.choice((0, 1, 2, 3)))


def measure(path: Path, count: int, seed: int) -> dict[str, float]:
    """Note and settle a hundred; everything is taken back, so that each measurement finds the same index."""
    began = time.perf_counter()
    from crmsync.sync.answers import Answers
    from crmsync.sync.identity import Index

    records = list(changed(count, seed))
    opened = session(path)
    ready, cpu = time.perf_counter(), time.process_time()
    index = Index(opened, Answers())
    with suppress(TakenBack), opened.store.transaction():
        for record in records:
            index.note(("account", record.id), record)
        touched = index.settle()
        done, cpu_done = time.perf_counter(), time.process_time()
        raise TakenBack
    opened.store.close()
    return {
        "start_ms": (ready - began) * 1e3, "wall_ms": (done - ready) * 1e3, "cpu_ms": (cpu_done - cpu) * 1e3,
        "rss_mb": memory(), "compared": index.report.compared, "alike": len(touched),
        "shared_keys": index.report.shared_keys, "left_out": index.report.left_out,
    }  # fmt: skip


def memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def evict(path: Path) -> None:
    """Drop the file from the page cache."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def in_own_process(*args: object) -> dict[str, float]:
    command = [sys.executable, __file__, *map(str, args)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # type: ignore[no-any-return]


def main() -> None:
    if sys.argv[1:2] == ["--build"]:
        print(json.dumps(build(Path(sys.argv[2]), int(sys.argv[3]))))
        return
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
        return
    count = int(sys.argv[1]) if sys.argv[1:] else 1_000_000
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(sys.argv[2] if sys.argv[2:] else scratch) / f"index-{count}.db"
        if not path.exists():
            show("build", in_own_process("--build", path, count))
        in_own_process("--measure", path, count, 0)
        for number in range(ROUNDS):
            show("warm", in_own_process("--measure", path, count, number + 1))
        for number in range(ROUNDS):
            evict(path)
            show("cold", in_own_process("--measure", path, count, number + 1))


def show(name: str, row: dict[str, float]) -> None:
    print(f"{name:6}", "  ".join(f"{key} {value:,.1f}" for key, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
