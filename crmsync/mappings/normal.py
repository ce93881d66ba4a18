"""One text for every spelling in which a CRM may send the same value: what edits are told from echoes by. Pure.

It depends on the canonical type alone, not on value maps: a fingerprint has to outlive a change of the mapping.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from crmsync.mappings import values
from crmsync.remote import Scalar


def normal_text(raw: Scalar, base: str, separator: str) -> str:
    """The value as a text; ``""`` for blank, whatever kind of blank.

    :param base: the canonical type (``text int bool decimal date instant list``).
    """
    text = values.as_text(raw).strip()
    if not text:
        return ""
    if base == "list":
        return ";".join(sorted({item.strip() for item in text.split(separator.strip() or separator)} - {""}))
    try:
        return _READERS.get(base, values.as_text)(raw)
    except ValueError:  # a value map makes other types of text
        return text


def _number(raw: Scalar) -> str:
    return values.as_text(values.write_plain_number(values.read_decimal(raw)))


def _bool(raw: Scalar) -> str:
    return values.as_text(values.read_bool(raw))


def _date(raw: Scalar) -> str:
    return values.as_text(values.write_date(values.READERS["date"](raw)))


def _instant(raw: Scalar) -> str:
    return values.as_text(values.write_hubspot_instant(values.READERS["instant"](raw)))


def _text(raw: Scalar) -> str:
    return values.as_text(raw).strip()


_READERS: Mapping[str, Callable[[Scalar], str]] = MappingProxyType(
    {"text": _text, "int": _number, "decimal": _number, "bool": _bool, "date": _date, "instant": _instant}
)
