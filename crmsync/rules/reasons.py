"""The sentences that people in the CRM read. None of them names a partner: the field may be shared with another one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "DIRECT": "No partner claim.",
        "REGISTERED_FIRST": "An approved registration was submitted before the deal was created.",
        "SOURCING_TOUCH": "A partner introduced the customer before the deal was created.",
        "MANUAL_CLAIM_ACCEPTED": "A seller named the sourcing partner.",
        "MANUAL_CLAIM": "A seller named a partner, but no registration or activity supports it yet.",
        "REG_AFTER_DIRECT": "The deal was created before the registration was submitted, so the partner influenced it.",
        "TOUCHED": "A partner helped on this deal; no partner brought it to us.",
        "FULFILMENT_ONLY": "The partner fulfils the order; the deal was sourced directly.",
        "DELIVERED": "The partner implements; the deal was sourced directly.",
        "DIRECT_ON_PROTECTED": "A partner has this business protected, but the deal is not linked to the registration.",
        "CONFLICT_PARTNER": "More than one partner claims this deal.",
        "PROTECTION_LAPSED": "The deal was won after the protection had ended, so no credit is due.",
        "OVERRIDE": "Set by hand.",
        "ATTR_LOCKED": "The partner's claim came after attribution was locked.",
    }
)
"""Why a deal has its attribution, by code. A policy may word them differently under ``reasons:``."""

NEXT_ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "CONFLICT_PARTNER": "Decide which partner's claim stands.",
        "CONFLICT_INCUMBENT": "Decide whether the incumbent keeps the customer.",
        "CONFLICT_TERRITORY": "Check whether the partner may sell to this customer.",
        "DIRECT_ON_PROTECTED": "Link the deal to the registration, or agree with the partner manager.",
        "ACCOUNT_CHANGED": "Correct the deal's account, or ask the partner for a new registration.",
        "AMBIGUOUS_ACCOUNT": "Choose the customer's account on the registration.",
        "MISSING_REG_ID": "Fill the registration number.",
        "SLA_BREACH": "Approve or reject the registration: the answer is overdue.",
        "SLA_WARNING": "Approve or reject the registration: the answer is due soon.",
        "EXT_PENDING": "Grant or refuse the extension.",
        "AGREEMENT_INACTIVE": "Renew the partner's agreement before approving.",
        "PARTNER_INACTIVE": "Check whether the partner may go on.",
        "CERT_GATE": "Ask the partner to certify before approving.",
        "INELIGIBLE": "Reject, or record why an exception is made.",
        "CAPACITY": "Ask the partner to close registrations that it no longer follows.",
        "FX_MISSING": "Add the month's exchange rate to the policy.",
        "CONFLICT_DIRECT": "Check which of our sellers were there first before approving.",
        "AMOUNT_CHANGED": "Check whether the registration was approved for this amount.",
        "FREE_MAIL_DOMAIN": "Ask the partner for the customer's company and its own e-mail address.",
        "MISSING_FIELD": "Fill the missing fields.",
        "EXT_LATE": "Ask the partner for a new registration.",
        "REG_EXPIRED": "Ask the partner for a new registration, or go on without protection.",
        "REG_EXPIRING": "Win the deal or ask for an extension before the protection ends.",
        "DUP_DEAL": "Check whether the deals are one, and merge them.",
        "SPLIT_OVER_100": "Agree on shares that add up to the whole.",
        "SPLIT_UNDER_100": "Agree on shares that add up to the whole.",
        "POST_CLOSE_CHANGE": "Check the new amount: the difference is booked as an adjustment.",
        "TENDER": "Check what the programme says about public tenders.",
        "CLOCK_SKEW": "Correct the dates of submission and approval.",
        "STALE_DEAL": "Log what happened last, or close the deal.",
        "CERT_LAPSED": "Remind the partner to renew the certification.",
    }
)
"""What to do about a finding, the most urgent first."""

MAX_REASON = 255
"""What a text field of either CRM holds."""


def clip(text: str, length: int = MAX_REASON) -> str:
    """At most ``length`` characters."""
    return text if len(text) <= length else text[: length - 1] + "…"
