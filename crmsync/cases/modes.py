"""Who owns a field between the steps of a sequence: what the CRM would hold once a decision is written."""

from __future__ import annotations

from collections.abc import Callable

from crmsync.records import Value

ModeOf = Callable[[str, str], str]
"""Kind and field to the write mode of the mapping."""

_FILLED = frozenset(
    {
        ("deal", "partner_id"),
        ("deal", "partner_role"),
        ("deal", "registration_id"),
        ("registration", "original_partner_id"),
        ("registration", "account_id"),
        ("registration", "deal_id"),
    }
)


def starter_mode(kind: str, field: str) -> str:
    """The write mode in the starter project's mappings."""
    return "fill_if_empty" if (kind, field) in _FILLED else "engine_owned"


def is_written(mode: str, current: Value) -> bool:
    """Whether a decided value replaces what the record holds."""
    if mode in ("fill_if_empty", "first_sync_only"):
        return current in (None, (), "")
    return mode == "engine_owned"
