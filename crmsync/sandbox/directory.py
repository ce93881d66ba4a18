"""One server per directory: two on one set of files would not see each other's writes."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO


class DirectoryInUse(Exception):
    """Another sandbox serves what is in it."""


def claim(directory: Path) -> IO[str]:
    """Hold the directory until what is returned is closed, or the process ends.

    :raises DirectoryInUse: when it is held.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    claimed = (directory / "serving.lock").open("w")
    try:
        fcntl.flock(claimed, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        claimed.close()
        raise DirectoryInUse(f"another sandbox serves '{directory}': stop it, or name another directory") from None
    return claimed
