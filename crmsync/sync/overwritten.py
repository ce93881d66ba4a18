"""Overwritten: edits that fell between our last look at a record and our write, found afterwards in the CRM's history.

Where a CRM has no conditional write, that gap of one request cannot be closed. But a CRM that keeps the history of its
fields tells what stood there just before our value. If that is not what we had read, somebody's edit is gone: it is
told, with its author, and the value can be put back by hand. No clocks are compared, only the order of the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import structlog

from crmsync.errors import AuthError, RemoteError
from crmsync.mappings import FieldMapping
from crmsync.remote import Edit
from crmsync.store import JournalRow
from crmsync.sync.report import Overwritten, RunReport
from crmsync.sync.session import Session

_LAST_MODIFICATION = "last modification"
_log = structlog.get_logger("crmsync.sync")


def find_overwritten(session: Session, report: RunReport) -> None:
    """Look at every unconditional update of the run; what was lost goes into the report.

    One request for each 50 records on HubSpot; on Salesforce one for each object whose history is tracked.
    """
    by_object: dict[str, dict[tuple[str, str], JournalRow]] = {}
    for row in session.store.run_history(report.run_id):
        if row.status == "ok" and row.op == "update" and row.remote_field in session.mapping.kept_fields(row.object):
            by_object.setdefault(row.object, {})[row.record_id, row.remote_field] = row
    for name, rows in sorted(by_object.items()):
        ids, fields = sorted({place[0] for place in rows}), sorted({place[1] for place in rows})
        try:
            edits = session.connector.edits(name, ids, fields)
        except (AuthError, RemoteError) as error:
            _log.warning("overwritten_unknown", object=name, code=error.code)
            session.progress.note(f"{name}: its history could not be read; whether an edit was lost is not known")
            continue
        report.overwritten += _lost(rows, edits, session.mapping.kept_fields(name))


def _lost(
    rows: Mapping[tuple[str, str], JournalRow],
    edits: Mapping[tuple[str, str], Sequence[Edit]],
    fields: Mapping[str, FieldMapping],
) -> Iterator[Overwritten]:
    for place, row in sorted(rows.items()):
        edit = lost_edit(row, edits.get(place, ()), fields[row.remote_field])
        if edit is not None:
            yield Overwritten(
                object=row.object,
                record_id=row.record_id,
                label=row.label,
                field=row.remote_field,
                lost=edit.value,
                ours=row.new,
                by=edit.by or edit.by_id,
                at=edit.at,
                source=edit.source,
            )


def lost_edit(row: JournalRow, edits: Sequence[Edit], target: FieldMapping) -> Edit | None:
    """What our value took the place of, if it is not what we had read. Pure.

    :param edits: of the field, newest first.
    """
    told = [edit for edit in edits if edit.source != _LAST_MODIFICATION]
    values = [target.normal(edit.value) for edit in told]
    ours = target.normal(row.new)
    if ours not in values:
        return None
    before = values.index(ours) + 1
    if before == len(values) or values[before] in (ours, target.normal(row.old)):
        return None
    return told[before]
