"""Pull: what changed in the CRM since the checkpoint, into the mirror, page by page with its cursor."""

from __future__ import annotations

from hashlib import sha256

import orjson
import structlog

from crmsync.remote import Cursor, ObjectSpec
from crmsync.sync.report import RunReport
from crmsync.sync.rotation import note_all_seen
from crmsync.sync.session import Session

_log = structlog.get_logger("crmsync.sync")


def pull_all(session: Session, report: RunReport, *, full: bool = False) -> None:
    """Bring the mirror up to date with the CRM, object by object."""
    for spec in session.mapping.objects():
        pull_object(session, report, spec, full=full)


def pull_object(session: Session, report: RunReport, spec: ObjectSpec, *, full: bool = False) -> None:
    """Pull one object. A full pull that was interrupted goes on where it stopped."""
    store, name = session.store, spec.object
    cursor = _starting_point(session, spec, report.run_id, full=full or _is_back(session, spec))
    done = 0
    wanted, hidden = set(spec.fields), set[str]()
    for page in session.connector.pull(spec, cursor):
        changed = store.save_page(name, page.records, page.cursor, run_id=report.run_id)
        done += len(page.records)
        hidden.update(*(wanted - row.fields.keys() for row in page.records if not row.deleted))
        count_up(report.pulled, name, len(page.records))
        count_up(report.changed, name, len(changed))
        _log.info("page", object=name, records=len(page.records), changed=len(changed), total=done)
        session.progress.step(f"pull {name}", done, page.expected)
    if hidden:
        _note_hidden(session, spec, hidden)
    if store.full_run(name):
        note_all_seen(session, name, report.run_id)
    count_up(report.changed, name, len(store.finish_full(name, report.run_id)))
    session.progress.step(f"pull {name}", done, done)


def _note_hidden(session: Session, spec: ObjectSpec, hidden: set[str]) -> None:
    """Fields that the CRM did not show, archived or without permission: what is missed now moves no date later."""
    info = session.connector.describe(spec.object)
    hidden -= info.fields.keys() if info else set()
    if not hidden:
        return
    _keep_hidden(session, spec, _kept_hidden(session, spec) | hidden)
    session.progress.note(f"{spec.object}: the CRM does not show {', '.join(sorted(hidden))}")


def _is_back(session: Session, spec: ObjectSpec) -> bool:
    """Whether a field that was hidden from an earlier pull can be seen again: then everything is read once more."""
    hidden = _kept_hidden(session, spec) & set(spec.fields)
    if not hidden:
        return False
    info = session.connector.describe(spec.object)
    back = hidden & info.fields.keys() if info else set()
    if back:
        _keep_hidden(session, spec, hidden - back)
    return bool(back)


def _kept_hidden(session: Session, spec: ObjectSpec) -> set[str]:
    return set(orjson.loads(session.store.get_meta(_hidden_key(spec)) or "[]"))


def _keep_hidden(session: Session, spec: ObjectSpec, names: set[str]) -> None:
    session.store.set_meta(_hidden_key(spec), orjson.dumps(sorted(names)).decode())


def _hidden_key(spec: ObjectSpec) -> str:
    return f"hidden:{spec.object}"


def _starting_point(session: Session, spec: ObjectSpec, run_id: str, *, full: bool) -> Cursor | None:
    """The cursor to go on from; ``None`` begins a full pull: the first, one asked for, other fields, another org."""
    store, name = session.store, spec.object
    fingerprint = sha256(f"{session.connection.url}{spec!r}".encode()).hexdigest()[:16]
    if full or store.fingerprint(name) != fingerprint:
        store.reset_object(name, fingerprint)
    cursor = store.cursor(name)
    if cursor is None:
        store.begin_full(name, run_id)
    return cursor


def count_up(counts: dict[str, int], name: str, more: int) -> None:
    counts[name] = counts.get(name, 0) + more
