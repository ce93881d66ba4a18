"""Country names as people type them, to ISO 3166-1 alpha-2. Names are those of Unicode CLDR, in the languages below."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da")

NOT_COUNTRIES = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})

COMMON_NAMES: Mapping[str, str] = {
    "america": "US",
    "united states of america": "US",
    "great britain": "GB",
    "united kingdom of great britain and northern ireland": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "republic of ireland": "IE",
    "holland": "NL",
    "the netherlands": "NL",
    "czech republic": "CZ",
    "turkey": "TR",
    "russian federation": "RU",
    "korea": "KR",
    "republic of korea": "KR",
    "korea, republic of": "KR",
    "viet nam": "VN",
    "uae": "AE",
    "hong kong": "HK",
    "macau": "MO",
    "macao": "MO",
    "taiwan, province of china": "TW",
    "people's republic of china": "CN",
    "prc": "CN",
    "iran, islamic republic of": "IR",
    "syrian arab republic": "SY",
    "moldova, republic of": "MD",
    "tanzania, united republic of": "TZ",
    "venezuela, bolivarian republic of": "VE",
    "bolivia, plurinational state of": "BO",
    "lao people's democratic republic": "LA",
    "brunei darussalam": "BN",
    "macedonia": "MK",
    "swaziland": "SZ",
    "burma": "MM",
    "ivory coast": "CI",
    "cape verde": "CV",
    "democratic republic of the congo": "CD",
}
"""What CLDR does not list under English: former, official and everyday names."""


def fold(name: str) -> str:
    """A name without case, accents, dots and superfluous blanks, so that ``Côte d’Ivoire`` is ``Cote d'Ivoire``."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return " ".join(plain.replace(".", "").replace("’", "'").split())


@cache
def country_codes() -> Mapping[str, str]:
    """Folded name, alpha-2 or alpha-3 code, to alpha-2."""
    from babel import Locale
    from babel.core import get_global

    codes: dict[str, str] = {}
    for language in reversed(LANGUAGES):
        for code, name in Locale(language).territories.items():
            if _is_country(code):
                codes[fold(name)] = code
    for alias, targets in get_global("territory_aliases").items():
        if len(targets) == 1 and alias.isalpha() and _is_country(targets[0]):
            codes.setdefault(alias.casefold(), targets[0])
    codes |= COMMON_NAMES
    codes |= {code.casefold(): code for code in set(codes.values())}
    return codes


def _is_country(code: str) -> bool:
    return len(code) == 2 and code.isalpha() and code not in NOT_COUNTRIES
