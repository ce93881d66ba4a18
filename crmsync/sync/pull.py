"""Pull: what changed in the CRM since the checkpoint, into the mirror, page by page with its cursor."""

from __future__ import annotations

from hashlib import sha256

import structlog

from crmsync.remote import Cursor, ObjectSpec
from crmsync.sync.report import Completeness, RunReport
from crmsync.sync.session import Session

_log = structlog.get_logger("crmsync.sync")


def pull_all(session: Session, report: RunReport, *, full: bool = False) -> None:
    """Bring the mirror up to date with the CRM, object by object."""
    for spec in session.mapping.objects():
        pull_object(session, report, spec, full=full)


def pull_object(session: Session, report: RunReport, spec: ObjectSpec, *, full: bool = False) -> None:
    """Pull one object. A full pull that was interrupted goes on where it stopped."""
    store, name = session.store, spec.object
    cursor = _starting_point(session, spec, report.run_id, full=full)
    done = 0
    for page in session.connector.pull(spec, cursor):
        changed = store.save_page(name, page.records, page.cursor, run_id=report.run_id)
        done += len(page.records)
        _count_up(report.pulled, name, len(page.records))
        _count_up(report.changed, name, len(changed))
        _log.info("page", object=name, records=len(page.records), changed=len(changed), total=done)
        session.progress.step(f"pull {name}", done, page.expected)
    _count_up(report.changed, name, len(store.finish_full(name, report.run_id)))
    session.progress.step(f"pull {name}", done, done)


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


def _count_up(counts: dict[str, int], name: str, more: int) -> None:
    counts[name] = counts.get(name, 0) + more


def check_completeness(session: Session, report: RunReport) -> None:
    """Count each object in the CRM and in the mirror, and mend what differs.

    Some deletes leave no trace that a pull could see (Salesforce: a contact role deleted directly), so a surplus in
    the mirror means exactly that: the ids are compared. Records that the mirror lacks (shared with us only now, say)
    are read again, once, when they are still missing a run later: one made between pull and count is not missing.
    Where counts come from an index that lags behind, a surplus has to last a run, too.
    """
    for spec in session.mapping.objects():
        line = _count(session, spec.object)
        if _is_to_mend(session, line):
            _mend(session, report, spec, line)
            line = _count(session, spec.object)
        session.store.set_meta(_difference_key(spec.object), str(line.difference))
        report.completeness.append(line)


def _count(session: Session, name: str) -> Completeness:
    return Completeness(name, session.connector.count(name), session.store.count(name))


def _difference_key(name: str) -> str:
    return f"difference:{name}"


def _mended_key(name: str) -> str:
    return f"mended:{name}"


def _is_to_mend(session: Session, line: Completeness) -> bool:
    if not line.difference:
        return False
    lasted = session.store.get_meta(_difference_key(line.object)) == str(line.difference)
    if line.difference < 0:
        return session.connector.counts_are_current or lasted
    in_vain = session.store.get_meta(_mended_key(line.object)) == str(line.difference)
    return lasted and not in_vain


def _mend(session: Session, report: RunReport, spec: ObjectSpec, line: Completeness) -> None:
    if line.difference < 0:
        session.progress.note(f"{spec.object}: the mirror has records that the CRM no longer has; comparing ids")
        _sweep(session, report, spec.object)
        return
    session.progress.note(f"{spec.object}: the CRM has records that no pull has brought; reading all of them again")
    pull_object(session, report, spec, full=True)
    session.store.set_meta(_mended_key(spec.object), str(line.difference))


def _sweep(session: Session, report: RunReport, name: str) -> None:
    alive = set(session.connector.ids(name))
    gone = [record_id for record_id in session.store.object_ids(name) if record_id not in alive]
    session.store.mark_deleted(name, gone)
    _count_up(report.changed, name, len(gone))
