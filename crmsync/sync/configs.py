"""The texts of mapping and policy, kept once for each version: evidence quotes the lines that decided."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crmsync.sync.session import Session


def keep_config(session: Session) -> None:
    """Keep the files behind the session's configuration, under paths as rules are told with."""
    directory = session.project.directory
    texts = {_name(path, directory): text for path, text in _texts(session)}
    session.store.save_config(session.config_hash, texts, session.now)


def _texts(session: Session) -> Iterator[tuple[Path, str]]:
    policy = session.project.policy
    files = sorted(policy.glob("*.yaml")) if policy.is_dir() else [policy]
    for path in (session.connection.mapping, *files):
        yield path, path.read_text(encoding="utf-8", errors="replace")


def _name(path: Path, directory: Path) -> str:
    try:
        return path.resolve().relative_to(directory.resolve()).as_posix()
    except ValueError:
        return str(path)
