"""Every code that the rules can put on a record, with its severity and what it means in one line."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FLAGS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "DUP_ACCOUNT": ("warning", "Another account looks like the same company."),
        "DUP_CONTACT": ("warning", "Another contact has the same e-mail address."),
        "DUP_DEAL": ("warning", "Another deal looks like the same business."),
        "DUP_REGISTRATION": ("warning", "The partner has already registered this business."),
        "RELATED_ACCOUNT": ("info", "Another partner has a registration at a related company."),
        "AMBIGUOUS_ACCOUNT": ("warning", "More than one account could be meant."),
        "FREE_MAIL_DOMAIN": ("warning", "The contact's address is at a free mail provider."),
        "CONFLICT_PARTNER": ("error", "Two partners claim the same business."),
        "CONFLICT_DIRECT": ("warning", "Our own sellers were active before the registration."),
        "CONFLICT_INCUMBENT": ("error", "Another partner holds this customer's contract."),
        "CONFLICT_TERRITORY": ("warning", "The customer is outside the partner's territory."),
        "ACCOUNT_CHANGED": ("warning", "The deal is with another customer than the one that was registered."),
        "AMOUNT_CHANGED": ("warning", "The deal's amount has moved away from the registered one."),
        "TENDER": ("info", "The customer buys by public tender."),
        "DIRECT_ON_PROTECTED": ("error", "A direct deal stands on an account that a partner has protected."),
        "MISSING_FIELD": ("warning", "A field that should be filled is blank."),
        "MISSING_REG_ID": ("error", "The deal has come too far without a registration."),
        "INELIGIBLE": ("warning", "The registration does not meet the programme's terms."),
        "CAPACITY": ("warning", "The partner has more registrations open than the programme allows."),
        "FX_MISSING": ("warning", "No exchange rate is known for the month."),
        "SLA_WARNING": ("warning", "The answer to the registration is due soon."),
        "SLA_BREACH": ("error", "The answer to the registration is overdue."),
        "REG_EXPIRING": ("info", "The protection ends soon."),
        "REG_EXPIRED": ("info", "The protection has ended while the deal is open."),
        "EXT_PENDING": ("warning", "An extension was asked for and waits for an answer."),
        "EXT_LATE": ("warning", "The extension was asked for too late."),
        "EXT_LIMIT": ("warning", "The programme allows no extension."),
        "CERT_LAPSED": ("warning", "A certification of the partner has lapsed."),
        "CERT_GATE": ("warning", "The partner lacks a certification that registration needs."),
        "AGREEMENT_INACTIVE": ("warning", "The partner has no active agreement."),
        "PARTNER_INACTIVE": ("warning", "The partner is suspended or terminated."),
        "PARTNER_MERGED": ("info", "The partner was merged into another."),
        "ATTR_LOCKED": ("warning", "A claim came after attribution was locked."),
        "ATTR_BACKDATED": ("warning", "An activity was entered long after it is said to have happened."),
        "ATTR_OVERRIDE": ("info", "A person set the attribution by hand."),
        "SPLIT_OVER_100": ("error", "The partners' shares add up to more than the whole."),
        "SPLIT_UNDER_100": ("warning", "The partners' shares add up to less than the whole."),
        "POST_CLOSE_CHANGE": ("warning", "The amount changed after the deal was won."),
        "STALE_DEAL": ("info", "Nothing has happened on the deal for a while."),
        "CLOCK_SKEW": ("warning", "The registration was approved before it was submitted."),
    }
)
