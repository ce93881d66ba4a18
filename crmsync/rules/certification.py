"""Certifications: rolled up to the partner, and what a lapse means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from crmsync.records import Certification, CertificationStatus, CertificationType, Partner
from crmsync.rules.situation import Situation
from crmsync.rules.timeline import add_days


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a partner stands with the certifications that count. ``lapsed_on``: the first day without."""

    status: CertificationStatus | None
    lapsed_on: date | None = None
    evidence: tuple[str, ...] = ()


def standing_of(
    partner_id: str | None, situation: Situation, only: Sequence[CertificationType] | None = None
) -> Standing:
    """Today's standing, over the types that the policy counts or ``only`` these; the best certification speaks."""
    types = situation.policy.model.certification.types if only is None else only
    counting = [c for c in situation.certifications.get(partner_id or "", ()) if c.type in types]
    active = [c for c in counting if _is_active(c, situation)]
    if active:
        return Standing(CertificationStatus.ACTIVE, evidence=tuple(c.id for c in active))
    lapsed = [c for c in counting if _has_lapsed(c, situation)]
    if lapsed:
        ends = [add_days(c.expires_on, 1) for c in lapsed if c.expires_on]
        return Standing(CertificationStatus.EXPIRED, max(ends, default=None), tuple(c.id for c in lapsed))
    statuses = [c.status for c in counting]
    for status in (CertificationStatus.IN_PROGRESS, CertificationStatus.REVOKED):
        if status in statuses:
            return Standing(status, evidence=tuple(c.id for c in counting))
    return Standing(None)


def _is_active(certification: Certification, situation: Situation) -> bool:
    if certification.status != CertificationStatus.ACTIVE:
        return False
    if certification.earned_on and not situation.timeline.started(certification.earned_on):
        return False
    return certification.expires_on is None or not situation.timeline.over(certification.expires_on)


def _has_lapsed(certification: Certification, situation: Situation) -> bool:
    """Its last day has passed, or the CRM says so."""
    if certification.status == CertificationStatus.EXPIRED:
        return True
    ends = certification.expires_on
    return certification.status == CertificationStatus.ACTIVE and ends is not None and situation.timeline.over(ends)


def is_suspended(partner_id: str | None, situation: Situation) -> bool:
    """Whether a lapse has lasted so long that the policy suspends protection."""
    terms = situation.policy.model.certification.on_lapse
    lapsed_on = standing_of(partner_id, situation).lapsed_on
    if terms.then != "suspend" or lapsed_on is None:
        return False
    return situation.timeline.started(add_days(lapsed_on, terms.grace_days))


def status_on(partner_id: str | None, day: date, situation: Situation) -> CertificationStatus | None:
    """The standing on a past day: what a closed deal keeps."""
    if situation.is_certified(partner_id, day):
        return CertificationStatus.ACTIVE
    types = situation.policy.model.certification.types
    counting = [c for c in situation.certifications.get(partner_id or "", ()) if c.type in types]
    ended = [c for c in counting if c.expires_on and c.expires_on < day]
    return CertificationStatus.EXPIRED if ended else None


def find_lapse(partner: Partner, situation: Situation) -> bool:
    """Note ``CERT_LAPSED`` on the partner; tells whether it was."""
    standing = standing_of(partner.id, situation)
    if standing.status != CertificationStatus.EXPIRED:
        return False
    since = f" since {standing.lapsed_on}" if standing.lapsed_on else ""
    situation.findings.add(
        "CERT_LAPSED",
        "partner",
        partner.id,
        f"{situation.partner_name(partner.id)} has no valid certification{since}",
        situation.policy.rule("certification", "types"),
        evidence=standing.evidence,
    )
    return True
