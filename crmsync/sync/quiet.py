"""Changes that move no modified date: formula fields on Salesforce, ties on HubSpot. A rotating share is read again.

Only the fields in question are read, never whole records, so that a state which a pull has yet to bring is not taken
for known: dates in the mirror stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from crmsync.remote import ObjectSpec, RemoteRecord
from crmsync.sync.pull import count_up
from crmsync.sync.report import RunReport
from crmsync.sync.rotation import load_turn, save_turn
from crmsync.sync.session import Session


def scan_quiet_changes(session: Session, report: RunReport, spec: ObjectSpec, *, everything: bool) -> int:
    """Compare the next share of an object's records; how many had changed. They become pending like any change."""
    fields = session.connector.quiet_fields(spec)
    if not fields and not spec.associations:
        return 0
    store, name = session.store, spec.object
    ids = _next_ids(session, name, everything=everything)
    ours = list(store.rows(name, ids))
    moved = _moved(session, spec, fields, ours)
    changed = store.save_page(name, moved, store.cursor(name) or {}, run_id=report.run_id)
    count_up(report.changed, name, len(changed))
    if changed:
        session.progress.note(f"{name}: {len(changed):,} changed without a modified date (formula fields or ties)")
    return len(changed)


def _next_ids(session: Session, name: str, *, everything: bool) -> Sequence[str]:
    """The share whose turn it is, by id; after the last record the round begins anew."""
    total = session.store.count(name)
    wanted = total if everything else max(1, ceil(total * session.project.reconcile.share))
    after = "" if everything else load_turn(session, name, "record")
    ids = session.store.ids_after(name, after, wanted)
    save_turn(session, name, "record", ids[-1] if len(ids) == wanted and ids else "")
    return ids


def _moved(
    session: Session, spec: ObjectSpec, fields: Sequence[str], ours: Sequence[RemoteRecord]
) -> list[RemoteRecord]:
    ids = [record.id for record in ours]
    values = session.connector.read(spec.object, ids, fields) if fields else {}
    ties = session.connector.ties(spec, ids) if spec.associations else {}
    fresh = []
    for record in ours:
        told = values[record.id].fields if record.id in values and not values[record.id].deleted else {}
        now = replace(record, fields={**record.fields, **told}, links=ties.get(record.id, record.links))
        if now != record:
            fresh.append(now)
    return fresh
