"""Invented people and companies. Every address lies in a domain reserved for examples (RFC 2606, RFC 6761)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from crmsync.sandbox.world.dates import chance, spread


@dataclass(frozen=True, slots=True)
class Land:
    """A country as the CRM's users write it, with common names of its people."""

    name: str
    code: str
    currency: str
    dialling: str
    given: tuple[str, ...]
    family: tuple[str, ...]


def _land(name: str, code: str, currency: str, dialling: str, given: str, family: str) -> Land:
    return Land(name, code, currency, dialling, tuple(given.split()), tuple(family.split()))


_LANDS = (
    _land(
        "United States", "US", "USD", "+1",
        "Alice Brian Carla Derek Erin Frank Grace Henry Irene Jason Kelly Luis Monica Nathan Olivia Rachel Tina Victor",
        "Adams Baker Carter Diaz Evans Foster Hughes Johnson Keller Lopez Morgan Nelson Parker Reed Turner Walsh",
    ),
    _land(
        "Germany", "DE", "EUR", "+49",
        "Anke Björn Claudia Dieter Elke Florian Gisela Jürgen Katrin Lukas Monika Stefan",
        "Bauer Fischer Hoffmann Jäger Köhler Lehmann Müller Neumann Richter Schröder Vogel Weiß",
    ),
    _land(
        "France", "FR", "EUR", "+33",
        "Adèle Bruno Camille Damien Élise François Hélène Julien Manon Olivier Sylvie Théo",
        "Bernard Chevalier Dubois Fournier Girard Lambert Lefèvre Mercier Moreau Renard Rousseau Vidal",
    ),
    _land(
        "Italy", "IT", "EUR", "+39",
        "Alessia Bruno Chiara Davide Elena Fabio Giulia Lorenzo Marta Nicola Paola Simone",
        "Bianchi Colombo Conti Esposito Ferrari Gallo Greco Marino Ricci Romano Rossi Vitale",
    ),
    _land(
        "Spain", "ES", "EUR", "+34",
        "Ana Beatriz Carlos Diego Elena Inés José Lucía Marta Núria Pablo Raúl",
        "Álvarez Castro Domínguez Fernández Gil Iglesias Jiménez Martín Navarro Ortega Ramos Vega",
    ),
    _land(
        "United Kingdom", "GB", "GBP", "+44",
        "Amelia Callum Daisy Edward Fiona George Harriet Imogen James Lucy Oliver Priya",
        "Ashworth Barnes Clarke Davies Fletcher Green Holloway Khan Lloyd Patel Shaw Wright",
    ),
    _land(
        "Japan", "JP", "JPY", "+81",
        "Aiko Daichi Emi Haruto Kenji Mai Naoko Ren Sakura Takumi Yui Yuto",
        "Fujita Hayashi Ito Kimura Kobayashi Matsumoto Nakamura Ogawa Saito Suzuki Tanaka Yamada",
    ),
    _land(
        "Brazil", "BR", "USD", "+55",
        "Bruna Caio Daniela Eduardo Fernanda Gabriel Helena João Larissa Mateus Rafael Tatiana",
        "Almeida Barbosa Cardoso Costa Gonçalves Lima Moreira Oliveira Pereira Ribeiro Santos Teixeira",
    ),
)  # fmt: skip
LANDS = {land.name: land for land in _LANDS}

_CODES = {
    "Kenya": "KE", "Philipines": "PH", "Norway": "NO", "Korea": "KR", "Jordan": "JO", "Panama": "PA", "Belgium": "BE",
    "Romania": "RO", "Poland": "PL", "China": "CN",
} | {land.name: land.code for land in _LANDS}  # fmt: skip

TITLES = (
    "Chief Information Officer", "Head of IT", "Procurement Manager", "Purchasing Specialist", "IT Manager",
    "Systems Architect", "Finance Director", "Operations Manager", "Infrastructure Lead", "Project Manager",
)  # fmt: skip

_PARTNER_FIRST = (
    "Alder", "Amber", "Anchor", "Basalt", "Beacon", "Birch", "Bright", "Cobalt", "Copper", "Coral", "Delta", "Ember",
    "Falcon", "Fjord", "Garnet", "Granite", "Harbor", "Hazel", "Indigo", "Juniper", "Keystone", "Lantern", "Linden",
    "Maple", "Meridian", "Nimbus", "Northern", "Onyx", "Orchard", "Osprey", "Pine", "Quartz", "River", "Saffron",
    "Sierra", "Silver", "Solstice", "Sparrow", "Summit", "Tamarind", "Teal", "Timber", "Topaz", "Umber", "Vector",
    "Verdant", "Violet", "Walnut", "Willow", "Zenith",
)  # fmt: skip
_PROSPECT_FIRST = (
    "Arvo", "Belmar", "Calix", "Dorvan", "Elvora", "Ferrox", "Galdin", "Halvik", "Istmar", "Jorvex", "Kestrin",
    "Lomora", "Mirvane", "Nostrel", "Ostivar", "Pelmont", "Quenda", "Rovanta", "Selvig", "Tornell", "Ulvera", "Vostra",
    "Wendara", "Xantor", "Ysolde", "Zarnow",
)  # fmt: skip
_PROSPECT_LAST = ("Foods", "Health", "Logistics", "Mills", "Motors", "Retail Group", "Shipping", "Textiles")


def partner_name(number: int, suffix: str) -> str:
    return f"{_PARTNER_FIRST[number % len(_PARTNER_FIRST)]} {suffix}"


def prospect_name(number: int) -> str:
    """A company that is in no CRM yet."""
    first = _PROSPECT_FIRST[number % len(_PROSPECT_FIRST)]
    return f"{first} {_PROSPECT_LAST[number * 5 % len(_PROSPECT_LAST)]}"


def person(country: str | None, *parts: object) -> tuple[str, str]:
    """Given and family name of an invented person; the country's names nine times out of ten."""
    home = LANDS.get(country or "")
    land = home if home and chance("local", *parts) < 0.9 else _LANDS[spread(0, len(_LANDS) - 1, "land", *parts)]
    return (
        land.given[spread(0, len(land.given) - 1, "given", *parts)],
        land.family[spread(0, len(land.family) - 1, "family", *parts)],
    )


def currency_of(country: str) -> str:
    return LANDS[country].currency if country in LANDS else "USD"


def country_code(country: str | None) -> str | None:
    """ISO 3166 alpha-2 for a country as the CRM spells it, misspellings included."""
    return _CODES.get(country or "", country)


def phone(country: str | None, *parts: object) -> str:
    """A number that no one has: 555-01xx is reserved for fiction, and we keep that block everywhere."""
    land = LANDS.get(country or "")
    return f"{land.dialling if land else '+1'} 555 01{spread(0, 99, 'phone', *parts):02d}"


def slug(text: str) -> str:
    """Lower-case ASCII words joined by hyphens: ``Gekko & Co`` gives ``gekko-co``."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def mail(given: str, family: str, domain: str) -> str:
    return f"{slug(given)}.{slug(family)}@{domain}"
