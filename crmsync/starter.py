"""The starter project: what ``crmsync init`` copies."""

from __future__ import annotations

import shutil
import site
import sysconfig
from pathlib import Path

from crmsync.errors import UsageError

_INSTALLED = Path("share", "crmsync", "config")


def starter_dir() -> Path:
    """The directory of the starter project: a checkout's ``config/``, or where the installed package put it.

    :raises UsageError: when the installation is incomplete.
    """
    roots = [Path(sysconfig.get_path("data")), Path(site.getuserbase())]
    candidates = [Path(__file__).parents[1] / "config", *(root / _INSTALLED for root in roots)]
    for directory in candidates:
        if (directory / "crmsync.yaml").is_file():
            return directory
    raise UsageError("the starter project is missing from this installation", hint="install crmsync again")


def write_starter(directory: Path, *, demo: bool = False) -> list[Path]:
    """Copy the starter project, for a real CRM or for the sandbox; files that exist are kept.

    :returns: what was written.
    """
    source = starter_dir()
    sources = [source, source / "demo"] if demo else [source]
    copies = {found.relative_to(root): found for root in sources for found in _files(root)}
    written = []
    for name, found in copies.items():
        target = directory / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, target)
            written.append(target)
    return written


def _files(root: Path) -> list[Path]:
    folders = [root, *(root / name for name in ("mappings", "policies", "tests", "schema"))]
    return [found for folder in folders for found in sorted(folder.glob("*.*")) if found.is_file()]
