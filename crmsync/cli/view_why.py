"""How an explanation looks. Pure: a story in, lines out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from crmsync.cli.render import Line, styled
from crmsync.cli.words import instant, place, show_value
from crmsync.store import HistoryRow

if TYPE_CHECKING:
    from crmsync.sync.why import Explanation, FieldStory

WRITES_SHOWN = 5


def why_lines(story: Explanation, *, url: str = "", in_full: bool = False) -> Iterator[Line]:
    """The record, then each decided field: in full for one field, a line each for all of them."""
    yield styled(f"{story.kind}  ", (story.label, "bold"), (f"  ({story.id})  {url}".rstrip(), "dim"))
    if story.deleted:
        fate = f"merged into {story.merged_into}" if story.merged_into else "deleted in the CRM"
        yield styled((f"  {fate}; nothing is decided about it any more", "yellow"))
    if in_full:
        for field in story.fields:
            yield from field_lines(field)
    else:
        yield from _overview(story)
    for finding in story.findings:
        yield styled(("  ! ", "yellow"), f"{finding.code}  {finding.message}", (f"  {place(finding.where)}", "dim"))


def _overview(story: Explanation) -> Iterator[Line]:
    told = [field for field in story.fields if field.value not in (None, "", []) or field.history]
    blank = len(story.fields) - len(told)
    width = max((len(field.field) for field in told), default=0)
    values = max((len(show_value(field.value)) for field in told), default=0)
    for field in told:
        yield styled(
            f"  {field.field:<{width}}  ",
            (f"{show_value(field.value):<{values}}", "cyan"),
            f"  {field.reason}",
            (f"  {place(field.where)}", "dim"),
        )
    if blank:
        are = "field is blank, as it should be" if blank == 1 else "fields are blank, as they should be"
        yield styled((f"  {blank} more {are}", "dim"))


def field_lines(field: FieldStory) -> Iterator[Line]:
    """One field: its value, why, from what, and every write."""
    remote = f" ({field.remote_field})" if field.remote_field else ""
    yield styled(("  " + field.field, "bold"), f"{remote}   ", (show_value(field.value, width=120), "cyan"))
    yield styled(f"    because   {field.reason}", (f"   [{field.code}]", "dim"))
    yield f"    rule      {field.rule}, {place(field.where)}"
    for index, line in enumerate(field.trace):
        yield f"    {'steps' if index == 0 else '':<10}{line}"
    for index, line in enumerate(field.evidence):
        yield f"    {'evidence' if index == 0 else '':<10}{line}"
    yield f"    decided   {instant(field.decided_at)}"
    for index, write in enumerate(field.history[:WRITES_SHOWN]):
        yield f"    {'written' if index == 0 else 'before':<10}{_write(write)}"
    if not field.history:
        yield "    written   never by crmsync"


def _write(write: HistoryRow) -> str:
    change = f"{show_value(write.old)} -> {show_value(write.new)}"
    status = "" if write.status == "ok" else f"   {write.status or 'unknown'}"
    return f"{instant(write.at)}   run {write.run_id}   {change}{status}   {place(write.where)}"
