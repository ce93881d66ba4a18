"""What the engine expects of a mapping: fields it cannot do without, fields it writes, ties it knows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from crmsync.records import REFERENCES

REQUIRED_KINDS = ("account", "deal", "partner")

REQUIRED_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "account": ("name",),
        "contact": ("account_id",),
        "deal": ("name", "account_id", "stage"),
        "partner": ("name",),
        "registration": ("number", "partner_id", "state"),
        "touch": ("partner_id", "occurred_at"),
        "certification": ("partner_id", "status"),
    }
)
"""Without these a kind says nothing that the rules could use."""

ENGINE_WRITES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "account": frozenset({"flags"}),
        "contact": frozenset({"flags"}),
        "partner": frozenset({"cert_status", "partner_flags"}),
        "deal": frozenset(
            {
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
                "flags",
                "next_action",
                "last_registration_id",
                "locked_amount",
                "locked_on",
                "adjusted_on",
                "policy_version",
                "synced_at",
            }
        ),
        "registration": frozenset(
            {
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
                "synced_at",
            }
        ),
    }
)
"""Fields that rules may decide; a write mode makes sense for no other."""

STAMPS = frozenset({"policy_version", "synced_at"})
"""Crmsync's own notes on a record: they ride along with a write, and nobody else's value in them is kept."""

LINKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"deal_contact": ("deal", "contact"), "deal_partner": ("deal", "partner")}
)
"""The ties that the rules know, with the kinds at both ends."""

VIRTUAL_OBJECTS = frozenset({"owners", "pipelines"})
"""HubSpot: read by calls of their own, without properties that could be made or checked."""


def is_reference(kind: str, field: str) -> bool:
    """Whether a field holds the id of another record."""
    return (kind, field) in REFERENCES
