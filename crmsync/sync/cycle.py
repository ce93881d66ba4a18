"""The cycle: pull, decide, plan, push, checkpoint. ``make_plan`` stops before the push and keeps no decision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Literal

from crmsync.errors import CrmsyncError, GuardError, UsageError
from crmsync.project import Guards
from crmsync.sync.decide import decide_changes
from crmsync.sync.intake import land_intake, plan_intake
from crmsync.sync.plan import Change, Plan
from crmsync.sync.planner import build_plan, plan_tasks
from crmsync.sync.pull import check_completeness, pull_all
from crmsync.sync.push import push_plan, settle_unfinished
from crmsync.sync.report import RunReport
from crmsync.sync.session import Session

HAS_SYNCED = "has_synced"


class _Undo(Exception):
    """Leaves a transaction without keeping what was done in it."""


def make_plan(session: Session, *, full: bool = False) -> tuple[Plan, RunReport]:
    """Pull, decide and diff; write nothing to the CRM, and keep nothing but the mirror."""
    with _run(session, "plan") as report:
        _refresh(session, report, full=full)
        changes: list[Change] = []
        with _forgetting(session):
            outcome = decide_changes(session, report, everything=full)
            changes = [*plan_intake(session, report), *outcome.changes, *plan_tasks(session, outcome.tasks)]
        plan = build_plan(session, changes)
        _count_plan(report, plan)
    return plan, report


def sync(session: Session, *, full: bool = False, limits: Guards | None = None) -> tuple[Plan, RunReport]:
    """Plan and apply within the project's guards: what the scheduler runs.

    :raises GuardError: when the plan is larger than the guards allow; nothing was written then.
    """
    with _run(session, "sync") as report:
        settle_unfinished(session)
        _refresh(session, report, full=full)
        land_intake(session, report, lambda plan: check_guards(session, plan, limits))
        plan = _decide(session, report, full=full, limits=limits)
        push_plan(session, report, plan)
        session.store.set_meta(HAS_SYNCED, "yes")
    return plan, report


def apply_plan(session: Session, plan: Plan, *, limits: Guards | None = None) -> RunReport:
    """Write exactly this plan; records that changed since it was made are left alone and reported.

    :raises UsageError: when the plan was made for another connection or under another mapping or policy.
    """
    if plan.connection != session.connection.name:
        raise UsageError(
            f"the plan is for connection '{plan.connection}', not '{session.connection.name}'",
            hint=f"crmsync apply --connection {plan.connection} …",
        )
    if plan.config_hash != session.config_hash:
        raise UsageError("mapping or policy changed since the plan was made", hint="crmsync plan --save FILE")
    with _run(session, "apply") as report:
        settle_unfinished(session)
        _count_plan(report, plan)
        check_guards(session, plan, limits)
        push_plan(session, report, plan)
    return report


def _refresh(session: Session, report: RunReport, *, full: bool) -> None:
    pull_all(session, report, full=full)
    check_completeness(session, report)


def _decide(session: Session, report: RunReport, *, full: bool, limits: Guards | None) -> Plan:
    """Decide and plan in one transaction; a guard that stops the run leaves no trace of it."""
    with session.store.transaction():
        outcome = decide_changes(session, report, everything=full)
        plan = build_plan(session, [*outcome.changes, *plan_tasks(session, outcome.tasks)])
        _count_plan(report, plan)
        check_guards(session, plan, limits)
    return plan


@contextmanager
def _forgetting(session: Session) -> Iterator[None]:
    try:
        with session.store.transaction():
            yield
            raise _Undo
    except _Undo:
        return


def _count_plan(report: RunReport, plan: Plan) -> None:
    report.planned_records = len(plan.changes)
    report.planned_fields = plan.field_count


def check_guards(session: Session, plan: Plan, limits: Guards | None = None) -> None:
    """Stop before the first write when the plan touches more than the project allows.

    :raises GuardError: with both numbers.
    """
    guards = limits or session.project.guards
    first = session.store.get_meta(HAS_SYNCED) is None
    widened = first and guards.first_run_max_changes is not None
    most = guards.first_run_max_changes if widened else guards.max_changes
    count = len(plan.changes)
    if most is not None and count > most:
        key = "guards.first_run.max_changes" if first else "guards.max_changes"
        raise GuardError(
            f"the plan changes {count} records, {key} allows {most}; nothing was written",
            hint=f"look at it with `crmsync plan`, then raise {key} in {session.project.path.name}",
        )
    if guards.max_percent is not None and not first:
        _check_percent(session, plan, guards.max_percent)


def _check_percent(session: Session, plan: Plan, most: float) -> None:
    total = sum(session.store.count(name) for name in {change.object for change in plan.changes})
    updates = sum(change.op == "update" for change in plan.changes)
    if total and 100 * updates > most * total and updates > 20:
        raise GuardError(
            f"the plan changes {updates} of {total} records ({100 * updates / total:.1f} %), "
            f"guards.max_percent allows {most:g}; nothing was written",
            hint=f"look at it with `crmsync plan`, then raise guards.max_percent in {session.project.path.name}",
        )


@contextmanager
def _run(session: Session, mode: Literal["plan", "sync", "apply"]) -> Iterator[RunReport]:
    """A run with its row in the store, whatever becomes of it."""
    store = session.store
    report = RunReport(
        run_id=store.next_run_id(),
        connection=session.connection.name,
        system=session.connection.system,
        mode=mode,
        started_at=session.now,
        policy_version=session.policy.version,
    )
    store.start_run(report.run_id, mode, session.now)
    try:
        yield report
        report.status = "partial" if report.failures or report.rejects else "ok"
    except CrmsyncError as error:
        report.status, report.error = "failed", f"{error.code}: {error.message}"
        raise
    except BaseException as error:
        report.status, report.error = "failed", type(error).__name__
        raise
    finally:
        _finish(session, report)


def _finish(session: Session, report: RunReport) -> None:
    report.api = session.connector.budget()
    report.finished_at = datetime.now(UTC)
    report.findings_open = session.store.open_findings_count()
    session.store.finish_run(asdict(report))
