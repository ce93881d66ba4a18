"""Holds: what an undo took back is not written again, until the rules want something else, mapping or policy change, or
the hold is released. Without them the next sync would redo what was just undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from crmsync.store import Hold
from crmsync.sync.diff import STAMPS
from crmsync.sync.plan import Change, FieldChange, Plan
from crmsync.sync.raw import is_same
from crmsync.sync.report import RunReport
from crmsync.sync.session import Session

_RIDERS = (*STAMPS, "fingerprint")


def hold_undone(session: Session, report: RunReport, plan: Plan) -> None:
    """Hold what the plan takes back, before it leaves. Undoing an undo ends the holds of that undo instead."""
    store = session.store
    if (store.run(plan.undoes) or {}).get("mode") == "undo":
        places = {(c.object, c.id, f.remote_field) for c in plan.changes for f in c.fields}
        ended = [hold for hold in store.holds() if hold.run_id == plan.undoes]
        store.drop_holds(hold for hold in ended if (hold.object, hold.id, hold.remote_field) in places)
        return
    store.save_holds(
        Hold(change.object, change.id, f.remote_field, report.run_id, session.config_hash, f.old, session.now)
        for change in plan.changes
        if change.op == "update" and change.id
        for f in change.fields
        if f.field not in _RIDERS
    )


def without_held(session: Session, report: RunReport, changes: Iterable[Change]) -> list[Change]:
    """The changes without the values that an undo took back."""
    held = {(hold.object, hold.id, hold.remote_field): hold for hold in session.store.holds(session.config_hash)}
    if not held:
        return list(changes)
    free = []
    for change in changes:
        kept = tuple(f for f in change.fields if not _is_held(held, change, f))
        report.held += len(change.fields) - len(kept)
        if change.op != "update" or any(f.field not in _RIDERS for f in kept):
            free.append(replace(change, fields=kept))
    return free


def _is_held(held: Mapping[tuple[str, str, str], Hold], change: Change, field: FieldChange) -> bool:
    hold = held.get((change.object, change.id or "", field.remote_field))
    return hold is not None and is_same(hold.value, field.new)
