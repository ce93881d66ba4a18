"""Which fields a page shows, and in which order."""

from __future__ import annotations

LISTS: dict[str, tuple[tuple[str, str], ...]] = {
    "deal": (
        ("account", "Account"), ("stage", "Stage"), ("amount", "Amount"), ("close_date", "Close date"),
        ("owner", "Owner"), ("partner_name", "Partner"), ("attribution", "Attribution"), ("flags", "Flags"),
    ),
    "account": (
        ("domain", "Website"), ("country", "Country"), ("segment", "Industry"), ("owner", "Owner"), ("flags", "Flags"),
    ),
    "contact": (("account", "Company"), ("title", "Title"), ("email", "E-mail"), ("owner", "Owner")),
    "partner": (
        ("partner_type", "Type"), ("tier", "Tier"), ("partner_status", "Status"), ("country", "Country"),
        ("agreement_end", "Agreement until"), ("owner", "Manager"), ("partner_flags", "Flags"),
    ),
    "registration": (
        ("partner_id", "Partner"), ("account_name", "Customer"), ("state", "State"), ("submitted_at", "Submitted"),
        ("protection_end", "Protected until"), ("conflict_status", "Conflict"), ("flags", "Flags"),
    ),
}  # fmt: skip
"""Columns after the name: a canonical field and its heading."""

CARD: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Partner", ("partner_id", "partner_name", "partner_type", "partner_role", "tier", "partner_status",
                 "distributor_id", "influencing_partners", "incumbent_partner_id", "incumbent_partner_name",
                 "partner_cert_status", "partner_certified")),
    ("Registration", ("registration_id", "registration_status", "state", "last_registration_id", "account_name",
                      "account_id", "account_domain", "account_country", "deal_id", "products", "submitted_at",
                      "submitted_by", "approved_at", "decided_by", "decision_reason", "closure_code", "sla_due_at")),
    ("Claims", ("conflict_status", "blocked_by")),
)  # fmt: skip
"""Groups of the Partner card; fields that no group names come last, under *More*."""

SHOWN_APART = frozenset(
    {"attribution", "attribution_reason", "protection_start", "protection_end", "protection_status", "flags",
     "partner_flags", "next_action", "policy_version", "synced_at", "key", "fingerprint"}
)  # fmt: skip
"""Partner fields with a place of their own on the card, and those that a CRM shows to nobody."""

TONES = {
    "good": ("sourced", "active", "approved", "won", "valid", "none", "gold", "platinum", "closed won"),
    "warn": ("influenced", "delivered", "expiring", "suspected", "pending", "pending_approval", "submitted",
             "under_review", "on_hold", "review", "extension_pending", "returned"),
    "bad": ("expired", "confirmed", "rejected", "lapsed", "revoked", "suspended", "terminated", "lost", "blocked"),
}  # fmt: skip

ALARMING = ("CONFLICT", "EXPIRED", "LAPSED", "REVIEW", "UNKNOWN", "MISSING", "BLOCKED", "BREACH", "LOST")
"""Words in a flag that call for somebody soon."""


def tone(value: str) -> str:
    lowered = value.lower()
    return next((name for name, values in TONES.items() if lowered in values), "plain")


def flag_tone(code: str) -> str:
    return "bad" if any(word in code for word in ALARMING) else "warn"
