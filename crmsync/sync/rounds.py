"""Rounds: what drifted while it was written is read, decided and written again in the same run, a few times at most.

The edit that made a write drift may be in a field of ours (then the merge says what becomes of it) or in a fact (then
the rules may decide otherwise), so the whole neighbourhood is decided anew. What keeps drifting waits for the next run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from crmsync.sync.decide import decide_changes, mark_owed
from crmsync.sync.plan import Change, Plan
from crmsync.sync.planner import build_plan, plan_tasks
from crmsync.sync.push import push_plan
from crmsync.sync.report import RunReport
from crmsync.sync.session import Session

ROUNDS = 2


def push_in_rounds(session: Session, report: RunReport, plan: Plan) -> None:
    """Push the plan of a sync, and what has to be decided again because it drifted meanwhile."""
    push_plan(session, report, plan)
    while report.rounds < ROUNDS and (drifted := _drifted(report)):
        report.rounds += 1
        report.drifts += [failure for failure in report.failures if failure.status == "drifted"]
        report.failures = [failure for failure in report.failures if failure.status != "drifted"]
        _read_again(session, report, drifted)
        with session.store.transaction():
            outcome = decide_changes(session, report)
            changes = [*outcome.changes, *plan_tasks(session, outcome.tasks)]
            again = build_plan(session, changes)
            mark_owed(session, again)
        push_plan(session, report, replace(again, changes=tuple(_untried(again.changes, report))))


def _drifted(report: RunReport) -> dict[str, list[str]]:
    """Ids by object."""
    found: dict[str, list[str]] = {}
    for failure in report.failures:
        if failure.status == "drifted":
            found.setdefault(failure.object, []).append(failure.record_id)
    return found


def _read_again(session: Session, report: RunReport, drifted: dict[str, list[str]]) -> None:
    """The records as they are now, straight from the CRM; their neighbourhoods are awake then."""
    store = session.store
    specs = {spec.object: spec for spec in session.mapping.objects()}
    for name, ids in drifted.items():
        rows = session.connector.fetch(specs[name], ids)
        with store.transaction():
            store.save_page(name, rows, store.cursor(name) or {}, run_id=report.run_id)
            store.mark_deleted(name, sorted(set(ids) - {row.id for row in rows}))
            store.mark_pending([(name, record_id) for record_id in ids])


def _untried(changes: Iterable[Change], report: RunReport) -> list[Change]:
    """Without what this run was refused already."""
    refused = {(failure.object, failure.record_id) for failure in report.failures}
    return [change for change in changes if (change.object, change.id or change.key) not in refused]
