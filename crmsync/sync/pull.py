"""Pull: what changed in the CRM since the checkpoint, into the mirror, page by page with its cursor."""

from __future__ import annotations

from hashlib import sha256

from crmsync.remote import Cursor, ObjectSpec, Page
from crmsync.sync.report import Completeness, RunReport
from crmsync.sync.session import Session


def pull_all(session: Session, report: RunReport, *, full: bool = False) -> None:
    """Bring the mirror up to date with the CRM, object by object."""
    for spec in session.mapping.objects():
        pull_object(session, report, spec, full=full)


def pull_object(session: Session, report: RunReport, spec: ObjectSpec, *, full: bool = False) -> None:
    """Pull one object. A full pull that was interrupted goes on where it stopped."""
    store, name = session.store, spec.object
    cursor, sweep = _starting_point(session, spec, report.run_id, full=full)
    done = 0
    for page in session.connector.pull(spec, cursor):
        changed = store.save_page(name, page.records, page.cursor, run_id=sweep or report.run_id)
        _note_merges(session, name, page)
        done += len(page.records)
        report.pulled[name] = report.pulled.get(name, 0) + len(page.records)
        report.changed[name] = report.changed.get(name, 0) + len(changed)
        session.progress.step(f"pull {name}", done, page.expected)
    if sweep:
        gone = store.finish_full(name, sweep)
        store.set_meta(_sweep_key(name), "")
        report.changed[name] = report.changed.get(name, 0) + len(gone)
    session.progress.step(f"pull {name}", done, done)


def _starting_point(session: Session, spec: ObjectSpec, run_id: str, *, full: bool) -> tuple[Cursor | None, str]:
    """The cursor to start from, and the id of the full pull this belongs to ("" for an incremental one)."""
    store, name = session.store, spec.object
    fingerprint = sha256(repr(spec).encode()).hexdigest()[:16]
    if full or store.fingerprint(name) != fingerprint:
        store.reset_object(name, fingerprint)
    cursor = store.cursor(name)
    if cursor is not None:
        return cursor, store.get_meta(_sweep_key(name)) or ""
    store.begin_full(name, run_id)
    store.set_meta(_sweep_key(name), run_id)
    return None, run_id


def _sweep_key(name: str) -> str:
    return f"full-pull:{name}"


def _note_merges(session: Session, name: str, page: Page) -> None:
    for record in page.records:
        if record.merged_into:
            session.store.alias(name, record.id, record.merged_into)


def check_completeness(session: Session, report: RunReport) -> None:
    """Count each object in the CRM and in the mirror; where the mirror has too many, sweep the ids and mend it.

    Some deletes leave no trace that a pull could see (Salesforce: a contact role deleted directly), so a surplus in
    the mirror means exactly that. Where counts come from an index that lags behind, a sweep waits until the surplus
    has lasted a run.
    """
    for spec in session.mapping.objects():
        line = _count(session, spec.object)
        if line.difference < 0 and _sweep_is_due(session, line):
            _sweep(session, report, spec.object)
            line = _count(session, spec.object)
        session.store.set_meta(_difference_key(spec.object), str(line.difference))
        report.completeness.append(line)


def _count(session: Session, name: str) -> Completeness:
    return Completeness(name, session.connector.count(name), session.store.count(name))


def _difference_key(name: str) -> str:
    return f"difference:{name}"


def _sweep_is_due(session: Session, line: Completeness) -> bool:
    lasted = session.store.get_meta(_difference_key(line.object)) == str(line.difference)
    return session.connector.counts_are_current or lasted


def _sweep(session: Session, report: RunReport, name: str) -> None:
    session.progress.note(f"{name}: the mirror has records that the CRM no longer has; comparing ids")
    alive = set(session.connector.ids(name))
    gone = [record_id for record_id in session.store.object_ids(name) if record_id not in alive]
    session.store.mark_deleted(name, gone)
    report.changed[name] = report.changed.get(name, 0) + len(gone)
