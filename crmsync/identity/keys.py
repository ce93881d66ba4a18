"""Blocking keys: records that share one are worth comparing. And the values whose frequency counts."""

from __future__ import annotations

from collections.abc import Iterator

from crmsync.identity.records import Prepared

KEYS = "keys2"
"""Names this way of making keys and terms. An index that was built in another way has to be built anew."""

MOST_WORDS = 6
"""Words of a name that become keys."""

COUNTED = {
    "account": ("name", "domain", "city", "postal_code", "phone"),
    "contact": ("first", "last", "email", "city", "postal_code", "phone", "born"),
}
"""By kind, the fields whose values are counted: the same value says the more the rarer it is."""


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
            for place in ("city", "postal_code", "country"):
                if value := record.text(place):
                    yield f"word:{word}|{value}"
    yield from _address_keys(record)


def _address_keys(record: Prepared) -> Iterator[str]:
    house, road = record.text("house"), record.text("road")
    if house and road:
        yield f"address:{house}|{road}"
        yield f"address:{house}|{road.rpartition(' ')[2]}"


def _contact_keys(record: Prepared) -> Iterator[str]:
    first, last, email = record.text("first"), record.text("last"), record.text("email")
    if email:
        yield f"email:{email}"
        yield f"mailbox:{email.partition('@')[0]}"
    for name in ("phone", "born", "road"):
        if value := record.text(name):
            yield f"{name}:{value}"
    if first and last:
        yield f"names:{'|'.join(sorted((first, last)))}"
        yield f"start:{first[:3]}|{last[:3]}"
        yield f"person:{last}|{first[:1]}"
    for name in dict.fromkeys(name for name in (first, last) if name):
        yield from _name_keys(record, name)
    yield from _address_keys(record)
    house, post, city = record.text("house"), record.text("postal_code"), record.text("city")
    if post and house:
        yield f"house:{house}|{post}"
    if post and city:
        yield f"place:{post}|{city}"


def _name_keys(record: Prepared, name: str) -> Iterator[str]:
    """One name of a person, first or last: people write them in either order. Common ones tell with something else."""
    yield f"one:{name}"
    if born := record.text("born"):
        yield f"one:{name[:3]}|{born[:4]}"
    for field in ("city", "postal_code", "account"):
        if value := record.text(field):
            yield f"one:{name}|{value}"
    if city := record.text("city"):
        yield f"one:{name[:3]}|{city}"


def terms(record: Prepared) -> tuple[tuple[str, str], ...]:
    """``(column, value)`` of every value that is the more telling the rarer it is."""
    return tuple((name, value) for name in COUNTED[record.kind] if (value := record.text(name)))
