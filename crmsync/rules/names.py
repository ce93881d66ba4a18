"""Company names and internet domains in the one form in which they are compared."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from cleanco.clean import custom_basename, normalized, prepare_default_terms, strip_punct, strip_tail
from publicsuffixlist import PublicSuffixList

_SUFFIXES = PublicSuffixList(only_icann=False)
_HOST = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?(?://)?(?:[^/@\s]*@)?(?P<host>[^/:?#\s]+)", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
_NOT_WORD = re.compile(r"[\W_]+")


@lru_cache(maxsize=65536)
def registrable_domain(text: str) -> str | None:
    """``acme.example`` for an address, e-mail address or host under it; ``None`` where there is none.

    The public suffix list counts with its private section, so two sites on ``github.io`` are two domains.
    """
    match = _HOST.match(text.strip())
    host = _ascii(match["host"].rstrip(".").lower()) if match else ""
    if not host or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        return None
    found = _SUFFIXES.privatesuffix(host)
    return found if found and not found.replace(".", "").isdigit() else None


def _ascii(host: str) -> str:
    """The A-label form, or an empty string for what cannot be a host name."""
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""


@lru_cache(maxsize=65536)
def legal_name(text: str) -> str:
    """A company name without legal form, punctuation, diacritics and case; empty for a blank one."""
    stripped = _without_legal_form(text) or text
    letters = stripped
    if not stripped.isascii():
        letters = "".join(c for c in unicodedata.normalize("NFKD", stripped) if not unicodedata.combining(c))
    return _NOT_WORD.sub(" ", letters.casefold()).strip()


def _without_legal_form(text: str) -> str:
    """Only legal forms that end with a word of the name can be at its end; there are hundreds of others."""
    plain = strip_tail(text)
    lowered = plain.lower() if plain.isascii() else normalized(plain)
    words = {strip_punct(word) for word in lowered.split()}
    terms = sorted(term for word in words for term in _LEGAL_FORMS.get(word, ()))
    return str(custom_basename(text, [(size, parts) for _, size, parts in terms])) if terms else text


def _legal_forms() -> dict[str, list[tuple[int, int, list[str]]]]:
    """By last word, each with its rank among all."""
    forms: dict[str, list[tuple[int, int, list[str]]]] = {}
    for rank, (size, parts) in enumerate(prepare_default_terms()):
        if parts:
            forms.setdefault(parts[-1], []).append((rank, size, parts))
    return forms


_LEGAL_FORMS = _legal_forms()


def is_blank(value: object) -> bool:
    """``None``, empty text or an empty list."""
    return value is None or value == "" or value == ()
