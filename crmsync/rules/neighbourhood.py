"""Which records must be decided together: those that share a key, and so on from record to record.

Partners, certifications and users couple everything with everything and have no keys; whoever runs the rules watches
them by name.
"""

from __future__ import annotations

from crmsync.records import Account, Contact, Deal, Link, Record, Registration, Touch
from crmsync.rules.identity import company_of_account, company_of_registration
from crmsync.rules.policy import Policy


def neighbourhood_keys(record: Record, policy: Policy) -> frozenset[str]:
    """The record's keys; records that share one belong to one neighbourhood."""
    match record:
        case Account():
            return _named("account", record.id, record.parent_id) | company_of_account(record, policy).index_keys()
        case Contact():
            email = (record.email or "").strip().lower()
            return _named("account", record.account_id) | _named("contact", record.id) | _named("email", email)
        case Deal():
            number = _number(record.registration_id)
            return _named("deal", record.id) | _named("account", record.account_id) | _named("registration", number)
        case Registration():
            own = _named("account", record.account_id) | _named("deal", record.deal_id)
            numbered = _named("registration", _number(record.number), f"id-{record.id}")
            return own | numbered | company_of_registration(record, policy).index_keys()
        case Touch():
            return _named("deal", record.deal_id) | _named("account", record.account_id) | _named("touch", record.id)
        case _:
            return frozenset()


def link_keys(link: Link) -> frozenset[str]:
    """The keys of a tie between two records: those of the deal that it hangs on."""
    if link.name.startswith("deal_"):
        return frozenset({f"deal:{link.from_id}"})
    return frozenset()


def _named(prefix: str, *values: str | None) -> frozenset[str]:
    return frozenset(f"{prefix}:{value}" for value in values if value)


def _number(number: str | None) -> str | None:
    return number.strip().lower() if number else None
