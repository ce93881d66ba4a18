"""Planning: decided changes, tasks and intake rows become one plan, in one order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from crmsync.rules import Finding, TaskRequest
from crmsync.sync.bases import stamp_fingerprints
from crmsync.sync.places import place_of
from crmsync.sync.plan import LINK, Change, FieldChange, Plan
from crmsync.sync.session import Session


def build_plan(session: Session, changes: Iterable[Change]) -> Plan:
    """A plan of these changes, one per record, sorted: the same changes in any order give the same plan."""
    return Plan(
        connection=session.connection.name,
        system=session.connection.system,
        made_at=session.now,
        policy_version=session.policy.version,
        config_hash=session.config_hash,
        changes=tuple(sorted(stamp_fingerprints(session, _joined(changes)), key=_order)),
    )


def _order(change: Change) -> tuple[str, str, str, str]:
    return (change.op, change.object, change.key, change.id or "")


def _joined(changes: Iterable[Change]) -> list[Change]:
    """One change per CRM record: an account that is also a partner is decided twice and written once."""
    joined: dict[tuple[str, str], Change] = {}
    for change in sorted(changes, key=lambda c: (*_order(c), c.kind)):
        place = (change.object, change.id or f"key:{change.key}")
        known = joined.get(place)
        joined[place] = change if known is None else replace(known, fields=_united(known, change))
    return list(joined.values())


def _united(one: Change, other: Change) -> tuple[FieldChange, ...]:
    by_field = {change.remote_field: change for change in (*other.fields, *one.fields)}
    return tuple(sorted(by_field.values(), key=lambda change: change.field))


def plan_tasks(session: Session, requests: Sequence[tuple[Finding, TaskRequest]]) -> list[Change]:
    """Tasks that no run has made yet. The CRM is asked for their keys first: a lost store makes no task twice."""
    target = session.mapping.task
    if target is None:
        return []
    fresh = {task.key: (finding, task) for finding, task in requests if not session.store.get_meta(_made(task.key))}
    if not fresh:
        return []
    existing = session.connector.find(target.object, target.key_field, sorted(fresh))
    untied = {key for key, task_id in existing.items() if _is_untied(session, task_id)}
    for key in existing.keys() - untied:
        remember_task(session, key, existing[key])
    made = [_task(session, *fresh[key]) for key in sorted(fresh) if key not in existing]
    return [*made, *(_only_ties(_task(session, *fresh[key])) for key in sorted(untied))]


def _only_ties(task: Change) -> Change:
    """The task again with nothing but its key: what a person has changed in it since stays."""
    return replace(task, fields=tuple(field for field in task.fields if field.remote_field == task.key_field))


def _is_untied(session: Session, task_id: str) -> bool:
    """Whether we made the task, and then could not tie it to its record."""
    ties = [row for row in session.store.history("task", task_id) if row.field == LINK]
    return bool(ties) and ties[0].status != "ok"


def remember_task(session: Session, key: str, task_id: str) -> None:
    """Note that the task with this key exists, so that it is never asked for again."""
    session.store.set_meta(_made(key), task_id)


def _made(key: str) -> str:
    return f"task:{key}"


def _task(session: Session, finding: Finding, task: TaskRequest) -> Change:
    target = session.mapping.task
    assert target is not None  # noqa: S101 - plan_tasks has looked
    about = (session.mapping.object_of(finding.kind), finding.id)
    values, links = target.values(
        key=task.key,
        subject=task.subject,
        body=task.body,
        owner_id=task.owner_id,
        due_at=task.due_at,
        about=about,
    )
    where = place_of(finding.rule.span, session.project.directory)
    fields = tuple(
        FieldChange(name, name, None, value, finding.message, finding.rule.name, where)
        for name, value in sorted(values.items())
    )
    return Change(
        op="upsert",
        kind="task",
        object=target.object,
        label=task.subject,
        fields=fields,
        key_field=target.key_field,
        key=task.key,
        links=links,
        about=about,
    )
