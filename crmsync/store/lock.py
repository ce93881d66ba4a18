"""One writer per store: an advisory lock that the kernel lets go when its process ends, however it ends."""

from __future__ import annotations

import errno
import fcntl
import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from crmsync.errors import StoreBusy, StoreError
from crmsync.store.database import cannot_open


class StoreLock:
    """An exclusive ``flock`` on ``<store>.lock``; the file names its owner for the message that others get.

    The text inside is only for people. The lock file of a dead process is not locked, so it is taken silently.
    """

    def __init__(self, store_path: Path) -> None:
        self.path = store_path.with_name(store_path.name + ".lock")
        self._fd = -1

    def acquire(self) -> None:
        """Take the lock or refuse at once.

        :raises StoreBusy: when a live process holds it.
        """
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise cannot_open(self.path.with_suffix(""), error) from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = _owner(fd)
            os.close(fd)
            raise self._refusal(error, owner) from None
        self._fd = fd
        self._write(_self_description())

    def release(self) -> None:
        """Let go. The file stays: unlinking it would let two processes lock two different files of one name."""
        if self._fd < 0:
            return
        self._write(b"")
        os.close(self._fd)
        self._fd = -1

    def _write(self, content: bytes) -> None:
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, content, 0)

    def _refusal(self, error: OSError, owner: dict[str, Any]) -> StoreError:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return StoreBusy(_busy_message(owner), hint="wait for it to end, or stop that process")
        return StoreError(
            f"cannot lock '{self.path}': {error.strerror}",
            hint="keep the store on a local disk, not on a network share",
        )


def lock_owner(store_path: Path) -> dict[str, Any] | None:
    """Who holds the store now (``pid``, ``command``, ``since``), or ``None``. Takes nothing."""
    lock = StoreLock(store_path)
    try:
        fd = os.open(lock.path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _owner(fd)
    else:
        return None
    finally:
        os.close(fd)


def _self_description() -> bytes:
    program = Path(sys.argv[0] or "python").name
    command = shlex.join(["crmsync" if program == "__main__.py" else program, *sys.argv[1:]])
    since = datetime.now(UTC).replace(microsecond=0)
    return orjson.dumps({"pid": os.getpid(), "command": command, "since": since}, option=orjson.OPT_UTC_Z)


def _owner(fd: int) -> dict[str, Any]:
    try:
        owner = orjson.loads(os.pread(fd, 4096, 0))
    except orjson.JSONDecodeError:
        return {}
    return owner if isinstance(owner, dict) else {}


def _busy_message(owner: dict[str, Any]) -> str:
    if "pid" not in owner:
        return "another process is using the store"
    command, since = owner.get("command", "?"), owner.get("since", "?")
    return f"process {owner['pid']} ('{command}') has been using the store since {since}"
