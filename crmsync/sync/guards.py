"""Guards: limits of the project file that stop a run before its first write."""

from __future__ import annotations

from crmsync.errors import GuardError, UsageError
from crmsync.project import Guards
from crmsync.sync.plan import Plan
from crmsync.sync.session import Session

HAS_WRITTEN = "has_synced"
CONFIRMED = "production_confirmed"
LEAST_UPDATES = 20
"""Fewer updates than this are never too large a share."""


def note_written(session: Session) -> None:
    """From now on the guards of an ordinary run hold."""
    session.store.set_meta(HAS_WRITTEN, "yes")


def check_usable(session: Session, plan: Plan) -> None:
    """Refuse a plan of another connection, of other rules, or one that is too old to be what anybody means now.

    :raises UsageError: with the way to a new plan.
    """
    if plan.connection != session.connection.name:
        raise UsageError(
            f"the plan is for connection '{plan.connection}', not '{session.connection.name}'",
            hint=f"crmsync apply --connection {plan.connection} …",
        )
    if plan.config_hash != session.config_hash and not plan.undoes:
        raise UsageError("mapping or policy changed since the plan was made", hint="crmsync plan --save FILE")
    age_s, most_s = (session.now - plan.made_at).total_seconds(), session.project.plan_expires_s
    if age_s > most_s:
        raise UsageError(
            f"the plan is {_hours(age_s)} old, plan_expires allows {_hours(most_s)}",
            hint="crmsync plan --save FILE, or raise plan_expires in crmsync.yaml",
        )


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:,.1f} h"


def confirm_production(session: Session, name: str) -> None:
    """Remember that somebody confirmed, by its name, that this connection may be written to.

    :raises UsageError: when it is another name.
    """
    if name != session.connection.name:
        raise UsageError(
            f"'{name}' is not the name of the connection to confirm", hint=f"its name is '{session.connection.name}'"
        )
    session.store.set_meta(CONFIRMED, session.connection.url)


def _check_production(session: Session, count: int) -> None:
    connection = session.connection
    if not count or session.store.get_meta(CONFIRMED) == connection.url:
        return
    if why := _why_production(session):
        raise GuardError(
            f"'{connection.name}' {why} and was never confirmed; {count} records planned, 0 written",
            hint=f"look at it with `crmsync plan`, then add once: --confirm {connection.name}",
            code="E610",
        )


def _why_production(session: Session) -> str:
    """Who says that real business is on the line; empty where nobody does.

    The CRM is asked at every run that is about to write, until it is confirmed: one HubSpot address serves every
    account, so that a new token may mean another one.
    """
    if session.connection.is_production is not None:
        return "is production by the project file" if session.connection.is_production else ""
    told = session.connector.is_production()
    if told is None:
        return "does not say whether it is production"
    return "is production by its own account" if told else ""


def check_guards(session: Session, plan: Plan, limits: Guards | None = None, *, already_written: int = 0) -> None:
    """Stop before the first write when the plan touches more than the project allows.

    :param already_written: records of the plan that are in the CRM already: rows from intake files.
    :raises GuardError: with both numbers.
    """
    guards = limits or session.project.guards
    first = guards.first_run_max_changes is not None and _is_first_run(session)
    most = guards.first_run_max_changes if first else guards.max_changes
    count = len(plan.changes)
    _check_production(session, count)
    written = f"only {already_written} intake rows were written" if already_written else "nothing was written"
    if most is not None and count > most:
        key = "guards.first_run.max_changes" if first else "guards.max_changes"
        raise GuardError(
            f"the plan changes {count} records, {key} allows {most}; {written}",
            hint=f"look at it with `crmsync plan`, then raise {key} in {session.project.path.name}",
        )
    if guards.max_percent is not None and not _is_first_run(session):
        _check_percent(session, plan, guards.max_percent, written)


def _check_percent(session: Session, plan: Plan, most: float, written: str) -> None:
    updates = [change for change in plan.changes if change.op == "update"]
    total = sum(session.store.count(name) for name in {change.object for change in updates})
    if total and 100 * len(updates) > most * total and len(updates) > LEAST_UPDATES:
        raise GuardError(
            f"the plan changes {len(updates)} of {total} records ({100 * len(updates) / total:.1f} %), "
            f"guards.max_percent allows {most:g}; {written}",
            hint=f"look at it with `crmsync plan`, then raise guards.max_percent in {session.project.path.name}",
        )


def _is_first_run(session: Session) -> bool:
    """Whether crmsync has never written to this CRM: neither this store nor the stamps on the records tell of it."""
    return session.store.get_meta(HAS_WRITTEN) is None and not _has_stamps(session)


def _has_stamps(session: Session) -> bool:
    for kind in ("deal", "registration"):
        target = session.mapping.field(kind, "synced_at")
        if target is None:
            continue
        if any(row.fields.get(target.remote_field) for row in session.store.rows(target.object)):
            return True
    return False
