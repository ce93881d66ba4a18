"""Edits of our fields: told apart by the merge, here they become findings, or are written over where that is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crmsync.records import Record
from crmsync.remote import Scalar
from crmsync.rules import Finding, Rule
from crmsync.sync.diff import Differ, Differences, Edited
from crmsync.sync.merge import Base, Verdict
from crmsync.sync.session import Session


@dataclass(slots=True)
class Held:
    """A decided neighbourhood whose findings are not kept yet."""

    root: str
    findings: list[Finding]
    records: dict[tuple[str, str], Record]
    found: Differences


def settle_edits(session: Session, differ: Differ, held: Sequence[Held]) -> None:
    """Add a finding for every edit that stays, and a change for every one that does not."""
    del session
    for one in held:
        for edited in one.found.edited:
            if edited.verdict is Verdict.RESTORE:
                differ.restore(one.found, edited, _said(edited))
            elif edited.verdict is Verdict.FLAG_NULL:
                one.findings.append(_not_cleared(edited))
            else:
                one.findings.append(_user_edit(edited))


def _said(edited: Edited) -> str:
    return f"somebody set it to {_shown(edited.theirs)}"


def _user_edit(edited: Edited) -> Finding:
    decision = edited.decision
    message = (
        f"{edited.target.remote_field} holds {_shown(edited.theirs)}, which is not crmsync's; {_last(edited.bases)}, "
        f"and now decides {_shown(edited.ours)}: {decision.reason}"
    )
    rule = Rule("on_user_edit", edited.target.span)
    return Finding("USER_EDIT", "warning", decision.kind, decision.id, message, rule, decision.field)


def _not_cleared(edited: Edited) -> Finding:
    decision = edited.decision
    message = f"{edited.target.remote_field} should be blank and keeps {_shown(edited.theirs)}: {decision.reason}"
    return Finding(
        "NOT_CLEARED", "info", decision.kind, decision.id, message, Rule("on_null", edited.target.span), decision.field
    )


def _last(bases: Sequence[Base]) -> str:
    if not bases:
        return "nothing was written here before"
    if bases[0].text is None:
        return "what was written last is known by its fingerprint only"
    return f"both sides last had {_shown(bases[0].value)}"


def _shown(raw: Scalar) -> str:
    return "blank" if raw is None or raw == "" else f"'{raw}'"
