"""A damaged store is set aside, never mended: it can be rebuilt from the CRM, and nobody knows what else is wrong."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from crmsync.errors import StoreError
from crmsync.store.database import cannot_open
from crmsync.store.lock import StoreLock
from crmsync.store.store import Store

DAMAGED = "E520"
_PARTS = ("", "-wal", "-shm")


def set_aside_if_damaged(path: Path, now: datetime) -> Path | None:
    """Look at all of the store; where it is damaged, move its files to a name beside it. ``None`` where it is sound.

    :return: where the damaged file is now.
    :raises StoreBusy: when another process holds it.
    :raises StoreError: for another program's database and a newer store: those are not damaged, and are left alone.
    """
    if not path.exists() or not _is_damaged(path):
        return None
    lock = StoreLock(path)
    lock.acquire()
    try:
        return _move(path, path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%S}"))
    except OSError as error:
        raise cannot_open(path, error) from None
    finally:
        lock.release()


def _is_damaged(path: Path) -> bool:
    try:
        with Store.open(path) as store:
            return bool(store.integrity())
    except StoreError as error:
        if error.code != DAMAGED:
            raise
        return True


def _move(path: Path, target: Path) -> Path:
    for part in _PARTS:
        file = path.with_name(path.name + part)
        if file.exists():
            file.rename(target.with_name(target.name + part))
    return target
