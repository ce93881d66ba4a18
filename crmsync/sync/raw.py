"""How raw values of a CRM compare: blank is blank, and a list of picks has no order. Pure."""

from __future__ import annotations

from crmsync.remote import Scalar


def is_blank(raw: Scalar) -> bool:
    return raw is None or raw == ""


def is_same(one: Scalar, other: Scalar) -> bool:
    """Equal as far as the CRM tells."""
    if is_blank(one) or is_blank(other):
        return is_blank(one) and is_blank(other)
    if one == other:
        return True
    return isinstance(one, str) and isinstance(other, str) and _same_picks(one, other)


def _same_picks(one: str, other: str) -> bool:
    if ";" in one or ";" in other:
        return sorted(one.split(";")) == sorted(other.split(";"))
    return False
