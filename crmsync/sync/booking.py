"""How a change goes into the journal: one row per field and tie, before the request leaves. Pure."""

from __future__ import annotations

from dataclasses import replace

from crmsync.store import JournalRow
from crmsync.sync.plan import LINK, Change, FieldChange


def journal_rows(run_id: str, ref: str, change: Change) -> list[JournalRow]:
    """The rows of one write; ``ref`` is the write's own id."""
    rows = [_journal_row(run_id, ref, change, field) for field in change.fields]
    first = rows[0]
    ties = [
        replace(first, field=LINK, remote_field=f"{to_object} {label}".rstrip(), old=None, new=to_id)
        for to_object, to_id, label in change.links
    ]
    return [*rows, *ties]


def _journal_row(run_id: str, ref: str, change: Change, field: FieldChange) -> JournalRow:
    return JournalRow(
        run_id=run_id,
        ref=ref,
        op=change.op,
        object=change.object,
        record_id=change.id or "",
        key_field=change.key_field,
        key=change.key,
        kind=change.kind,
        label=change.label,
        field=field.field,
        remote_field=field.remote_field,
        old=field.old,
        new=field.new,
        rule=field.rule,
        where=field.where,
        reason=field.reason,
    )
