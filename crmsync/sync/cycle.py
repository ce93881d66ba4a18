"""The cycle: pull, decide, plan, push, checkpoint. ``make_plan`` stops before the push and keeps no decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Literal

from crmsync.errors import CrmsyncError, StoreError
from crmsync.project import Guards
from crmsync.sync.configs import keep_config
from crmsync.sync.decide import decide_changes, mark_owed
from crmsync.sync.guards import check_guards, check_usable, note_written
from crmsync.sync.holds import without_held
from crmsync.sync.intake import land_rows, plan_intake
from crmsync.sync.overwritten import find_overwritten
from crmsync.sync.plan import Change, Plan
from crmsync.sync.planner import build_plan, plan_tasks
from crmsync.sync.pull import pull_all
from crmsync.sync.push import push_plan
from crmsync.sync.quota import note_calls
from crmsync.sync.reconcile import reconcile_all
from crmsync.sync.rejects import RejectBook
from crmsync.sync.report import RunReport
from crmsync.sync.rounds import push_in_rounds
from crmsync.sync.session import Session
from crmsync.sync.settle import settle_unfinished
from crmsync.sync.soundness import check_store
from crmsync.sync.undo import write_undo


class _Undo(Exception):
    """Leaves a transaction without keeping what was done in it."""


def make_plan(session: Session, *, full: bool = False) -> tuple[Plan, RunReport]:
    """Pull, decide and diff; write nothing to the CRM, and keep nothing but the mirror."""
    with _run(session, "plan") as report:
        _refresh(session, report, full=full)
        changes: list[Change] = []
        with _forgetting(session):
            changes = [*plan_intake(session, report), *_decided(session, report, full=full)]
        plan = build_plan(session, changes)
        _count_plan(report, plan)
    return plan, report


def sync(session: Session, *, full: bool = False, limits: Guards | None = None) -> tuple[Plan, RunReport]:
    """Plan and apply within the project's guards: what the scheduler runs. The plan holds all that was to be written.

    :raises GuardError: when the plan is larger than the guards allow; nothing was written then.
    """
    check_store(session)
    with _run(session, "sync") as report:
        settle_unfinished(session)
        _refresh(session, report, full=full)
        landed = _land_intake(session, report, full=full, limits=limits)
        plan, rest = _decide(session, report, landed, full=full, limits=limits)
        push_in_rounds(session, report, rest)
        RejectBook(session, report.run_id).drop_unwanted(plan.changes)
        find_overwritten(session, report)
        note_written(session)
    return plan, report


def certify(session: Session, *, full: bool = False) -> RunReport:
    """Pull, compare all of the mirror with the CRM, mend it; decide and write nothing."""
    with _run(session, "certify") as report:
        pull_all(session, report, full=full)
        reconcile_all(session, report, everything=True)
    return report


def apply_plan(session: Session, plan: Plan, *, limits: Guards | None = None) -> RunReport:
    """Write exactly this plan; records that changed since it was made are left alone and reported.

    :raises UsageError: when the plan was made for another connection or under another mapping or policy.
    """
    check_usable(session, plan)
    check_store(session)
    with _run(session, "undo" if plan.undoes else "apply") as report:
        settle_unfinished(session)
        _count_plan(report, plan)
        check_guards(session, plan, limits)
        if plan.undoes:
            write_undo(session, report, plan)
        else:
            push_plan(session, report, plan, decided=False)
            find_overwritten(session, report)
        note_written(session)
    return report


def _refresh(session: Session, report: RunReport, *, full: bool) -> None:
    pull_all(session, report, full=full)
    reconcile_all(session, report, everything=full)


def _decided(session: Session, report: RunReport, *, full: bool) -> list[Change]:
    outcome = decide_changes(session, report, everything=full)
    return [*without_held(session, report, outcome.changes), *plan_tasks(session, outcome.tasks)]


def _land_intake(session: Session, report: RunReport, *, full: bool, limits: Guards | None) -> Sequence[Change]:
    """Write what the intake files bring, once the guards allow it together with all that is to be written anyway."""
    changes = plan_intake(session, report, writes_rejects=True)
    if changes:
        with _forgetting(session):
            expected = _decided(session, deepcopy(report), full=full)
            check_guards(session, build_plan(session, [*changes, *expected]), limits)
        land_rows(session, report, changes)
    return changes


def _decide(
    session: Session, report: RunReport, landed: Sequence[Change], *, full: bool, limits: Guards | None
) -> tuple[Plan, Plan]:
    """Decide and plan in one transaction; a guard that stops the run leaves no trace of it.

    :return: the plan of the whole run, and what of it is still to be written.
    """
    with session.store.transaction():
        changes = _decided(session, report, full=full)
        rest, whole = build_plan(session, changes), build_plan(session, [*landed, *changes])
        _count_plan(report, whole)
        check_guards(session, whole, limits, already_written=len(landed))
        mark_owed(session, rest)
    return whole, rest


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
    report.undoes = plan.undoes


@contextmanager
def _run(session: Session, mode: Literal["plan", "sync", "apply", "certify", "undo"]) -> Iterator[RunReport]:
    """A run with its row in the store, whatever becomes of it."""
    store = session.store
    report = RunReport(
        run_id=store.next_run_id(),
        connection=session.connection.name,
        system=session.connection.system,
        mode=mode,
        started_at=session.now,
        policy_version=session.policy.version,
        config_hash=session.config_hash,
    )
    store.start_run(
        report.run_id, mode, session.now, connection=session.connection.name, system=session.connection.system
    )
    keep_config(session)
    try:
        yield report
    except BaseException as error:
        report.status = "failed"
        report.error = _said(error)
        with suppress(StoreError):  # the first error is the one to tell
            _finish(session, report)
        raise
    report.status = "partial" if report.failures or report.rejects else "ok"
    _finish(session, report)


def _said(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return f"{error.code}: {error.message}" if isinstance(error, CrmsyncError) else type(error).__name__


def _finish(session: Session, report: RunReport) -> None:
    report.api = session.budget()
    note_calls(session.store, session.now, report.api.used - session.calls_noted)
    session.calls_noted = report.api.used
    report.finished_at = datetime.now(UTC)
    report.findings_open = session.store.open_findings_count()
    session.store.close_run(asdict(report))
