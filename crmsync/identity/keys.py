"""Blocking keys: records that share one are worth comparing. And the values whose frequency counts."""

from __future__ import annotations

from collections.abc import Iterator

from crmsync.identity.records import Prepared

MOST_WORDS = 6
"""Words of a name that become keys."""

_COUNTED = {"account": ("name", "domain", "city", "postal_code"), "contact": ("first", "last", "email", "city")}


def blocking_keys(record: Prepared) -> tuple[str, ...]:
    """Each once, in a stable order; few, however long the record is."""
    keys = _account_keys(record) if record.kind == "account" else _contact_keys(record)
    return tuple(dict.fromkeys(keys))


def _account_keys(record: Prepared) -> Iterator[str]:
    for domain in (*record.texts("domain"), *record.texts("aliases")):
        yield f"domain:{domain}"
        yield f"label:{domain.partition('.')[0]}"
    for name in ("number", "phone"):
        if value := record.text(name):
            yield f"{name}:{value}"
    words = record.text("name").split()
    if words:
        yield f"name:{''.join(words)}"
        yield f"start:{''.join(words)[:6]}"
    for word in words[:MOST_WORDS]:
        if len(word) > 2:
            yield f"word:{word}"
            for place in ("city", "country"):
                if value := record.text(place):
                    yield f"word:{word}|{value}"


def _contact_keys(record: Prepared) -> Iterator[str]:
    first, last, email = record.text("first"), record.text("last"), record.text("email")
    if email:
        yield f"email:{email}"
        yield f"mailbox:{email.partition('@')[0]}"
    if phone := record.text("phone"):
        yield f"phone:{phone}"
    if born := record.text("born"):
        yield f"born:{born}"
    if (city := record.text("city")) and (first or last):
        yield from (f"{name}|{city}" for name in (first and f"first:{first}", last and f"last:{last}") if name)
    if first and last:
        yield f"names:{'|'.join(sorted((first, last)))}"
        yield f"start:{first[:3]}|{last[:3]}"
    if last:
        yield f"person:{last}|{first[:1]}"
        if account := record.text("account"):
            yield f"last:{last}|{account}"
    if first and (account := record.text("account")):
        yield f"first:{first}|{account}"


def terms(record: Prepared) -> tuple[tuple[str, str], ...]:
    """``(column, value)`` of every value that is the more telling the rarer it is."""
    return tuple((name, value) for name in _COUNTED[record.kind] if (value := record.text(name)))
