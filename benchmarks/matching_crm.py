"""A made-up CRM with duplicates and families, and who is who in it.

One record in ten repeats an earlier one as people do: another legal form, an abbreviation, a slip, an acronym, another
ending of the domain, a phone that is missing or wrong, a new address, a nickname, a new job. Three in a hundred are a
foreign subsidiary of the same name and one in a hundred a branch under the same domain: relatives, not duplicates.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, count
from typing import Any

_SYLLABLES = [c + v for c in "bdfghklmnprstvwz" for v in "aeiou"] + ["an", "er", "in", "ol", "ur", "sch", "tre", "qua"]
_TRADES = (
    "Logistics", "Systems", "Solutions", "Foods", "Energy", "Medical", "Steel", "Textiles", "Software", "Printing",
    "Tools", "Optics", "Paper", "Trading", "Consulting", "Marine", "Plastics", "Ceramics", "Media", "Farms",
    "International", "Technologies", "Services", "Engineering", "Industries", "Partners", "Group", "Design",
)  # fmt: skip
_SHORT = {
    "International": "Intl", "Technologies": "Tech", "Services": "Svcs", "Engineering": "Eng", "Industries": "Ind",
    "Systems": "Sys", "Logistics": "Log", "Consulting": "Cons",
}  # fmt: skip
_COUNTRIES = {
    "DE": (("GmbH", "AG", "KG"), "de", "+49"), "US": (("Inc", "LLC", "Corp"), "com", "+1"),
    "GB": (("Ltd", "PLC"), "co.uk", "+44"), "FR": (("SARL", "SA"), "fr", "+33"), "IT": (("SpA", "Srl"), "it", "+39"),
    "NL": (("BV", "NV"), "nl", "+31"), "ES": (("SL", "SA"), "es", "+34"), "PL": (("Sp. z o.o.",), "pl", "+48"),
}  # fmt: skip
_FORMS = frozenset(form for forms, _, _ in _COUNTRIES.values() for form in forms)
_NICKNAMES = {
    "Robert": "Bob", "William": "Bill", "Elizabeth": "Liz", "Katherine": "Kate", "Michael": "Mike", "Thomas": "Tom",
    "Margaret": "Maggie", "Richard": "Rick", "James": "Jim", "Alexander": "Alex", "Susanne": "Susi", "Johannes": "Hans",
}  # fmt: skip
_ROADS = ("Street", "Road", "Avenue", "Lane", "Drive")


@dataclass(frozen=True, slots=True)
class Entry:
    """A record, whom it describes, and the family that this one belongs to."""

    raw: dict[str, Any]
    entity: int
    family: int


class _Words:
    """Made-up words; the first ones are common, as words are."""

    def __init__(self, seed: int, count: int, syllables: Sequence[int] = (2, 3, 3)) -> None:
        chance = random.Random(seed)
        found: dict[str, None] = {}
        while len(found) < count:
            found["".join(chance.choices(_SYLLABLES, k=chance.choice(syllables))).capitalize()] = None
        self._words = list(found)
        self._weights = list(accumulate(1 / (rank + 8) for rank in range(count)))

    def draw(self, chance: random.Random) -> str:
        return chance.choices(self._words, cum_weights=self._weights)[0]


def accounts(count: int, seed: int) -> Iterator[Entry]:
    """So many accounts; the same for the same seed."""
    chance = random.Random(seed)
    names, cities, roads = _Words(seed, max(500, count // 8)), _Words(seed + 1, 400), _Words(seed + 2, 2_000)
    known: list[Entry] = []
    domains: set[str] = set()
    for number in range(count):
        kind = chance.random()
        if known and kind < 0.14:
            origin = chance.choice(known)
            if kind < 0.10:
                entry = _repeat(origin, chance, cities, roads)
            else:
                entry = _relative(origin, number, chance, cities, roads)
        else:
            entry = Entry(_company(chance, names, cities, roads, domains), number, number)
        known.append(entry)
        yield Entry({**entry.raw, "id": f"A{number:08}"}, entry.entity, entry.family)


def _company(chance: random.Random, names: _Words, cities: _Words, roads: _Words, domains: set[str]) -> dict[str, Any]:
    words = [names.draw(chance) for _ in range(chance.choice((1, 1, 2)))]
    if chance.random() < 0.75:
        words.append(chance.choice(_TRADES))
    country = chance.choice(list(_COUNTRIES))
    forms, ending, _ = _COUNTRIES[country]
    form = chance.choice(forms) if chance.random() < 0.8 else ""
    raw = {"name": f"{' '.join(words)} {form}".strip(), "country": country, **_place(chance, cities, roads)}
    raw["phone"] = _phone(chance, country)
    if chance.random() < 0.85:
        raw["domain"] = _free_domain(words, raw["city"], ending if chance.random() < 0.7 else "com", domains)
    return raw


def _free_domain(words: list[str], city: str, ending: str, taken: set[str]) -> str:
    """The shortest that nobody has, as when one is bought."""
    whole = "".join(words)
    labels = chain((words[0], "".join(words[:2]), whole, f"{whole}-{city}"), (f"{whole}{n}" for n in count(2)))
    found = next(name for label in labels if (name := f"{label}.{ending}".lower()) not in taken)
    taken.add(found)
    return found


def _place(chance: random.Random, cities: _Words, roads: _Words) -> dict[str, Any]:
    city = cities.draw(chance)
    code = sum(map(ord, city)) * 37 % 900 * 100 + chance.randrange(60)
    street = f"{chance.randrange(1, 250)} {roads.draw(chance)} {chance.choice(_ROADS)}"
    return {"city": city, "postal_code": f"{code:05}", "street": street}


def _phone(chance: random.Random, country: str) -> str:
    return f"{_COUNTRIES[country][2]} {chance.randrange(20, 99)} {chance.randrange(10**7):07}"


def _repeat(origin: Entry, chance: random.Random, cities: _Words, roads: _Words) -> Entry:
    raw = dict(origin.raw)
    raw["name"] = _renamed(raw["name"], raw["country"], chance)
    if "domain" in raw and (lost := chance.random()) < 0.35:
        raw["domain"] = f"{raw['domain'].partition('.')[0]}.{chance.choice(('com', 'net', 'eu'))}"
        if lost < 0.2:
            del raw["domain"]
    if (wrong := chance.random()) < 0.45:
        raw["phone"] = _slip(raw["phone"], chance) if wrong < 0.1 else _phone(chance, raw["country"])
        if wrong > 0.2:
            raw["phone"] = ""
    if chance.random() < 0.12:
        raw.update(_place(chance, cities, roads))
    elif chance.random() < 0.3:
        raw["street"] = raw["street"].replace("Street", "St").replace("Road", "Rd").replace("Avenue", "Ave")
    for name in ("street", "postal_code", "city"):
        if chance.random() < 0.12:
            raw[name] = ""
    return Entry(raw, origin.entity, origin.family)


def _renamed(name: str, country: str, chance: random.Random) -> str:
    words = name.split()
    forms = _COUNTRIES[country][0]
    if words[-1] in forms and chance.random() < 0.5:
        words = words[:-1] if chance.random() < 0.7 else [*words[:-1], chance.choice(forms)]
    words = [_SHORT.get(word, word) if chance.random() < 0.3 else word for word in words]
    if len(words) > 2 and chance.random() < 0.04:
        return "".join(word[0] for word in words).upper()
    return _slip(" ".join(words), chance) if chance.random() < 0.3 else " ".join(words)


def _slip(text: str, chance: random.Random) -> str:
    """One letter left out, doubled, or two the other way round."""
    if len(text) < 3:
        return text
    at = chance.randrange(1, len(text) - 1)
    return chance.choice(
        (
            text[:at] + text[at + 1 :],
            text[:at] + text[at] + text[at:],
            text[:at] + text[at + 1] + text[at] + text[at + 2 :],
        )
    )


def _relative(origin: Entry, number: int, chance: random.Random, cities: _Words, roads: _Words) -> Entry:
    raw = dict(origin.raw)
    raw.update(_place(chance, cities, roads))
    if chance.random() < 0.75:
        raw["country"] = chance.choice([c for c in _COUNTRIES if c != raw["country"]])
        forms, ending, _ = _COUNTRIES[raw["country"]]
        base = [word for word in raw["name"].split() if word not in _FORMS]
        raw["name"] = f"{' '.join(base)} {chance.choice(forms)}"
        if "domain" in raw:
            raw["domain"] = f"{raw['domain'].partition('.')[0]}.{ending}"
    else:
        raw["name"] = f"{raw['name']} {raw['city']}"
    raw["phone"] = _phone(chance, raw["country"])
    return Entry(raw, number, origin.family)


def contacts(count: int, seed: int) -> Iterator[Entry]:
    """So many contacts; the same for the same seed."""
    chance = random.Random(seed)
    firsts, lasts = _Words(seed + 3, 400), _Words(seed + 4, max(400, count // 20))
    cities, roads, firms = _Words(seed + 1, 400), _Words(seed + 2, 2_000), _Words(seed, max(300, count // 20), (3, 4))
    known: list[Entry] = []
    for number in range(count):
        if known and chance.random() < 0.10:
            origin = chance.choice(known)
            entry = Entry(_again(origin.raw, chance, firms), origin.entity, origin.family)
        else:
            first = chance.choice(list(_NICKNAMES)) if chance.random() < 0.3 else firsts.draw(chance)
            raw = {"first_name": first, "last_name": lasts.draw(chance), **_place(chance, cities, roads)}
            entry = Entry({**raw, **_job(raw, chance, firms)}, number, number)
        known.append(entry)
        yield Entry({**entry.raw, "id": f"C{number:08}"}, entry.entity, entry.family)


def _job(raw: dict[str, Any], chance: random.Random, firms: _Words) -> dict[str, Any]:
    first, last, firm = raw["first_name"].lower(), raw["last_name"].lower(), firms.draw(chance).lower()
    mailbox = chance.choice((f"{first}.{last}", f"{first[0]}{last}", f"{first}"))
    if chance.random() < 0.03:
        mailbox = "info"
    return {"email": f"{mailbox}@{firm}.com", "phone": _phone(chance, "US")}


def _again(origin: dict[str, Any], chance: random.Random, firms: _Words) -> dict[str, Any]:
    raw = dict(origin)
    if chance.random() < 0.3:
        raw["first_name"] = _NICKNAMES.get(raw["first_name"], raw["first_name"][:1])
    for name in ("first_name", "last_name"):
        if chance.random() < 0.15:
            raw[name] = _slip(raw[name], chance)
    if chance.random() < 0.2:
        raw.update(_job(raw, chance, firms))
    for name, share in (("email", 0.35), ("phone", 0.35), ("street", 0.4), ("city", 0.15), ("postal_code", 0.25)):
        if chance.random() < share:
            raw[name] = ""
    if raw["phone"] and chance.random() < 0.1:
        raw["phone"] = _slip(raw["phone"], chance)
    return raw
