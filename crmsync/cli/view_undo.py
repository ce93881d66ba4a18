"""How an undo looks. Pure: an undo in, lines out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crmsync.cli.render import Line, styled
from crmsync.cli.view_plan import SHOWN, change_lines, most_telling, plan_data
from crmsync.cli.words import count, instant, show_value

if TYPE_CHECKING:
    from crmsync.sync.undo import Left, Undo

_WORDS = {
    "edited": "edited since",
    "superseded": "written again by a later run",
    "gone": "no longer in the CRM",
    "touched": "created by the run, changed since",
    "kept": "created by the run (--delete-created removes it)",
    "existed": "existed before, its old values are not known",
    "unknown": "nobody knows whether it was written; the next run settles it",
}


def undo_data(undo: Undo, *, applied: bool, saved: str) -> dict[str, Any]:
    """The JSON form."""
    return {"run_id": undo.run_id, "plan": plan_data(undo.plan, None), "left": undo.left,
            "applied": applied, "saved": saved or None}  # fmt: skip


def undo_lines(undo: Undo, *, show: int | None = SHOWN) -> Iterator[Line]:
    """What goes back, then what is left and why."""
    plan = undo.plan
    yield styled((plan.connection, "bold"), f"   undo of run {undo.run_id}")
    yield ""
    shown = most_telling(plan.changes, show)
    for change in shown:
        yield from change_lines(change)
    if len(shown) < len(plan.changes):
        yield styled((f"  … {count(len(plan.changes) - len(shown), 'more record')} (--show all)", "dim"))
    yield from left_lines(undo.left, show=show)
    removed = sum(change.op == "delete" for change in plan.changes)
    parts = f"{count(plan.field_count, 'field')} of {count(len(plan.changes) - removed, 'record')} go back"
    yield styled((f"Undo {plan.id}", "bold"), f": {parts}, {count(removed, 'created record')} removed")
    if undo.left:
        yield f"Left as they are: {left_summary(undo.left)}"


def left_summary(left: Sequence[Left]) -> str:
    reasons = Counter(entry.reason for entry in left)
    return ", ".join(f"{number:,} {_WORDS[reason]}" for reason, number in sorted(reasons.items()))


def left_lines(left: Sequence[Left], *, show: int | None) -> Iterator[Line]:
    """Every entry that is left; all of them unless ``show`` is a number, and edits never cut to fewer than 100."""
    if left:
        yield ""
        yield styled(("Left as they are", "bold"))
    most = len(left) if show is None else max(show, 100)
    for entry in left[:most]:
        name = f"{entry.kind}:{entry.record_id}  {entry.label}"
        value = f"  {entry.field}: {show_value(entry.ours)} -> {show_value(entry.found)}" if entry.field else ""
        who = f"  by {entry.by}" if entry.by else ""
        when = f", {instant(entry.at)}" if entry.at else ""
        yield styled(("  = ", "yellow"), f"{name}{value}", (f"   {_WORDS[entry.reason]}{who}{when}", "dim"))
    if len(left) > most:
        yield styled((f"  … {count(len(left) - most, 'more')} (--show all)", "dim"))
    if left:
        yield ""
