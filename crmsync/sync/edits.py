"""Edits of our fields: told apart by the merge, here they become findings, or are written over where that is wanted.

Who edited is asked of the CRM for these fields alone, all of them at once, and once per value: the answer is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta

import structlog

from crmsync.errors import AuthError, Permanent
from crmsync.records import Record
from crmsync.remote import Edit, Scalar
from crmsync.rules import Finding, Rule
from crmsync.store import EditRow
from crmsync.sync.diff import Differ, Differences, Edited
from crmsync.sync.merge import Base, Verdict
from crmsync.sync.session import Session

FLIPS_WITHIN = timedelta(days=30)
"""Older restorations count no longer."""

RESTORED = "on_user_edit"
"""The rule under which a restoration stands in the journal."""

_LAST_MODIFICATION = "last modification"
_log = structlog.get_logger("crmsync.sync")

Place = tuple[str, str, str]


@dataclass(slots=True)
class Held:
    """A decided neighbourhood whose findings are not kept yet."""

    root: str
    findings: list[Finding]
    records: dict[tuple[str, str], Record]
    found: Differences


@dataclass(slots=True)
class EditBook:
    """What is known of edits, for one run."""

    session: Session
    run_id: str
    _rows: dict[Place, EditRow] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rows = self.session.store.edit_rows()

    # -------------------------------------------------------------- both sides agree

    def clear(self, found: Differences) -> None:
        """Forget the edits that the merge no longer finds; a frozen field on which both sides agree thaws."""
        if not self._rows:
            return
        names = self.session.mapping.kept_fields
        places = [(name, i, remote_field) for name, i in found.drafts for remote_field in names(name)]
        gone = [self._rows[place] for place in places if place in self._rows]
        standing = {edited.place for edited in found.edited}
        gone = [row for row in gone if (row.object, row.id, row.remote_field) not in standing]
        thawed = [_place(row) for row in gone if row.frozen_run and row.frozen_run != self.run_id]
        self.session.store.thaw(thawed, self.session.now)
        self.session.store.drop_edits(_place(row) for row in gone if not row.frozen_run and not row.thawed_at)

    # -------------------------------------------------------------- edits that stand

    def settle(self, differ: Differ, held: Sequence[Held]) -> None:
        """Add a finding for every edit that stays, and a change for every one that does not."""
        cases = [edited for one in held for edited in one.found.edited if edited.verdict is not Verdict.FLAG_NULL]
        known = self._ask([case for case in cases if not self._is_known(case)])
        for one in held:
            for edited in one.found.edited:
                if edited.verdict is Verdict.FLAG_NULL:
                    one.findings.append(_not_cleared(edited))
                else:
                    self._settle(differ, one, edited, known.get(edited.place))

    def _settle(self, differ: Differ, held: Held, edited: Edited, told: Edit | None) -> None:
        row = self._row(edited, told)
        if edited.verdict is Verdict.FLAG_EDIT:
            row = replace(row, frozen_run="")
            held.findings.append(_user_edit(edited, row))
        elif row.frozen_run or self._is_flipping(edited, row):
            row = replace(row, frozen_run=row.frozen_run or self.run_id)
            held.findings.append(_frozen(edited, row, self.session.mapping.freeze_after))
        else:
            differ.restore(held.found, edited, f"{_author(row)} set it to {_shown(edited.theirs)}{_when(row)}")
        self._rows[edited.place] = row
        self.session.store.save_edits([row])

    def _row(self, edited: Edited, told: Edit | None) -> EditRow:
        name, record_id, remote_field = edited.place
        old = self._rows.get(edited.place) or EditRow(
            object=name, id=record_id, remote_field=remote_field, theirs=edited.theirs
        )
        if told is None:
            is_same = old.theirs == edited.theirs
            return old if is_same else replace(old, theirs=edited.theirs, edited_at=None, by="", source="")
        return replace(old, theirs=edited.theirs, edited_at=told.at, by=told.by or told.by_id, source=told.source)

    def _is_known(self, edited: Edited) -> bool:
        """Whether the CRM was asked about this value: a restored field may have been edited again since."""
        row = self._rows.get(edited.place)
        is_answered = row is not None and bool(row.source) and row.theirs == edited.theirs
        return is_answered and (edited.verdict is Verdict.FLAG_EDIT or bool(row and row.frozen_run))

    def _ask(self, cases: Iterable[Edited]) -> Mapping[Place, Edit]:
        by_object: dict[str, list[Edited]] = {}
        for case in cases:
            by_object.setdefault(case.place[0], []).append(case)
        told: dict[Place, Edit] = {}
        for name, alike in sorted(by_object.items()):
            ids, fields = ({case.place[n] for case in alike} for n in (1, 2))
            try:
                edits = self.session.connector.edits(name, sorted(ids), sorted(fields))
            except (AuthError, Permanent) as error:
                if isinstance(error, AuthError) and not error.missing_scopes:
                    raise
                # no permission for the history: the edit stands, its author stays unknown
                _log.warning("no_history", object=name, code=error.code)
                continue
            told |= {case.place: edit for case in alike if (edit := _fitting(case, edits.get(case.place[1:], ())))}
        return told

    def _is_flipping(self, edited: Edited, row: EditRow) -> bool:
        name, record_id, remote_field = edited.place
        long_ago = self.session.now - FLIPS_WITHIN
        since = max(long_ago, row.thawed_at or long_ago)
        writes = self.session.store.history(name, record_id, remote_field)
        restored = [w for w in writes if w.rule == RESTORED and w.status == "ok" and w.at and w.at >= since]
        return len(restored) >= self.session.mapping.freeze_after


def _place(row: EditRow) -> Place:
    return (row.object, row.id, row.remote_field)


def _fitting(case: Edited, edits: Sequence[Edit]) -> Edit | None:
    """The latest edit that gave the field the value it has; else the latest of all."""
    theirs = case.target.normal(case.theirs)
    return next((edit for edit in edits if case.target.normal(edit.value) == theirs), edits[0] if edits else None)


# ------------------------------------------------------------------ words


def _user_edit(edited: Edited, row: EditRow) -> Finding:
    message = (
        f"{edited.target.remote_field} holds {_shown(edited.theirs)}, set by {_author(row)}{_when(row)}; it stays. "
        f"{_last(edited.bases)}, decided is {_shown(edited.ours)}: {edited.decision.reason}"
    )
    return _finding("USER_EDIT", "warning", edited, message, Rule("on_user_edit", edited.target.span), row)


def _frozen(edited: Edited, row: EditRow, times: int) -> Finding:
    message = (
        f"{edited.target.remote_field} is left alone. {_shown(edited.ours)} was written back {times} times, and "
        f"{_author(row)} set {_shown(edited.theirs)} again{_when(row)}. Settle who owns the field; it is written again "
        f"once both sides agree, or after `crmsync unfreeze`"
    )
    return _finding("FIELD_FROZEN", "warning", edited, message, Rule("freeze_after", edited.target.span), row)


def _not_cleared(edited: Edited) -> Finding:
    message = (
        f"{edited.target.remote_field} should be blank and keeps {_shown(edited.theirs)}: {edited.decision.reason}"
    )
    return _finding("NOT_CLEARED", "info", edited, message, Rule("on_null", edited.target.span), None)


def _finding(code: str, severity: str, edited: Edited, message: str, rule: Rule, row: EditRow | None) -> Finding:
    decision = edited.decision
    return Finding(
        code, severity, decision.kind, decision.id, message, rule, decision.field, tuple(_evidence(edited, row))
    )


def _evidence(edited: Edited, row: EditRow | None) -> Iterable[str]:
    yield f"field: {edited.target.remote_field}"
    yield _last(edited.bases)
    yield f"the CRM holds: {_shown(edited.theirs)}"
    yield f"decided: {_shown(edited.ours)}"
    if row is not None and row.source:
        yield f"by: {row.by or 'unknown'}"
        yield f"at: {row.edited_at.isoformat() if row.edited_at else 'unknown'}"
        yield f"source: {row.source}"


def _author(row: EditRow) -> str:
    if row.source == _LAST_MODIFICATION:
        return f"somebody (the record was last changed by {row.by})" if row.by else "somebody"
    return row.by or (f"somebody ({row.source})" if row.source else "somebody")


def _when(row: EditRow) -> str:
    return f" on {row.edited_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if row.edited_at else ""


def _last(bases: Sequence[Base]) -> str:
    if not bases:
        return "Nothing was written there before"
    if bases[0].text is None:
        return "The value written last is known by its fingerprint only"
    return f"Both sides last had {_shown(bases[0].value)}"


def _shown(raw: Scalar) -> str:
    return "blank" if raw is None or raw == "" else f"'{raw}'"
