"""How a plan looks. Pure: a plan in, lines out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from crmsync.cli.render import Line, Rows, styled
from crmsync.cli.words import NOT_CHECKED, SYSTEM_NAMES, api_calls, count, place, shorten, show_value
from crmsync.sync.plan import FINGERPRINT, Change, FieldChange, Plan
from crmsync.sync.report import RunReport

SHOWN = 10
_KINDS = ("registration", "task", "partner", "account", "contact")
_CREDITED = ("sourced", "influenced", "review")
_NOTES = ("synced_at", FINGERPRINT)
"""Written with every change, and telling nobody anything."""
_OPS = {"update": "update", "upsert": "create", "delete": "delete"}
_MARKS = {"update": ("~", "yellow"), "upsert": ("+", "green"), "delete": ("-", "red")}


def plan_lines(plan: Plan, report: RunReport | None, *, show: int | None = SHOWN) -> Iterator[Line]:
    """Header, changes by record, changes by field and rule, counts, and what the plan cannot know."""
    system = SYSTEM_NAMES.get(plan.system, plan.system)
    yield styled(
        (plan.connection, "bold"), f"   {system}   policy {plan.policy_version}   made {plan.made_at:%F %R} UTC"
    )
    yield ""
    shown = most_telling(plan.changes, show)
    for change in shown:
        yield from change_lines(change)
    if len(shown) < len(plan.changes):
        yield styled((f"  … {count(len(plan.changes) - len(shown), 'more record')} (--show all)", "dim"))
    if plan.changes:
        yield ""
    if len(plan.changes) > len(shown):
        yield field_table(plan)
        yield ""
    yield from summary_lines(plan, report)


def most_telling(changes: Sequence[Change], number: int | None) -> list[Change]:
    """Some of the changes, of every sort a few, what sellers care about most first; ``None``: all of them."""
    ranked = sorted(changes, key=_rank)
    if number is None:
        return ranked
    seen: Counter[int] = Counter()
    turns = []
    for index, rank in enumerate(map(_rank, ranked)):
        turns.append((seen[rank], index))
        seen[rank] += 1
    return [ranked[index] for index in sorted(index for _, index in sorted(turns)[:number])]


def _rank(change: Change) -> int:
    """Conflicts, then protection, then who brought a deal; a direct deal that stays one comes last."""
    new = {field.field: str(field.new or "") for field in change.fields}
    contested = new.get("conflict_status") in ("suspected", "confirmed") or "CONFLICT" in new.get("flags", "")
    if change.kind == "deal":
        told = (contested, "protection_end" in new, "partner_id" in new or new.get("attribution") in _CREDITED)
        return told.index(True) if True in told else len(_KINDS) + 4
    if change.kind == "registration" and contested:
        return 3
    return 4 + (_KINDS.index(change.kind) if change.kind in _KINDS else len(_KINDS) - 1)


def change_lines(change: Change) -> Iterator[Line]:
    mark, color = _MARKS[change.op]
    name = f"  ({change.id})" if change.id else ""
    yield styled(("  " + mark, color), f" {change.kind}  ", (change.label, "bold"), (name, "dim"))
    if change.kind == "task" and change.op != "delete":
        yield _task_line(change)
        return
    shown = [field for field in change.fields if field.field not in _NOTES] or list(change.fields)
    widths = _widths(shown)
    for field in shown:
        yield _field_line(field, widths)


def _task_line(change: Change) -> Line:
    """A task is one thing to do, not eight fields."""
    first = change.fields[0]
    return styled(f"      {shorten(first.reason, 120)}", (f"  {place(first.where)}", "dim"))


def _widths(fields: list[FieldChange]) -> tuple[int, int, int]:
    return (
        max(len(field.field) for field in fields),
        max(len(_values(field)) for field in fields),
        max(len(shorten(field.reason, 60)) for field in fields),
    )


def _values(field: FieldChange) -> str:
    return f"{show_value(field.old, width=28)} -> {show_value(field.new, width=36)}"


def _field_line(field: FieldChange, widths: tuple[int, int, int]) -> Line:
    name, values, reason = widths
    return styled(
        f"      {field.field:<{name}}  ",
        (f"{_values(field):<{values}}", "cyan"),
        f"  {shorten(field.reason, 60):<{reason}}",
        (f"  {place(field.where)}", "dim"),
    )


def field_table(plan: Plan) -> Rows:
    """How often each field changes, by which rule."""
    changes = Counter(
        (change.kind, field.field, field.rule, field.where)
        for change in plan.changes
        for field in change.fields
        if field.field not in _NOTES and change.kind != "task"
    )
    tasks = [change for change in plan.changes if change.kind == "task"]
    changes.update(("task", "", change.fields[0].rule, change.fields[0].where) for change in tasks)
    rows = [
        (f"  {number:,}", f"{kind}.{name}".rstrip("."), rule, place(where))
        for (kind, name, rule, where), number in changes.most_common(40)
    ]
    return Rows(("  changes", "field", "rule", "where"), rows, right=(0,))


def summary_lines(plan: Plan, report: RunReport | None) -> Iterator[Line]:
    kinds = Counter(_OPS[change.op] for change in plan.changes)
    if not plan.changes:
        yield styled(("No changes", "green"), ": the CRM holds what the policy says.")
    else:
        parts = ", ".join(f"{kinds[op]:,} {op}" for op in ("create", "update", "delete"))
        parts += f" · {count(plan.field_count, 'field')}"
        yield styled((f"Plan {plan.id}", "bold"), f": {parts}")
    if report is not None:
        yield f"Findings: {report.findings_opened:,} would open, {report.findings_cleared:,} would clear"
        yield api_calls(report.api)
    if plan.changes:
        yield f"Not checked: {NOT_CHECKED.get(plan.system, 'what the CRM does by itself after a write')}"


def plan_data(plan: Plan, report: RunReport | None) -> dict[str, Any]:
    """The JSON form."""
    kinds = Counter(_OPS[change.op] for change in plan.changes)
    return {
        "id": plan.id,
        "digest": plan.digest,
        "connection": plan.connection,
        "system": plan.system,
        "made_at": plan.made_at,
        "policy_version": plan.policy_version,
        "summary": {**kinds, "records": len(plan.changes), "fields": plan.field_count},
        "changes": plan.changes,
        "report": report,
    }
