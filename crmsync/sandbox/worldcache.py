"""Worlds are built once per day and code version into the user's cache and copied from there."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from crmsync.sandbox.clock import SandboxClock

FILES = ("salesforce.db", "hubspot.db")
KEEP = 6
"""Cached worlds at most; the oldest go first."""


def copy_world(name: str, directory: Path, now: datetime) -> None:
    """Put the named world into ``directory``, unless both databases are there already."""
    if all((directory / file).exists() for file in FILES):
        return
    with _cached(name, now) as source:
        for file in FILES:
            shutil.copyfile(source / file, directory / file)


@contextmanager
def _cached(name: str, now: datetime) -> Iterator[Path]:
    """A directory with the built world, safe from the others while it is being copied."""
    root = cache_root()
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (root / "lock").open("w")
    except OSError:  # a home that cannot be written: build for this time only
        with tempfile.TemporaryDirectory(prefix="crmsync-world-") as temporary:
            yield _build(name, now, Path(temporary))
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        target = root / f"{name}-{now:%Y%m%d}-{code_version()}"
        if not target.exists():
            _prune(root)
            partial = _build(name, now, Path(tempfile.mkdtemp(prefix="partial-", dir=root)))
            partial.rename(target)
        yield target


def cache_root() -> Path:
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "crmsync" / "sandbox"


def _build(name: str, now: datetime, directory: Path) -> Path:
    from crmsync.sandbox.hubspot.portal import HubSpotPortal
    from crmsync.sandbox.salesforce.org import SalesforceOrg
    from crmsync.sandbox.world import load_world

    clock = SandboxClock(now)
    salesforce = SalesforceOrg(str(directory / FILES[0]), clock)
    hubspot = HubSpotPortal(str(directory / FILES[1]), clock)
    try:
        load_world(name, salesforce, hubspot, now)
    finally:
        salesforce.close()
        hubspot.close()
    return directory


def _prune(root: Path) -> None:
    worlds = sorted((path for path in root.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for path in worlds[: max(0, len(worlds) - KEEP + 1)]:
        shutil.rmtree(path, ignore_errors=True)


@lru_cache(maxsize=1)
def code_version() -> str:
    """Changes with anything that a world is made of: this package and the fixtures beside it."""
    package = Path(__file__).parent
    digest = blake2b(digest_size=8)
    for path in sorted(_sources(package)):
        digest.update(str(path.relative_to(package.parents[1])).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources(package: Path) -> Iterator[Path]:
    for folder in (package, package.parents[1] / "fixtures"):
        for path in folder.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and "recorded" not in path.parts:
                yield path
