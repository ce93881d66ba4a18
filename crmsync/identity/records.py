"""Records in the one form in which they are compared."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self, TypeAlias

from crmsync.rules.names import legal_name, registrable_domain

Value: TypeAlias = "str | tuple[str, ...]"

_NUMBER = re.compile(r"\d+[a-z]?")
_STREETS = frozenset(
    {
        "st", "street", "ave", "av", "avenue", "blv", "blvd", "boulevard", "rd", "road", "dr", "drive", "pl", "place",
        "ct", "court", "ln", "lane", "way", "pkwy", "parkway", "hwy", "highway", "sq", "square", "cir", "circle",
        "crescent", "cres", "ter", "terrace", "close", "strasse", "str", "platz", "weg", "allee", "rue", "via",
        "calle", "avenida", "plaza", "laan", "straat", "rua", "ulica", "ul",
    }
)  # fmt: skip
"""Words for a street, as people write or leave them out."""
_DIRECTIONS = {
    "north": "n", "south": "s", "east": "e", "west": "w",
    "northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw",
}  # fmt: skip

LONGEST = 160
"""Characters of a value that are read: longer ones are mistakes, and would only cost time."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record as it is compared. Fields that say nothing are left out."""

    kind: str
    id: str
    fields: Mapping[str, Value]

    def text(self, name: str) -> str:
        """A field that holds one text; blank where it is missing."""
        value = self.fields.get(name, "")
        return value if isinstance(value, str) else " ".join(value)

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.fields.get(name, ())
        return (value,) if isinstance(value, str) else value

    def to_json(self) -> str:
        return json.dumps(
            [self.kind, self.id, dict(self.fields)], ensure_ascii=True, separators=(",", ":"), sort_keys=True
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        kind, record_id, fields = json.loads(text)
        return cls(kind, record_id, {k: v if isinstance(v, str) else tuple(v) for k, v in fields.items()})


def prepare(kind: str, raw: Mapping[str, Any]) -> Prepared:
    """A record out of canonical fields; what the model does not know is left out. The id is ``raw["id"]``."""
    fields: dict[str, Value] = {}
    for name, (source, normal) in _FIELDS[kind].items():
        value = normal(raw[source]) if raw.get(source) not in (None, "", ()) else ""
        if value:
            fields[name] = value
    return Prepared(kind, str(raw.get("id", "")), fields)


def plain(value: object) -> str:
    """Lower case, without diacritics, one blank between words; every script keeps its letters."""
    text = "".join(c for c in unicodedata.normalize("NFKD", str(value)[:LONGEST]) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())


def _company(value: object) -> str:
    return plain(legal_name(str(value)[:LONGEST]))


def _form(value: object) -> str:
    """What the legal name leaves out of the name: its legal form."""
    base = set(_company(value).split())
    return " ".join(word for word in plain(value).split() if word not in base)


def _domain(value: object) -> str:
    return registrable_domain(str(value)[:LONGEST]) or ""


def _domains(value: object) -> tuple[str, ...]:
    given = value if isinstance(value, list | tuple) else (value,)
    return tuple(sorted({domain for text in given if (domain := _domain(text))}))


def _house(value: object) -> str:
    """The number in a street's line; the first one where there are more."""
    return next((word for word in plain(value).split() if _NUMBER.fullmatch(word)), "")


def _road(value: object) -> str:
    """A street's line without its number and without the words for a street; one form of each direction."""
    house = _house(value)
    words = [_DIRECTIONS.get(word, word) for word in plain(value).split() if word != house]
    return " ".join(word for word in words if word not in _STREETS) or " ".join(words)


def _digits(value: object) -> str:
    """The last nine digits: with or without the country's code."""
    return "".join(c for c in str(value)[:LONGEST] if c.isdigit())[-9:]


def _code(value: object) -> str:
    return "".join(c for c in str(value)[:LONGEST].casefold() if c.isalnum())


def _as_is(value: object) -> str:
    return str(value)[:LONGEST]


def _address(value: object) -> str:
    return str(value)[:LONGEST].strip().casefold()


Normal: TypeAlias = Callable[[object], Value]

_PLACE: Mapping[str, tuple[str, Normal]] = {
    "phone": ("phone", _digits),
    "city": ("city", plain),
    "street": ("street", plain),
    "house": ("street", _house),
    "road": ("street", _road),
    "street2": ("street2", plain),
    "postal_code": ("postal_code", _code),
    "state": ("state", plain),
}
_FIELDS: Mapping[str, Mapping[str, tuple[str, Normal]]] = MappingProxyType(
    {
        "account": {
            "name": ("name", _company),
            "form": ("name", _form),
            "domain": ("domain", _domain),
            "aliases": ("domain_aliases", _domains),
            "number": ("company_number", _code),
            "country": ("country", _code),
            "parent": ("parent_id", _as_is),
            **_PLACE,
        },
        "contact": {
            "first": ("first_name", plain),
            "last": ("last_name", plain),
            "email": ("email", _address),
            "account": ("account_id", _as_is),
            "title": ("title", plain),
            "born": ("birth_date", _code),
            **_PLACE,
        },
    }
)
