"""Which fields the rules decide, kind by kind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

OF_APPROVAL = ("approved_at", "decided_at", "decided_by")
"""Written only where the policy approves by machine; otherwise people fill them."""

STAMPS = ("policy_version", "synced_at")

WRITTEN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "account": ("flags",),
        "contact": ("flags",),
        "partner": ("cert_status", "partner_flags"),
        "deal": (
            "partner_id",
            "partner_name",
            "partner_type",
            "partner_role",
            "registration_id",
            "registration_status",
            "protection_start",
            "protection_end",
            "protection_status",
            "attribution",
            "attribution_reason",
            "influencing_partners",
            "incumbent_partner",
            "conflict_status",
            "partner_cert_status",
            "last_registration_id",
            "locked_amount",
            "locked_on",
            "adjusted_on",
            "flags",
            "next_action",
            "policy_version",
        ),
        "registration": (
            "partner_id",
            "original_partner_id",
            "account_id",
            "deal_id",
            "state",
            "closure_code",
            "sla_due_at",
            "protection_start",
            "protection_end",
            "protection_status",
            "conflict_status",
            "blocked_by",
            "conflict_since",
            "conflict_level",
            "conflict_due_at",
            "discount_factor",
            "fx_rate",
            "flags",
            "next_action",
            "policy_version",
        ),
    }
)
"""``synced_at`` is missing: it is stamped when something else is written."""


def decided_names() -> frozenset[str]:
    """``kind.field`` of everything that comes out of the rules: conditions that come first may not ask for it."""
    kept = {f"registration.{name}" for name in ("partner_id", "account_id", "deal_id")}
    names = {f"{kind}.{name}" for kind, fields in WRITTEN.items() for name in (*fields, "synced_at")}
    return frozenset(names - kept)


def late_names() -> frozenset[str]:
    """What even the last conditions may not ask for, because it is made from their answers."""
    late = ("flags", "partner_flags", "next_action", *STAMPS)
    return frozenset(f"{kind}.{name}" for kind in WRITTEN for name in late)
