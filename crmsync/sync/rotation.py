"""Whose turn it is: which share of an object was last compared with the CRM, and when. Kept in the store."""

from __future__ import annotations

from datetime import datetime, timedelta

from crmsync.sync.session import Session


def is_due(session: Session, name: str) -> bool:
    """Whether the time since the last comparison of this object is over."""
    last = session.store.get_meta(_at(name))
    every = timedelta(seconds=session.project.reconcile.every)
    return last is None or session.now - datetime.fromisoformat(last) >= every


def is_just_read(session: Session, name: str, run_id: str) -> bool:
    """Whether this run has read every record of the object already."""
    return session.store.get_meta(f"read_whole:{name}") == run_id


def note_compared(session: Session, name: str) -> None:
    session.store.set_meta(_at(name), session.now.isoformat())


def note_all_seen(session: Session, name: str, run_id: str) -> None:
    """A full pull has just read every record: nothing is due, and turns begin anew."""
    note_compared(session, name)
    session.store.set_meta(f"read_whole:{name}", run_id)
    save_turn(session, name, "bucket", "")
    save_turn(session, name, "record", "")


def load_turn(session: Session, name: str, what: str) -> str:
    """Where the last turn ended; empty at the beginning of a round."""
    return session.store.get_meta(f"turn:{what}:{name}") or ""


def save_turn(session: Session, name: str, what: str, ended: str) -> None:
    session.store.set_meta(f"turn:{what}:{name}", ended)


def _at(name: str) -> str:
    return f"compared:{name}"
