"""Named transforms of raw values, applied before a value is read. Each is idempotent unless it has a way back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from types import MappingProxyType

from crmsync.remote import Scalar

_SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?/+|^mailto:", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


@dataclass(frozen=True, slots=True)
class Transform:
    """``read`` takes a raw value that is not blank. ``write`` is the way back, where values do not simply stay."""

    name: str
    read: Callable[[Scalar], Scalar]
    about: str
    write: Callable[[Scalar], Scalar] | None = None


def _text(change: Callable[[str], str]) -> Callable[[Scalar], Scalar]:
    return lambda raw: change(raw) if isinstance(raw, str) else raw


@lru_cache(maxsize=65_536)
def domain_of(raw: str) -> str:
    """The host name in a web address, an e-mail address or a bare domain, without ``www.``, as an A-label.

    :raises ValueError: where there is none.
    """
    host = _SCHEME.sub("", raw.strip().lower())
    host = re.split(r"[/?#\\\s]", host, maxsplit=1)[0].rpartition("@")[2]
    host = host.partition(":")[0].rstrip(".").removeprefix("www.")
    try:
        ascii_host = host.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_host = ""
    if not _HOST.fullmatch(ascii_host):
        raise ValueError(f"'{raw}' is not a web address")
    return ascii_host


@lru_cache(maxsize=4_096)
def country_code(raw: str) -> str:
    """ISO 3166-1 alpha-2 of a country's name or code.

    :raises ValueError: for a name that is none.
    """
    from crmsync.mappings.countries import country_codes, fold

    found = country_codes().get(fold(raw))
    if found is None:
        raise ValueError(f"'{raw}' is not a country")
    return found


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdecimal())


def _negate(raw: Scalar) -> Scalar:
    word = str(raw).strip().lower()
    if word not in ("true", "false"):
        raise ValueError(f"'{raw}' is neither true nor false")
    return word == "false"


def _percent(raw: Scalar) -> Scalar:
    """HubSpot keeps a probability as a share of one."""
    try:
        return str((Decimal(str(raw)) * 100).normalize())
    except InvalidOperation:
        raise ValueError(f"'{raw}' is not a number") from None


def _squash(text: str) -> str:
    return " ".join(text.split())


TRANSFORMS: Mapping[str, Transform] = MappingProxyType(
    {
        t.name: t
        for t in (
            Transform("trim", _text(str.strip), "without blanks at both ends"),
            Transform("squash", _text(_squash), "one blank between words, none at the ends"),
            Transform("lower", _text(str.lower), "lower case"),
            Transform("upper", _text(str.upper), "upper case"),
            Transform("digits", _text(_digits), "the digits only"),
            Transform("domain", _text(domain_of), "the host name of a web or e-mail address"),
            Transform("country", _text(country_code), "ISO 3166 code of a country's name"),
            Transform("percent", _percent, "a share of one as a percentage"),
            Transform("negate", _negate, "true for false and false for true", write=_negate),
        )
    }
)
