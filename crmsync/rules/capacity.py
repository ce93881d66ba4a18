"""Which registrations a partner has open: counted over all customers, decided customer by customer.

Whether a registration is open never depends on how many are, so one count settles it.
"""

from __future__ import annotations

from crmsync.rules.decision import Decision, Facts
from crmsync.rules.policy import Policy
from crmsync.rules.situation import OPEN


def has_capacity(policy: Policy) -> bool:
    """Whether any version of the policy limits open registrations."""
    versions = policy.versions or (policy,)
    return any(version.model.capacity.open_registrations_per_partner is not None for version in versions)


def open_claims(facts: Facts, decision: Decision) -> dict[str, str]:
    """The partner of every registration that is open once this decision is written, by registration id."""
    decided = {(row.id, row.field): row.value for row in decision.fields if row.kind == "registration"}
    found: dict[str, str] = {}
    for registration in facts.registrations:
        partner_id = decided.get((registration.id, "partner_id"), registration.partner_id)
        if decided.get((registration.id, "state"), registration.state) in OPEN and partner_id:
            found[registration.id] = str(partner_id)
    return found
