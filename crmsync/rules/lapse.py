"""Registrations of which nothing came in the time that the policy gives."""

from __future__ import annotations

from crmsync.records import ClosureCode, RegistrationState
from crmsync.rules.dossier import Dossier
from crmsync.rules.policy.load import length_text
from crmsync.rules.policy.programme import Lapse
from crmsync.rules.situation import Situation
from crmsync.rules.timeline import add_length


def lapse(dossier: Dossier, situation: Situation) -> None:
    """Close a claim that waits, or end an approved one, by the first entry whose time is over."""
    policy = situation.policy
    for at, entry in enumerate(policy.model.registration.lapses):
        since = getattr(dossier.record, entry.of) if _is_meant(dossier, entry) else None
        if since is None:
            continue
        scope = situation.scope(registration=dossier.record, deal=dossier.deal, account_id=dossier.account_id)
        if not situation.holds(policy.expression("registration", "lapses", at, "when"), scope):
            continue
        if situation.timeline.over(add_length(situation.timeline.day_of(since), entry.within)):
            state = RegistrationState.EXPIRED if dossier.is_approved else RegistrationState.CLOSED
            reason = f"Lapsed: {entry.name}, {length_text(entry.within)} have passed."
            dossier.move(state, "LAPSED", reason, policy.rule("registration", "lapses", at))
            # an approval that was taken back left its day: closed as expired, the claim would seem to have had rights
            was_reverted = state == RegistrationState.CLOSED and dossier.record.approved_at is not None
            dossier.closure = ClosureCode.INCOMPLETE if was_reverted else ClosureCode.EXPIRED
            return


def _is_meant(dossier: Dossier, entry: Lapse) -> bool:
    if entry.of == "approved_at":
        return dossier.is_approved
    return dossier.is_pending or dossier.state == RegistrationState.RETURNED
