"""The terms of eligibility in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from crmsync.render.terms import written
from crmsync.render.words import alternatives, amount_of, condition, length, number, plain


def sentences(entries: Iterable[Any]) -> Iterator[str]:
    """One per term; a term that has no words here is shown as the file has it."""
    for entry in entries:
        asked = _SENTENCES.get(entry.test)
        value = getattr(entry, entry.test)
        words = asked(value) if asked else f"`{entry.test}: {written(value)}`"
        named = f"{entry.name[:1].upper()}{entry.name[1:]}: " if entry.name != entry.test else ""
        when = f"where {condition(entry.when)}, " if entry.when else ""
        because = f" ({entry.reason})" if entry.reason else ""
        sentence = f"{named}{when}{words}{because}."
        yield sentence[:1].upper() + sentence[1:]


def _money(given: Any, more: str) -> str:
    currency = f" {given.currency}" if given.currency else ""
    rate = "" if given.fx == "monthly" else f", at {given.fx} rates"
    return f"{more} {number(given.value)}{currency}{rate}"


def _tender(given: Any) -> str:
    if not given.allowed:
        return "the deal is no tender"
    if not given.published_before_submission:
        return "a tender was not published before the registration was submitted"
    return "tenders are welcome"


_EVENTS = {
    "contract_signed_on": "the contract was signed",
    "deal_created": "the deal was created",
    "deal_closed": "the deal was closed",
}

_SENTENCES: dict[str, Callable[[Any], str]] = {
    "require": condition,
    "not_customer": lambda what: (
        "the customer has bought nothing before" + (" of these products" if what == "same_product" else "")
    ),
    "no_vendor_contact_within": lambda given: f"we had no contact with the customer for {length(given)} before",
    "no_purchase_within": lambda given: f"the customer bought nothing for {length(given)} before",
    "no_open_direct_deal": lambda _: "our own sellers have no older open deal for the business",
    "amount_gte": lambda given: _money(given, "the amount is at least"),
    "annual_value_gt": lambda given: (
        f"{_money(given, 'the value of one year is more than')}"
        f" (a contract without end counts as {amount_of(given.perpetual_years, 'years')})"
    ),
    "units_gte": lambda units: f"at least {amount_of(units, 'units')}",
    "not_in": lambda given: f"the customer is not in {alternatives(given.region)}",
    "tender": _tender,
    "evidence_count_gte": lambda pieces: f"at least {amount_of(pieces, 'pieces')} of evidence are named",
    "minimum_age": lambda given: f"a won deal was at least {amount_of(given.value, given.unit)} old",
    "submitted_within": lambda given: (
        f"it is submitted within {length(given)} after {_EVENTS.get(given.of, plain(given.of))}"
    ),
}
